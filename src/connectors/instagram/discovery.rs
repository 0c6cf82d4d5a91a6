//! Which Instagram accounts a person may publish as who signed in with Facebook: those that are
//! linked to pages of theirs, or of businesses that they work for.
//!
//! <https://developers.facebook.com/docs/graph-api/reference/user/accounts>,
//! <https://developers.facebook.com/docs/graph-api/reference/business/owned_pages> and
//! <https://developers.facebook.com/docs/graph-api/reference/user/permissions>, as of 2026-10.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    errand::{Errand, id, person},
    graph, refusal,
};
use crate::{
    connectors::{Outcome, Progress, Reply, Request, Site, Target, meta},
    domain::{
        account::Identity,
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

/// `Own+ → Businesses+ → (Owned+ → Clients+)* → Granted`. A list has pages, so each may take
/// several requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Search {
    list: List,
    /// Where the list goes on; empty at its beginning.
    cursor: String,
    /// Still to be asked; the last is first.
    businesses: Vec<String>,
    /// Ids of pages: many are in several lists.
    seen: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum List {
    #[default]
    Own,
    Businesses,
    Owned,
    Clients,
    Granted,
}

/// Two requests each, of the 64 that an errand may take.
const BUSINESSES_MAX: usize = 20;

/// With `%7B` and `%7D`, the braces around the fields of a field.
const FIELDS: &str = "fields=id,name,access_token,tasks,\
                      instagram_business_account%7Bid,username,name,profile_picture_url%7D";

impl Search {
    pub(super) fn request(&self, site: &Site) -> Request {
        let business = self.businesses.last().map_or("", String::as_str);
        let mut path = match self.list {
            List::Own => format!("/me/accounts?{FIELDS}&limit=100"),
            List::Businesses => "/me/businesses?fields=id&limit=100".to_owned(),
            List::Owned => format!("/{business}/owned_pages?{FIELDS}&limit=100"),
            List::Clients => format!("/{business}/client_pages?{FIELDS}&limit=100"),
            List::Granted => "/me/permissions?limit=100".to_owned(),
        };
        if !self.cursor.is_empty() {
            path.push_str("&after=");
            path.push_str(&self.cursor);
        }
        Request::get(graph(site, &path))
    }

    pub(super) fn accept(
        mut self,
        site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Errand>, Refusal> {
        if !meta::is_success(reply) {
            return self.refused(reply);
        }
        let items = reply.body["data"].as_array().ok_or_else(|| reply.unreadable("data"))?;
        match self.list {
            List::Own | List::Owned | List::Clients => {
                let targets = items.iter().filter_map(|page| self.target(page, site)).collect();
                self.go_on(reply);
                Ok(Progress::Found(targets, Errand::Discover { search: self }))
            }
            List::Businesses => {
                self.businesses.extend(items.iter().filter_map(|business| id(&business["id"])));
                self.businesses.truncate(BUSINESSES_MAX);
                self.go_on(reply);
                Ok(Progress::Go(Errand::Discover { search: self }))
            }
            List::Granted => {
                let granted = items.iter().filter(|item| item["status"] == "granted");
                let scopes: Vec<&str> =
                    granted.filter_map(|item| item["permission"].as_str()).collect();
                let scopes = Some(scopes.join(" "));
                Ok(Progress::Done(Outcome::Discovered { targets: Vec::new(), scopes }))
            }
        }
    }

    /// Businesses are shown by a permission that one may refuse; what else there is stays.
    fn refused(mut self, reply: &Reply) -> Result<Progress<Errand>, Refusal> {
        let refusal = refusal::of_reply(reply);
        let is_withheld = matches!(refusal.kind, RefusalKind::Rejected | RefusalKind::Revoked)
            && meta::code(reply).is_some_and(|code| code.code != 190);
        match self.list {
            List::Businesses | List::Owned | List::Clients if is_withheld => {
                self.next_list();
                Ok(Progress::Go(Errand::Discover { search: self }))
            }
            List::Own | List::Businesses | List::Owned | List::Clients | List::Granted => {
                Err(refusal)
            }
        }
    }

    /// The address in `next` is not followed: the token is in it.
    fn go_on(&mut self, reply: &Reply) {
        let paging = &reply.body["paging"];
        match paging["cursors"]["after"].as_str() {
            Some(after) if paging["next"].is_string() && after != self.cursor => {
                self.cursor = after.to_owned();
            }
            Some(_) | None => self.next_list(),
        }
    }

    fn next_list(&mut self) {
        self.cursor.clear();
        if self.list == List::Clients {
            self.businesses.pop();
        }
        self.list = match self.list {
            List::Own => List::Businesses,
            List::Owned => List::Clients,
            List::Businesses | List::Clients if !self.businesses.is_empty() => List::Owned,
            List::Businesses | List::Clients | List::Granted => List::Granted,
        };
    }

    fn target(&mut self, page: &Value, site: &Site) -> Option<Target> {
        let page_id = id(&page["id"])?;
        if self.seen.contains(&page_id) {
            return None;
        }
        self.seen.push(page_id.clone());
        let page_name = page["name"].as_str().unwrap_or_default();
        let account = &page["instagram_business_account"];
        let Some(remote_id) = id(&account["id"]) else {
            let obstacle = format!(
                "No professional Instagram account is linked to the page {page_name}. Link one in \
                 the settings of the page, then connect again."
            );
            let name = page_name.to_owned();
            let identity = Identity { remote_id: page_id, name, ..Identity::default() };
            return Some(Target { identity, access: None, obstacle: Some(obstacle) });
        };
        let text = |name: &str| account[name].as_str().unwrap_or_default();
        let picture = text("profile_picture_url");
        let identity = person(remote_id, text("username"), text("name"), picture, site);
        let access = page["access_token"].as_str().filter(|token| !token.is_empty());
        let obstacle = if access.is_none() {
            Some(format!(
                "Facebook gives no access to the page {page_name}, to which this account is \
                 linked. Ask for a role on the page, then connect again."
            ))
        } else if !may_publish(&page["tasks"]) {
            Some(format!(
                "You may not create content for the page {page_name}, to which this account is \
                 linked. Ask for that task on the page, then connect again."
            ))
        } else {
            None
        };
        Some(Target { identity, access: access.map(Secret::new), obstacle })
    }
}

/// "MANAGE or CREATE_CONTENT". Where nothing is said of tasks, publishing tells.
fn may_publish(tasks: &Value) -> bool {
    let Some(tasks) = tasks.as_array() else { return true };
    tasks.iter().any(|task| task == "CREATE_CONTENT" || task == "MANAGE")
}
