//! Threads: graph.threads.net and threads.net together. By the pages under
//! developers.facebook.com/docs/threads and Meta's Postman collection, read 2026-11-21.
//!
//! Invariants: a container is published at most once; what is not ready is never published.
//!
//! Where no page says what happens, the stricter reading is played, and a comment says so.

mod containers;
mod nodes;
mod parameters;
mod publishing;
mod signin;
#[cfg(test)]
mod tests;
mod words;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    Platform,
    consent::Codes,
    faults::Operation,
    grants::{Grants, Worth},
    meter::{Meter, Reading, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{containers::Container, nodes::Post, signin::Minted};

/// Milliseconds between 1970 and the beginning of the ids.
const EPOCH: u64 = 1_314_220_021_721;
const ID_BITS: u32 = 23;
const DAY: u64 = 24 * 60 * 60;

/// 4,800 calls for each impression in a day, of which there are at least 10 (docs/threads,
/// overview, rate limiting, read 2026-11-21).
const CALLS: Rule = Rule::new("calls", 48_000, DAY);
/// The same page. Its windows move; these begin with the first publication in them.
const POSTS: Rule = Rule::new("posts", 250, DAY);
const REPLIES: Rule = Rule::new("replies", 1_000, DAY);
const DELETES: Rule = Rule::new("deletes", 100, DAY);

pub(crate) struct Threads {
    meter: Meter,
    people: People,
    codes: Codes,
    grants: Grants,
    tokens: HashMap<String, Minted>,
    containers: HashMap<u64, Container>,
    posts: HashMap<u64, Post>,
    /// Posts and replies of an account, oldest first.
    timelines: HashMap<usize, Vec<u64>>,
    shortcodes: HashMap<String, u64>,
}

/// Whoever a request's token stands for.
#[derive(Clone, Copy)]
struct Caller {
    account: usize,
    grant: usize,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Threads {
    pub(crate) fn new(meter: Meter) -> Threads {
        Threads {
            meter,
            people: People::default(),
            codes: Codes::default(),
            grants: Grants::default(),
            tokens: HashMap::new(),
            containers: HashMap::new(),
            posts: HashMap::new(),
            timelines: HashMap::new(),
            shortcodes: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, seen: &mut Option<Reading>) -> Reply {
        let (method, segments) = call.route();
        match (method, below_version(&segments)) {
            ("GET" | "POST", ["oauth", "authorize"]) => Ok(self.consent(call, books)),
            ("POST", ["oauth", "access_token"]) => self.token(call, books),
            ("GET", ["access_token"]) => self.exchange(call, books),
            ("GET", ["refresh_access_token"]) => self.refresh(call, books),
            ("GET", [handle]) if handle.starts_with('@') => Ok(Answer::redirect("/#threads")),
            ("GET", [_, "post", shortcode]) => self.permalink(shortcode, books),
            ("POST", [user, "threads"]) => {
                let caller = self.publisher(call, user, seen)?;
                self.create(call, caller, books)
            }
            ("POST", [user, "threads_publish"]) => {
                let caller = self.publisher(call, user, seen)?;
                self.publish(call, caller, books)
            }
            ("POST", [id, "repost"]) => {
                let caller = self.publisher(call, "me", seen)?;
                self.repost(call, caller, id, books)
            }
            ("GET", [user, "threads"]) => {
                let caller = self.authorize(call, &[], seen)?;
                self.list(call, caller, user, nodes::Listed::Posts)
            }
            ("GET", [user, "replies"]) => {
                let caller = self.authorize(call, &["threads_read_replies"], seen)?;
                self.list(call, caller, user, nodes::Listed::Replies)
            }
            ("GET", [user, "threads_publishing_limit"]) => {
                let caller = self.authorize(call, &[], seen)?;
                self.own(user, caller)?;
                self.quota(call, caller)
            }
            ("GET", [id]) => {
                let caller = self.authorize(call, &[], seen)?;
                self.node(call, caller, id)
            }
            ("DELETE", [id]) => {
                let caller = self.authorize(call, &["threads_delete"], seen)?;
                self.delete(call, caller, id, books)
            }
            _ => Err(unknown_path(call)),
        }
    }

    fn publisher(
        &mut self,
        call: &Call,
        user: &str,
        seen: &mut Option<Reading>,
    ) -> Result<Caller, Answer> {
        let caller = self.authorize(call, &["threads_content_publish"], seen)?;
        self.own(user, caller)?;
        Ok(caller)
    }

    /// Whoever a live token with these scopes and `threads_basic` stands for.
    fn authorize(
        &mut self,
        call: &Call,
        scopes: &[&str],
        seen: &mut Option<Reading>,
    ) -> Result<Caller, Answer> {
        let token = token_of(call).unwrap_or_default();
        let caller = match self.grants.judge(&token, call.now) {
            Worth::Live { grant, account: Some(account) } => Caller { account, grant },
            Worth::Expired => return Err(bad_token(Some(463), "Session has expired.")),
            Worth::Revoked => {
                let text = "The user has not authorized application.";
                return Err(bad_token(Some(458), text));
            }
            Worth::Live { account: None, .. } | Worth::Unknown => {
                return Err(bad_token(None, "Cannot parse access token"));
            }
        };
        let reading = self.meter.spend(caller.account, &CALLS, 1, call.now);
        *seen = Some(reading);
        if reading.room == Room::Exceeded {
            return Err(too_many());
        }
        for scope in ["threads_basic"].iter().chain(scopes) {
            self.demand(caller, scope)?;
        }
        Ok(caller)
    }

    fn demand(&self, caller: Caller, scope: &str) -> Result<(), Answer> {
        let granted = self.grants.scopes(caller.grant);
        match granted.iter().any(|granted| granted == scope) {
            true => Ok(()),
            false => Err(permission(&format!("This action needs the permission {scope}"))),
        }
    }

    /// `me`, or the id behind the token; nobody acts for somebody else.
    fn own(&self, user: &str, caller: Caller) -> Result<(), Answer> {
        match user == "me" || user == self.people.get(caller.account).id {
            true => Ok(()),
            false => Err(missing(user)),
        }
    }

    fn permalink(&self, shortcode: &str, books: &Books) -> Reply {
        let id = self.shortcodes.get(shortcode).map(u64::to_string);
        match id.and_then(|id| books.ledger.find(Platform::Threads, &id)) {
            Some(entry) => Ok(Answer::redirect(&format!("/#post-{}", entry.sequence))),
            None => Err(missing(shortcode)),
        }
    }
}

impl Simulation for Threads {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, below_version(&segments)) {
            (_, ["oauth", "authorize"] | [_, "post", _]) => None,
            ("GET", [handle]) if handle.starts_with('@') => None,
            (_, ["oauth", ..] | ["access_token"] | ["refresh_access_token"]) => {
                Some(Operation::Token)
            }
            ("POST", [_, "threads"]) if parameters::publishes_at_once(call) => {
                Some(Operation::Publish)
            }
            ("POST", [_, "threads"]) => Some(Operation::Upload),
            ("POST", _) => Some(Operation::Publish),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let account = match token_of(call) {
            Some(token) => self.grants.account(self.grants.behind(&token)?)?,
            None => self.codes.account(&parameters::text(&call.parameters(), "code")?)?,
        };
        Some(self.people.get(account).handle.clone())
    }

    fn fetches(&self, call: &Call) -> Vec<String> {
        let (method, segments) = call.route();
        let creates = method == "POST" && matches!(below_version(&segments), [_, "threads"]);
        let token = token_of(call).unwrap_or_default();
        // Nobody without a token sends the crawler anywhere.
        if !creates || !matches!(self.grants.judge(&token, call.now), Worth::Live { .. }) {
            return Vec::new();
        }
        let given = call.parameters();
        let urls = ["image_url", "video_url"].map(|name| parameters::text(&given, name));
        urls.into_iter().flatten().filter(|url| url.starts_with("http")).collect()
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut seen = None;
        let answer = match self.route(call, books, &mut seen) {
            Ok(answer) | Err(answer) => answer,
        };
        match seen {
            Some(reading) => {
                let used = (reading.limit - reading.remaining) * 100 / reading.limit;
                answer.with("x-app-usage", usage(used).to_string())
            }
            None => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None) => {
                refusal(400, 100, None, "Matching code was not found or was already used")
            }
            (_, None) => refusal(400, 100, None, "Invalid parameter"),
            (_, Some(401)) => bad_token(None, "Cannot parse access token"),
            (_, Some(403)) => permission("Application does not have permission for this action"),
            (_, Some(404)) => missing("0"),
            (_, Some(429)) => too_many(),
            (_, Some(status @ 500..)) => {
                let text = "An unexpected error has occurred. Please retry your request later.";
                refusal(status, 2, None, text)
            }
            (_, Some(status)) => refusal(status, 100, None, "Refused by the sandbox"),
        }
    }

    /// Never with a Retry-After: Meta tells percentages, and minutes beside them.
    fn throttled(&self, call: &Call, retry_after: Option<Duration>) -> Answer {
        let wait = retry_after.unwrap_or(Duration::from_secs(60 * 60));
        let account = token_of(call).and_then(|token| self.grants.behind(&token));
        let account = account.and_then(|grant| self.grants.account(grant));
        let mut spent = usage(100);
        spent["type"] = json!("threads");
        spent["estimated_time_to_regain_access"] = json!(wait.as_secs().div_ceil(60));
        let mut business = json!({});
        business[account.map_or("0", |account| self.people.get(account).id.as_str())] =
            json!([spent]);
        too_many()
            .with("x-app-usage", usage(100).to_string())
            .with("x-business-use-case-usage", business.to_string())
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = token_of(call) {
            self.grants.expire(&token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        let token = token_of(call);
        if let Some(grant) = token.and_then(|token| self.grants.behind(&token)) {
            self.grants.revoke(grant);
        }
    }
}

/// The Postman collection calls without a version, the pages with one; both are answered.
fn below_version<'a, 'b>(segments: &'b [&'a str]) -> &'b [&'a str] {
    match segments {
        ["v1.0", below @ ..] => below,
        all => all,
    }
}

fn token_of(call: &Call) -> Option<String> {
    let sent = call.bearer().map(str::to_owned);
    sent.or_else(|| parameters::text(&call.parameters(), "access_token"))
}

fn usage(percent: u64) -> Value {
    json!({ "call_count": percent, "total_time": percent / 2, "total_cputime": percent / 2 })
}

/// Meta's error envelope.
fn refusal(status: u16, code: u64, subcode: Option<u64>, message: &str) -> Answer {
    let mut error = json!({
        "message": message, "type": "OAuthException", "code": code,
        "is_transient": matches!(code, 1 | 2 | 4), "fbtrace_id": "AsandboxTrace",
    });
    if let Some(subcode) = subcode {
        error["error_subcode"] = json!(subcode);
    }
    Answer::json(status, &json!({ "error": error }))
}

fn invalid(message: &str) -> Answer {
    refusal(400, 100, None, &format!("(#100) {message}"))
}

fn bad_token(subcode: Option<u64>, reason: &str) -> Answer {
    refusal(401, 190, subcode, &format!("Error validating access token: {reason}"))
}

fn permission(message: &str) -> Answer {
    refusal(403, 10, None, &format!("(#10) {message}"))
}

fn too_many() -> Answer {
    refusal(403, 4, None, "(#4) Application request limit reached")
}

fn missing(id: &str) -> Answer {
    let text = format!(
        "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to \
         missing permissions, or does not support this operation"
    );
    refusal(400, 100, Some(33), &text)
}

fn unknown_path(call: &Call) -> Answer {
    let path = call.segments.join("/");
    refusal(400, 2_500, None, &format!("(#2500) Unknown path components: /{path}"))
}

/// As Meta writes instants: `2026-11-21T09:00:00+0000`.
fn stamp(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{}+0000", text.get(..19).unwrap_or(&text))
}
