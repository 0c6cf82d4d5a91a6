//! What a person has at Meta: pages, a business that holds some of them, and Instagram accounts.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{chance::Chance, people::People},
};

use super::{
    Answer, Call, Door, Meta, Node, Reply, new_id,
    tokens::{Subject, Token},
};

pub(super) const PAGE_USUAL: &str = "id,name";
/// Manages no page, owns no business.
const NOBODY: &str = "nobody";
const ADMIN: [&str; 6] =
    ["MANAGE", "CREATE_CONTENT", "MODERATE", "MESSAGING", "ADVERTISE", "ANALYZE"];
const EDITOR: [&str; 3] = ["CREATE_CONTENT", "MODERATE", "ANALYZE"];
const ANALYST: [&str; 1] = ["ANALYZE"];

pub(super) struct Page {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) owner: usize,
    /// What the owner may do there.
    pub(super) tasks: &'static [&'static str],
    pub(super) profile: Option<usize>,
}

/// A professional Instagram account.
pub(super) struct Profile {
    /// As Facebook calls it.
    pub(super) id: String,
    /// As Instagram calls it: "not interchangeable across hosts".
    pub(super) user_id: String,
    scoped_id: String,
    pub(super) username: String,
    joined: Timestamp,
    pub(super) page: Option<usize>,
}

impl Profile {
    pub(super) fn id_at(&self, door: Door) -> &str {
        match door {
            Door::Facebook => &self.id,
            Door::Instagram => &self.user_id,
        }
    }
}

struct Business {
    id: String,
    owner: usize,
    owned: Vec<usize>,
    client: Vec<usize>,
}

#[derive(Default)]
pub(super) struct Estate {
    pub(super) people: People,
    pub(super) pages: Vec<Page>,
    pub(super) profiles: Vec<Profile>,
    businesses: Vec<Business>,
    by_username: HashMap<String, usize>,
}

impl Estate {
    /// The person of that handle, with all that belongs to a new one; `nobody` has nothing.
    fn welcome(
        &mut self,
        handle: &str,
        now: Timestamp,
        chance: &mut Chance,
        nodes: &mut HashMap<String, Node>,
    ) -> usize {
        if let Some(known) = self.people.by_handle(handle) {
            return known;
        }
        let id = new_id(chance, now);
        let person = self.people.welcome(handle, now, || id.clone());
        nodes.insert(id, Node::Person(person));
        if handle.eq_ignore_ascii_case(NOBODY) {
            return person;
        }
        let profile = self.profile(&format!("{handle}.bakery"), now, chance, nodes);
        let mut page = |name: &str, tasks: &'static [&'static str], profile: Option<usize>| {
            let id = new_id(chance, now);
            nodes.insert(id.clone(), Node::Page(self.pages.len()));
            let username = format!("{handle}-{name}");
            self.pages.push(Page { id, username, owner: person, tasks, profile });
            self.pages.len() - 1
        };
        let bakery = page("bakery", &ADMIN, Some(profile));
        let books = page("books", &EDITOR, None);
        let archive = page("archive", &ANALYST, None);
        self.profiles[profile].page = Some(bakery);
        let id = new_id(chance, now);
        nodes.insert(id.clone(), Node::Business(self.businesses.len()));
        let (owned, client) = (vec![books], vec![archive]);
        self.businesses.push(Business { id, owner: person, owned, client });
        person
    }

    /// The Instagram account of that name.
    pub(super) fn profile(
        &mut self,
        username: &str,
        now: Timestamp,
        chance: &mut Chance,
        nodes: &mut HashMap<String, Node>,
    ) -> usize {
        let username = username.to_ascii_lowercase();
        if let Some(known) = self.by_username.get(&username) {
            return *known;
        }
        let number = self.profiles.len();
        let [id, user_id, scoped_id] = [(); 3].map(|()| new_id(chance, now));
        for id in [&id, &user_id, &scoped_id] {
            nodes.insert(id.clone(), Node::Profile(number));
        }
        self.by_username.insert(username.clone(), number);
        self.profiles.push(Profile { id, user_id, scoped_id, username, joined: now, page: None });
        number
    }

    /// Who owns the pages and accounts that a person's token reaches.
    pub(super) fn owner_of_profile(&self, profile: usize) -> Option<usize> {
        self.profiles[profile].page.map(|page| self.pages[page].owner)
    }

    pub(super) fn handle(&self, subject: Subject) -> &str {
        match subject {
            Subject::Person(person) => &self.people.get(person).handle,
            Subject::Page(page) => &self.pages[page].username,
            Subject::Profile(profile) => &self.profiles[profile].username,
        }
    }

    pub(super) fn id(&self, subject: Subject, door: Door) -> &str {
        match subject {
            Subject::Person(person) => &self.people.get(person).id,
            Subject::Page(page) => &self.pages[page].id,
            Subject::Profile(profile) => self.profiles[profile].id_at(door),
        }
    }

    pub(super) fn usernames(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|profile| profile.username.as_str())
    }

    pub(super) fn owner_of_business(&self, business: usize) -> usize {
        self.businesses[business].owner
    }
}

impl Meta {
    pub(super) fn welcome(&mut self, handle: &str, now: Timestamp, chance: &mut Chance) -> usize {
        self.estate.welcome(handle, now, chance, &mut self.nodes)
    }

    pub(super) fn person_json(&self, call: &Call, person: usize) -> Value {
        let person = self.estate.people.get(person);
        json!({ "id": person.id, "name": person.handle, "first_name": person.handle,
            "last_name": null, "short_name": person.handle, "email": null,
            "picture": picture(call, &person.id) })
    }

    /// `token` is whose call it is: a page's token is only told to its people.
    pub(super) fn page_json(
        &mut self,
        call: &Call,
        token: &Token,
        page: usize,
        chance: &mut Chance,
    ) -> Value {
        let access = match token.subject {
            Subject::Person(_) => {
                let text = || format!("EAAPage{}", chance.word(80));
                Some(self.tokens.of_page(token, page, call.now, text))
            }
            Subject::Page(own) if own == page => Some(token.text.clone()),
            Subject::Page(_) | Subject::Profile(_) => None,
        };
        let Page { id, username, tasks, profile, .. } = &self.estate.pages[page];
        // Without the scope, it looks as if nothing was linked.
        let linked = profile.filter(|_| self.tokens.carries(token, "instagram_basic"));
        json!({
            "id": id, "name": username, "username": username, "category": "Local business",
            "tasks": tasks, "access_token": access, "picture": picture(call, id),
            "link": format!("{}/{username}", call.base), "fan_count": 128, "followers_count": 131,
            "about": null, "description": null, "website": null, "is_published": true,
            "verification_status": "not_verified", "category_list": null,
            "instagram_business_account":
                linked.map(|profile| self.profile_json(call, Door::Facebook, profile)),
            "connected_instagram_account": null,
        })
    }

    pub(super) fn profile_json(&self, call: &Call, door: Door, profile: usize) -> Value {
        let known = &self.estate.profiles[profile];
        let published = self.media.iter();
        let count = published.filter(|media| media.profile == profile && !media.deleted).count();
        let mut body = json!({
            "id": known.id, "username": known.username, "name": known.username,
            "profile_picture_url": format!("{}/{}/picture", call.base, known.id),
            "followers_count": 77, "follows_count": 12, "media_count": count, "biography": null,
            "website": null,
        });
        match door {
            Door::Facebook => body["ig_id"] = json!(known.joined.0),
            Door::Instagram => {
                body["id"] = json!(known.scoped_id);
                body["user_id"] = json!(known.user_id);
                body["account_type"] = json!("Business");
            }
        }
        body
    }

    pub(super) fn accounts_of(&self, person: usize) -> Vec<usize> {
        let pages = self.estate.pages.iter().enumerate();
        pages.filter(|(_, page)| page.owner == person).map(|(number, _)| number).collect()
    }

    pub(super) fn businesses_json(&self, person: usize) -> Vec<Value> {
        let all = self.estate.businesses.iter().enumerate();
        let own = all.filter(|(_, business)| business.owner == person);
        own.map(|(number, _)| self.business_json(number)).collect()
    }

    pub(super) fn business_json(&self, business: usize) -> Value {
        let business = &self.estate.businesses[business];
        let owner = &self.estate.people.get(business.owner).handle;
        json!({ "id": business.id, "name": format!("{owner} holding"),
            "verification_status": "not_verified", "link": null })
    }

    pub(super) fn pages_of_business(&self, business: usize, edge: &str) -> Vec<usize> {
        let business = &self.estate.businesses[business];
        match edge {
            "owned_pages" => business.owned.clone(),
            _ => business.client.clone(),
        }
    }
}

fn picture(call: &Call, id: &str) -> Value {
    let url = format!("{}/{id}/picture", call.base);
    json!({ "data": { "url": url, "width": 200, "height": 200, "is_silhouette": true } })
}

/// The silhouette of whoever has no picture.
pub(super) fn silhouette() -> Reply {
    let drawing = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>\
        <rect width='8' height='8' fill='#ccd'/><circle cx='4' cy='3' r='1.5'/>\
        <path d='M1 8a3 3 0 0 1 6 0z'/></svg>";
    Ok(Answer::new(200, "image/svg+xml", drawing))
}
