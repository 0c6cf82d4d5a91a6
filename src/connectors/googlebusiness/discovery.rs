//! Which locations a person may post for: of each account its locations, page by page, and of those
//! that do not say that they are in good standing, what is missing.
//!
//! <https://developers.google.com/my-business/reference/accountmanagement/rest/v1/accounts/list>,
//! <https://developers.google.com/my-business/reference/businessinformation/rest/v1/accounts.locations/list>
//! and <https://developers.google.com/my-business/reference/verifications/rest/v1/locations/getVoiceOfMerchantState>,
//! as of 2026-10.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::{INFORMATION, LANGUAGE, MANAGEMENT, VERIFICATIONS, errand::Errand, refusal};
use crate::{
    connectors::{Outcome, Progress, Reply, Request, Site, Target},
    domain::{
        account::Identity,
        refusal::{Refusal, RefusalKind},
    },
};

/// How far the search has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    listing: Listing,
    /// Where its next page begins; empty at its first.
    page: String,
    /// Whose locations are still to be listed.
    accounts: Vec<String>,
    /// The last of them is asked for its standing.
    doubtful: Vec<Location>,
    /// A location is often in a person's own account and in a group's.
    seen: Vec<String>,
    requests: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Listing {
    Accounts,
    /// Of the account of that name.
    Locations(String),
    Standing,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Location {
    account: String,
    name: String,
    title: String,
    address: String,
    url: String,
    language: String,
}

/// Somewhat fewer than the engine allows an errand. Whoever has more locations than can be listed
/// in so many is told; those whose standing is not asked for any more are offered without it.
const REQUESTS_MAX: u32 = 240;

/// "readMask is required".
const FIELDS: &str = "name,title,languageCode,storefrontAddress,metadata";

impl Search {
    pub(super) fn first() -> Search {
        Search {
            listing: Listing::Accounts,
            page: String::new(),
            accounts: Vec::new(),
            doubtful: Vec::new(),
            seen: Vec::new(),
            requests: 0,
        }
    }

    pub(super) fn request(&self, site: &Site) -> Request {
        let (endpoint, mut path) = match &self.listing {
            Listing::Accounts => (MANAGEMENT, "/v1/accounts?pageSize=20".to_owned()),
            Listing::Locations(account) => {
                let path = format!("/v1/{account}/locations?readMask={FIELDS}&pageSize=100");
                (INFORMATION, path)
            }
            Listing::Standing => {
                let name = self.doubtful.last().map_or("", |location| location.name.as_str());
                (VERIFICATIONS, format!("/v1/{name}/VoiceOfMerchantState"))
            }
        };
        if !self.page.is_empty() {
            path.push_str("&pageToken=");
            path.extend(byte_serialize(self.page.as_bytes()));
        }
        Request::get(site.url(endpoint, &path))
    }

    pub(super) fn after(
        mut self,
        _site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Errand>, Refusal> {
        let mut targets = Vec::new();
        match (&self.listing, reply.is_success()) {
            (Listing::Accounts, true) => {
                let accounts = reply.body["accounts"].as_array().into_iter().flatten();
                let names = accounts.filter_map(|account| account["name"].as_str());
                self.accounts.extend(names.map(str::to_owned));
            }
            (Listing::Locations(account), true) => {
                let account = account.clone();
                let locations = reply.body["locations"].as_array().into_iter().flatten();
                for found in locations {
                    let Some(location) = Location::read(&account, found) else { continue };
                    if self.seen.contains(&location.name) {
                        continue;
                    }
                    self.seen.push(location.name.clone());
                    match found["metadata"]["hasVoiceOfMerchant"] == true {
                        true => targets.push(location.target(None)),
                        false => self.doubtful.push(location),
                    }
                }
            }
            // The others may well be readable.
            (Listing::Locations(_), false) if matches!(reply.status, 403 | 404) => (),
            (Listing::Standing, is_success) => {
                let location = self.doubtful.pop();
                let obstacle = is_success.then(|| obstacle(&reply.body)).flatten();
                targets.extend(location.map(|location| location.target(obstacle)));
                return self.next_listing(targets);
            }
            (Listing::Accounts | Listing::Locations(_), false) => {
                return Err(refusal::of_reply(reply));
            }
        }
        let next = reply.body["nextPageToken"].as_str().unwrap_or_default();
        if next.is_empty() || next == self.page {
            return self.next_listing(targets);
        }
        next.clone_into(&mut self.page);
        self.go_on(targets)
    }

    fn next_listing(mut self, targets: Vec<Target>) -> Result<Progress<Errand>, Refusal> {
        self.page.clear();
        if !self.accounts.is_empty() {
            self.listing = Listing::Locations(self.accounts.remove(0));
            return self.go_on(targets);
        }
        if self.doubtful.is_empty() {
            return Ok(self.done(targets));
        }
        self.listing = Listing::Standing;
        self.go_on(targets)
    }

    fn go_on(mut self, targets: Vec<Target>) -> Result<Progress<Errand>, Refusal> {
        self.requests += 1;
        match (self.requests < REQUESTS_MAX, &self.listing) {
            (true, _) if targets.is_empty() => Ok(Progress::Go(Errand::Discover(self))),
            (true, _) => Ok(Progress::Found(targets, Errand::Discover(self))),
            (false, Listing::Standing) => Ok(self.done(targets)),
            (false, Listing::Accounts | Listing::Locations(_)) => {
                let words = format!(
                    "this person manages more locations than can be listed ({} were found): sign \
                     in as somebody who manages fewer of them",
                    self.seen.len()
                );
                Err(Refusal::new(RefusalKind::Rejected, "too_many_locations", words))
            }
        }
    }

    fn done(self, mut targets: Vec<Target>) -> Progress<Errand> {
        targets.extend(self.doubtful.iter().map(|location| location.target(None)));
        Progress::Done(Outcome::Discovered { targets, scopes: None })
    }
}

impl Location {
    fn read(account: &str, found: &Value) -> Option<Location> {
        let text = |pointer: &str| {
            found.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let lines = found["storefrontAddress"]["addressLines"].as_array();
        let street = lines.and_then(|lines| lines.first()).and_then(Value::as_str);
        let address = [street.unwrap_or_default(), &text("/storefrontAddress/locality")];
        let address = address.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>();
        Some(Location {
            account: account.to_owned(),
            name: found["name"].as_str()?.to_owned(),
            title: text("/title"),
            address: address.join(", "),
            url: text("/metadata/mapsUri"),
            language: text("/languageCode"),
        })
    }

    /// Several locations of a business have one title, so they are told apart by their addresses.
    fn target(&self, obstacle: Option<&str>) -> Target {
        let number = self.name.rsplit('/').next().unwrap_or_default();
        let or_number = |text: &str| if text.is_empty() { number } else { text }.to_owned();
        Target {
            identity: Identity {
                remote_id: format!("{}/{}", self.account, self.name),
                handle: or_number(&self.address),
                name: or_number(&self.title),
                url: self.url.clone(),
                traits: [(LANGUAGE.to_owned(), self.language.clone())].into(),
                ..Identity::default()
            },
            access: None,
            obstacle: obstacle.map(str::to_owned),
        }
    }
}

/// Why nothing that is posted for it would be seen. A false is left out of Google's answers, so an
/// answer has to name what is to be done before it counts.
fn obstacle(standing: &Value) -> Option<&'static str> {
    if standing["hasVoiceOfMerchant"] == true {
        return None;
    }
    let is_asked = |name: &str| !standing[name].is_null();
    if is_asked("verify") {
        return Some("Google has not verified this location. Verify it in its profile first.");
    }
    if is_asked("waitForVoiceOfMerchant") {
        return Some("Google is still reviewing this location. Connect it when that is over.");
    }
    if is_asked("resolveOwnershipConflict") {
        return Some(
            "This location is a duplicate of another one. Connect that one, or ask its owner for \
             access to it.",
        );
    }
    if is_asked("complyWithGuidelines") {
        return Some(
            "Google has suspended this location because of its guidelines. Have it reinstated \
             first.",
        );
    }
    None
}
