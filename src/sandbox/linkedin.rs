//! LinkedIn: www.linkedin.com and api.linkedin.com together, by the pages under
//! learn.microsoft.com/linkedin (versions 202601 to 202609), read 2026-11-21.
//!
//! A client whose id contains "organization" is an approved app of the Community Management
//! product; every other one is self-serve. Invariants: nothing but `x-restli-id` tells a new
//! post's id; a commentary's unescaped reserved character cuts the published text off there.
//!
//! Where no page says what happens, the stricter reading is played, and a comment says so.

mod comments;
mod content;
mod little;
mod organizations;
mod posts;
mod signin;
#[cfg(test)]
mod tests;
mod uploads;
mod versions;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    Platform,
    consent::Codes,
    faults::Operation,
    grants::{Grants, Worth},
    meter::{Meter, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{
    comments::Comment,
    organizations::Organization,
    posts::Post,
    uploads::{Asset, Kind},
};

/// 150 requests for each member and day (consumer, Share on LinkedIn, read 2026-11-21). What
/// approved apps of the standard tier may is not published, so nothing is counted there.
const SELF_SERVE: Rule = Rule::new("member", 150, 24 * 60 * 60);
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

pub(crate) struct Linkedin {
    meter: Meter,
    people: People,
    codes: Codes,
    grants: Grants,
    /// When each refresh token ends, which using it never moves.
    refresh_ends: HashMap<String, Timestamp>,
    /// Grants of a member to an app, by both.
    given: HashMap<(usize, String), Vec<usize>>,
    organizations: BTreeMap<u64, Organization>,
    /// By URN.
    assets: HashMap<String, Asset>,
    /// The asset and the part behind the last segment of each upload address.
    addresses: HashMap<String, (String, usize)>,
    /// By URN.
    posts: HashMap<String, Post>,
    /// URNs by the author's, oldest first.
    timelines: HashMap<String, Vec<String>>,
    /// By everything that makes two posts equal: the last one, and when it was.
    said: HashMap<String, (String, Timestamp)>,
    comments: BTreeMap<u64, Comment>,
}

/// Whoever a request's token stands for.
#[derive(Clone, Copy)]
struct Caller {
    account: usize,
    grant: usize,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Linkedin {
    pub(crate) fn new(meter: Meter) -> Linkedin {
        Linkedin {
            meter,
            people: People::default(),
            codes: Codes::default(),
            grants: Grants::default(),
            refresh_ends: HashMap::new(),
            given: HashMap::new(),
            organizations: BTreeMap::new(),
            assets: HashMap::new(),
            addresses: HashMap::new(),
            posts: HashMap::new(),
            timelines: HashMap::new(),
            said: HashMap::new(),
            comments: BTreeMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["oauth", "v2", "authorization"]) => Ok(self.consent(call, books)),
            ("POST", ["oauth", "v2", "accessToken"]) => self.token(call, books),
            ("POST", ["oauth", "v2", "revoke"]) => self.revoke_token(call),
            ("GET", ["v2", "userinfo"]) => {
                let caller = self.authorize(call)?;
                self.userinfo(call, caller)
            }
            ("GET", ["v2", "me"]) => {
                let caller = self.authorize(call)?;
                self.me(call, caller)
            }
            ("GET", ["feed", "update", urn]) => permalink(urn, books),
            ("PUT", ["dms-uploads", address]) => self.receive(call, address, books),
            (_, ["rest", ..]) => {
                versions::check(call)?;
                let caller = self.authorize(call)?;
                self.rest(call, caller, books)
            }
            _ => Err(not_found("No virtual resource found")),
        }
    }

    fn rest(&mut self, call: &Call, caller: Caller, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        let restli = call.header("x-restli-method");
        match (method, &segments[1..]) {
            ("GET", ["organizationAcls"]) => self.access(call, caller),
            ("GET", ["organizations", id]) => self.organization(call, caller, id),
            ("POST", ["images"]) => self.initialize(call, caller, Kind::Image, books),
            ("POST", ["documents"]) => self.initialize(call, caller, Kind::Document, books),
            ("POST", ["videos"]) => match call.query("action") {
                Some("finalizeUpload") => self.finalize(call, caller, books),
                Some(_) | None => self.initialize(call, caller, Kind::Video, books),
            },
            ("GET", ["images" | "documents" | "videos", urn]) => self.status(call, caller, urn),
            ("POST", ["posts"]) => self.create(call, caller, books),
            ("GET", ["posts"]) => self.find(call, caller),
            ("GET", ["posts", urn]) => self.single(call, caller, urn),
            ("POST", ["posts", urn]) if restli == Some("PARTIAL_UPDATE") => {
                self.update(call, caller, urn, books)
            }
            ("POST", ["posts", _]) => {
                Err(bad_request("X-RestLi-Method must be PARTIAL_UPDATE to change an entity"))
            }
            ("DELETE", ["posts", urn]) => self.delete(call, caller, urn, books),
            ("POST", ["socialActions", urn, "comments"]) => self.comment(call, caller, urn, books),
            ("GET", ["socialActions", urn, "comments"]) => self.comments(call, caller, urn),
            ("DELETE", ["socialActions", urn, "comments", id]) => {
                self.delete_comment(call, caller, urn, id, books)
            }
            _ => Err(not_found("No virtual resource found")),
        }
    }

    fn authorize(&mut self, call: &Call) -> Result<Caller, Answer> {
        let token = call.bearer().unwrap_or_default();
        // The numbers of the last two are those that clients report; no page lists them.
        let (number, code, text) = match self.grants.judge(token, call.now) {
            Worth::Live { grant, account: Some(account) } => {
                let caller = Caller { account, grant };
                self.count(caller, call.now)?;
                return Ok(caller);
            }
            Worth::Live { account: None, .. } | Worth::Unknown => {
                (65_600, "INVALID_ACCESS_TOKEN", "Invalid access token")
            }
            Worth::Revoked => {
                let text = "The token used in the request has been revoked by the user";
                (65_601, "REVOKED_ACCESS_TOKEN", text)
            }
            Worth::Expired => {
                let text = "The token used in the request has expired";
                (65_602, "EXPIRED_ACCESS_TOKEN", text)
            }
        };
        Err(refusal(401, Some(number), code, text))
    }

    /// Limits begin anew at midnight UTC.
    fn count(&mut self, caller: Caller, now: Timestamp) -> Result<(), Answer> {
        if signin::is_approved(self.grants.client(caller.grant)) {
            return Ok(());
        }
        let midnight = Timestamp(now.0 - now.0 % DAY_MILLIS);
        match self.meter.spend(caller.account, &SELF_SERVE, 1, midnight).room {
            Room::Left => Ok(()),
            Room::Exceeded => Err(too_many()),
        }
    }

    fn has(&self, caller: Caller, scope: &str) -> bool {
        self.grants.scopes(caller.grant).iter().any(|granted| granted == scope)
    }

    /// One of the scopes is enough.
    fn demand(
        &self,
        call: &Call,
        caller: Caller,
        scopes: &[&str],
        what: &str,
    ) -> Result<(), Answer> {
        match scopes.iter().any(|scope| self.has(caller, scope)) {
            true => Ok(()),
            false => Err(denied(call, what)),
        }
    }

    fn person_urn(&self, account: usize) -> String {
        format!("urn:li:person:{}", self.people.get(account).id)
    }

    /// The caller as itself, or as an organization in which it has one of the roles. `scopes` are
    /// those for a member and for an organization.
    fn acts_as(
        &self,
        call: &Call,
        caller: Caller,
        urn: &str,
        scopes: [&str; 2],
        what: &str,
    ) -> Result<(), Answer> {
        if urn == self.person_urn(caller.account) {
            return self.demand(call, caller, &[scopes[0]], what);
        }
        self.demand(call, caller, &[scopes[1]], what)?;
        let organization = organizations::number(urn).and_then(|id| self.organizations.get(&id));
        match organization.is_some_and(|organization| organization.may_post(caller.account)) {
            true => Ok(()),
            false => Err(denied(call, what)),
        }
    }

    /// Who may be shown beside a post: a member's handle, or an organization's vanity name.
    fn shown(&self, urn: &str) -> String {
        let organization = organizations::number(urn).and_then(|id| self.organizations.get(&id));
        let person = urn.strip_prefix("urn:li:person:").and_then(|id| self.people.by_id(id));
        match (organization, person) {
            (Some(organization), _) => organization.vanity.clone(),
            (None, Some(account)) => self.people.get(account).handle.clone(),
            (None, None) => urn.to_owned(),
        }
    }

    fn token_of(call: &Call) -> Option<String> {
        if let Some(token) = call.bearer() {
            return Some(token.to_owned());
        }
        let given = call.parameters();
        let token = given["refresh_token"].as_str().or(given["token"].as_str());
        token.map(str::to_owned)
    }
}

impl Simulation for Linkedin {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, ["oauth", "v2", "authorization"] | ["feed", ..]) => None,
            (_, ["oauth", ..]) => Some(Operation::Token),
            (_, ["dms-uploads", ..]) => Some(Operation::Upload),
            ("POST", ["rest", "images" | "documents" | "videos", ..]) => Some(Operation::Upload),
            ("POST", ["rest", ..]) => Some(Operation::Publish),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let (_, segments) = call.route();
        let account = match (Linkedin::token_of(call), segments.as_slice()) {
            (Some(token), _) => self.grants.account(self.grants.behind(&token)?)?,
            (None, ["dms-uploads", address]) => {
                self.assets.get(&self.addresses.get(*address)?.0)?.account
            }
            (None, _) => self.codes.account(call.parameters()["code"].as_str()?)?,
        };
        Some(self.people.get(account).handle.clone())
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None) => signin::invalid_grant(),
            (_, None | Some(403)) => {
                let text = "Not enough permissions to access: resource.ACTION";
                refusal(403, Some(100), "ACCESS_DENIED", text)
            }
            (_, Some(400)) => bad_request("Refused by the sandbox"),
            (_, Some(401)) => {
                refusal(401, Some(65_600), "INVALID_ACCESS_TOKEN", "Invalid access token")
            }
            (_, Some(404)) => not_found("Refused by the sandbox"),
            (_, Some(422)) => unprocessable("ERROR :: / :: refused by the sandbox"),
            (_, Some(426)) => versions::nonexistent("20200101"),
            (_, Some(429)) => too_many(),
            (_, Some(status @ 500..)) => {
                refusal(status, None, "INTERNAL_SERVER_ERROR", "Internal Server Error")
            }
            (_, Some(status)) => refusal(status, None, "REFUSED", "Refused by the sandbox"),
        }
    }

    /// Neither a Retry-After nor any other header: LinkedIn sends none.
    fn throttled(&self, _: &Call, _: Option<Duration>) -> Answer {
        too_many()
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = Linkedin::token_of(call) {
            self.grants.expire(&token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        let token = Linkedin::token_of(call);
        if let Some(grant) = token.and_then(|token| self.grants.behind(&token)) {
            self.grants.revoke(grant);
        }
    }
}

/// An answer without a body, as Rest.li gives them.
fn bare(status: u16) -> Answer {
    Answer::new(status, "application/json", Bytes::new())
}

fn refusal(status: u16, number: Option<u64>, code: &str, message: &str) -> Answer {
    let mut body = json!({ "status": status, "code": code, "message": message });
    if let Some(number) = number {
        body["serviceErrorCode"] = json!(number);
    }
    Answer::json(status, &body)
}

/// The newer form, which names what was wrong.
fn input_error(status: u16, code: &str, message: &str, description: &str) -> Answer {
    let body = json!({
        "status": status, "message": message,
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "errorDetails": { "inputErrors": [
            { "code": code, "description": description, "input": {} }
        ] },
    });
    Answer::json(status, &body)
}

fn bad_request(message: &str) -> Answer {
    refusal(400, None, "ILLEGAL_ARGUMENT", message)
}

fn unprocessable(message: &str) -> Answer {
    Answer::json(422, &json!({ "status": 422, "message": message }))
}

fn denied(call: &Call, what: &str) -> Answer {
    let version = call.header("linkedin-version").unwrap_or_default();
    let text = format!("Not enough permissions to access: {what}.{version}");
    refusal(403, Some(100), "ACCESS_DENIED", text.trim_end_matches('.'))
}

fn not_found(message: &str) -> Answer {
    refusal(404, None, "NOT_FOUND", message)
}

fn too_many() -> Answer {
    let text = "Resource level throttle limit for calls to this resource is reached.";
    Answer::json(429, &json!({ "message": text, "status": 429, "serviceErrorCode": 101 }))
}

/// A part of a list, with what Rest.li tells about the rest of it.
fn page(call: &Call, name: &str, all: Vec<Value>) -> Reply {
    let number = |name: &str, usual: usize| match call.query(name).map(str::parse::<usize>) {
        None => Ok(usual),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(bad_request(&format!("{name} is not a number"))),
    };
    let (start, count) = (number("start", 0)?, number("count", 10)?);
    if !(1..=100).contains(&count) {
        return Err(bad_request("count must be from 1 to 100"));
    }
    let total = all.len();
    let mut links = Vec::new();
    if start + count < total {
        let kept = call.query.iter().filter(|(key, _)| key != "start" && key != "count");
        let kept: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        let href = format!("/rest/{name}?{kept}&start={}&count={count}", start + count);
        links.push(json!({ "rel": "next", "type": "application/json", "href": href }));
    }
    let elements: Vec<Value> = all.into_iter().skip(start).take(count).collect();
    let paging = json!({ "start": start, "count": count, "links": links, "total": total });
    Ok(Answer::json(200, &json!({ "elements": elements, "paging": paging })))
}

fn permalink(urn: &str, books: &Books) -> Reply {
    match books.ledger.find(Platform::Linkedin, urn) {
        Some(entry) => Ok(Answer::redirect(&format!("/#post-{}", entry.sequence))),
        None => Err(not_found("This post cannot be displayed")),
    }
}
