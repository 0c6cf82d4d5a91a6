//! X: API v2 by its OpenAPI description 2.167 (August 2026) and docs.x.com, read 2026-07-02.
//!
//! Invariants: a refresh token works once, and using it again ends the grant; the same text is not
//! accepted twice from one account in one place within the duplicate window.

mod draft;
mod media;
mod posts;
mod signin;
mod words;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    consent::Codes,
    faults::Operation,
    grants::{Grants, Worth},
    meter::{Meter, Reading, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{media::Media, posts::Post};

/// Milliseconds between 1970 and the beginning of X's ids.
const EPOCH: u64 = 1_288_834_974_657;
const QUARTER: u64 = 15 * 60;

/// Per user and 15 minutes: docs.x.com, fundamentals, rate limits, read 2026-07-02.
const POST: Rule = Rule::new("POST /2/tweets", 100, QUARTER);
const DELETE: Rule = Rule::new("DELETE /2/tweets/:id", 50, QUARTER);
const LOOKUP: Rule = Rule::new("GET /2/tweets/:id", 900, QUARTER);
const LOOKUPS: Rule = Rule::new("GET /2/tweets", 5_000, QUARTER);
const TIMELINE: Rule = Rule::new("GET /2/users/:id/tweets", 900, QUARTER);
const ME: Rule = Rule::new("GET /2/users/me", 75, QUARTER);
const UPLOAD: Rule = Rule::new("POST /2/media/upload", 500, QUARTER);
const STATUS: Rule = Rule::new("GET /2/media/upload", 1_000, QUARTER);
const INITIALIZE: Rule = Rule::new("POST /2/media/upload/initialize", 1_875, QUARTER);
const APPEND: Rule = Rule::new("POST /2/media/upload/:id/append", 1_875, QUARTER);
const FINALIZE: Rule = Rule::new("POST /2/media/upload/:id/finalize", 1_875, QUARTER);
const METADATA: Rule = Rule::new("POST /2/media/metadata", 500, QUARTER);

pub(crate) struct X {
    meter: Meter,
    people: People,
    codes: Codes,
    grants: Grants,
    media: HashMap<u64, Media>,
    posts: HashMap<u64, Post>,
    /// Post ids of an account, oldest first.
    timelines: HashMap<usize, Vec<u64>>,
    /// By account, text and the post that is answered: the last post that said so.
    said: HashMap<(usize, String, Option<u64>), u64>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;
type MediaCall = fn(&mut X, &Call, &str, usize, &mut Books) -> Reply;

impl X {
    pub(crate) fn new(meter: Meter) -> X {
        X {
            meter,
            people: People::default(),
            codes: Codes::default(),
            grants: Grants::default(),
            media: HashMap::new(),
            posts: HashMap::new(),
            timelines: HashMap::new(),
            said: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, seen: &mut Option<Reading>) -> Reply {
        let (method, segments) = call.route();
        let read = ["tweet.read", "users.read"];
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["i", "oauth2", "authorize"]) => Ok(self.consent(call, books)),
            ("POST", ["2", "oauth2", "token"]) => self.token(call, books),
            ("POST", ["2", "oauth2", "revoke"]) => self.revoke_token(call),
            ("GET", [_]) => Ok(Answer::redirect("/#x")),
            ("GET", [_, "status", id] | ["i", "web", "status", id]) => Ok(permalink(id, books)),
            ("GET", ["2", "users", "me"]) => {
                let account = self.authorize(call, &read, &ME, seen)?;
                Ok(self.me(call, account))
            }
            ("GET", ["2", "users", id, "tweets"]) => {
                self.authorize(call, &read, &TIMELINE, seen)?;
                self.timeline(call, id)
            }
            ("POST", ["2", "tweets"]) => {
                let scopes = ["tweet.write", "tweet.read", "users.read"];
                let account = self.authorize(call, &scopes, &POST, seen)?;
                self.create(call, account, books)
            }
            ("GET", ["2", "tweets"]) => {
                self.authorize(call, &read, &LOOKUPS, seen)?;
                self.several(call)
            }
            ("GET", ["2", "tweets", id]) => {
                self.authorize(call, &read, &LOOKUP, seen)?;
                self.single(call, id)
            }
            ("DELETE", ["2", "tweets", id]) => {
                let account = self.authorize(call, &["tweet.write"], &DELETE, seen)?;
                self.delete(call, id, account, books)
            }
            (_, ["2", "media", ..]) => self.media_route(call, books, seen),
            _ => Err(not_found()),
        }
    }

    fn media_route(&mut self, call: &Call, books: &mut Books, seen: &mut Option<Reading>) -> Reply {
        let (method, segments) = call.route();
        let (rule, done): (&Rule, MediaCall) = match (method, &segments[2..]) {
            ("POST", ["upload"]) => (&UPLOAD, X::one_shot),
            ("GET", ["upload"]) => (&STATUS, X::status),
            ("POST", ["upload", "initialize"]) => (&INITIALIZE, X::initialize),
            ("POST", ["upload", _, "append"]) => (&APPEND, X::append),
            ("POST", ["upload", _, "finalize"]) => (&FINALIZE, X::finalize),
            ("POST", ["metadata"]) => (&METADATA, X::metadata),
            _ => return Err(not_found()),
        };
        let account = self.authorize(call, &["media.write"], rule, seen)?;
        let id = segments.get(3).copied().unwrap_or_default();
        done(self, call, id, account, books)
    }

    /// The account of a live token that carries all of the scopes. Takes from the rate limit.
    fn authorize(
        &mut self,
        call: &Call,
        scopes: &[&str],
        rule: &Rule,
        seen: &mut Option<Reading>,
    ) -> Result<usize, Answer> {
        let token = call.bearer().unwrap_or_default();
        let (grant, account) = match self.grants.judge(token, call.now) {
            Worth::Live { grant, account: Some(account) } => (grant, account),
            Worth::Live { account: None, .. }
            | Worth::Expired
            | Worth::Revoked
            | Worth::Unknown => return Err(unauthorized()),
        };
        let reading = self.meter.spend(account, rule, 1, call.now);
        *seen = Some(reading);
        if reading.room == Room::Exceeded {
            return Err(too_many());
        }
        let granted = self.grants.scopes(grant);
        let carries = |scope: &&str| granted.iter().any(|granted| granted == scope);
        match scopes.iter().all(carries) {
            true => Ok(account),
            false => Err(forbidden(
                "Your client app is not configured with the appropriate oauth2 scopes for this \
                 endpoint.",
            )),
        }
    }

    fn token_of(call: &Call) -> Option<String> {
        if let Some(token) = call.bearer() {
            return Some(token.to_owned());
        }
        let parameters = call.parameters();
        let token = parameters["refresh_token"].as_str();
        token.or(parameters["token"].as_str()).map(str::to_owned)
    }
}

impl Simulation for X {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, [_] | ["i", ..] | [_, "status", _]) => None,
            (_, ["2", "oauth2", ..]) => Some(Operation::Token),
            ("POST", ["2", "tweets"]) => Some(Operation::Publish),
            ("POST", ["2", "media", ..]) => Some(Operation::Upload),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let account = match X::token_of(call) {
            Some(token) => self.grants.account(self.grants.behind(&token)?)?,
            None => self.codes.account(call.parameters()["code"].as_str()?)?,
        };
        Some(self.people.get(account).handle.clone())
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut seen = None;
        let answer = match self.route(call, books, &mut seen) {
            Ok(answer) | Err(answer) => answer,
        };
        match seen {
            Some(reading) => with_limit(answer, reading.limit, reading.remaining, reading.reset),
            None => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None) => signin::invalid_token(),
            (_, None | Some(403)) => not_permitted(),
            (_, Some(400)) => invalid("Refused by the sandbox", &json!({})),
            (_, Some(401)) => unauthorized(),
            (_, Some(402)) => {
                let text = "Your enrolled account does not have any credits to fulfill this \
                            request.";
                plain_problem(402, "CreditsDepleted", text)
            }
            (_, Some(404)) => not_found(),
            (_, Some(429)) => too_many(),
            (_, Some(503)) => plain_problem(503, "Service Unavailable", "Service Unavailable"),
            (_, Some(status @ 500..)) => {
                plain_problem(status, "Internal Server Error", "Internal Server Error")
            }
            (_, Some(status)) => plain_problem(status, "Refused", "Refused by the sandbox"),
        }
    }

    fn throttled(&self, call: &Call, retry_after: Option<Duration>) -> Answer {
        let wait = retry_after.unwrap_or(POST.window);
        with_limit(too_many(), POST.most, 0, call.now.after(wait))
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = X::token_of(call) {
            self.grants.expire(&token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        let token = X::token_of(call);
        if let Some(grant) = token.and_then(|token| self.grants.behind(&token)) {
            self.grants.revoke(grant);
        }
    }
}

/// Never with a Retry-After: X sends none.
fn with_limit(answer: Answer, limit: u64, remaining: u64, reset: Timestamp) -> Answer {
    answer
        .with("x-rate-limit-limit", limit.to_string())
        .with("x-rate-limit-remaining", remaining.to_string())
        .with("x-rate-limit-reset", reset.0.div_ceil(1_000).to_string())
}

fn problem(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/problem+json", body.to_string())
}

fn plain_problem(status: u16, title: &str, detail: &str) -> Answer {
    let body = json!({ "title": title, "detail": detail, "type": "about:blank",
        "status": status });
    problem(status, &body)
}

fn forbidden(detail: &str) -> Answer {
    plain_problem(403, "Forbidden", detail)
}

fn not_permitted() -> Answer {
    forbidden("You are not permitted to perform this action.")
}

fn unauthorized() -> Answer {
    plain_problem(401, "Unauthorized", "Unauthorized")
}

fn too_many() -> Answer {
    plain_problem(429, "Too Many Requests", "Too Many Requests")
}

fn not_found() -> Answer {
    plain_problem(404, "Not Found", "Not Found")
}

/// The type's host is the old one on the wire, whatever the description says.
fn invalid(message: &str, parameters: &Value) -> Answer {
    let body = json!({
        "errors": [{ "parameters": parameters, "message": message }],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    });
    problem(400, &body)
}

fn permalink(id: &str, books: &Books) -> Answer {
    match books.ledger.find(super::Platform::X, id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => not_found(),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{
        Method,
        multipart::{Form, Part},
    };

    use super::*;
    use crate::sandbox::trial::{Trial, VERIFIER, mp4, read, start};

    async fn refresh(trial: &Trial, token: &Value) -> (u16, Value) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
        let request = trial.request(Method::POST, "/x/2/oauth2/token", "");
        let request = request.basic_auth("app", Some("sandbox-secret")).form(&form);
        read(request.send().await.unwrap()).await
    }

    fn access(tokens: &Value) -> &str {
        tokens["access_token"].as_str().unwrap()
    }

    #[tokio::test]
    async fn a_code_needs_its_verifier_works_once_and_lives_30_seconds() {
        let trial = start().await;
        let scope = "tweet.read users.read";
        let code = trial.allow("/x/i/oauth2/authorize", "app", scope).await;
        assert_eq!(trial.x_token(&code, "wrong").await.0, 400);
        let (status, tokens) = trial.x_token(&code, VERIFIER).await;
        assert_eq!(status, 200);
        assert!(tokens["refresh_token"].is_null());
        assert_eq!(trial.x_token(&code, VERIFIER).await.0, 400);
        let code = trial.allow("/x/i/oauth2/authorize", "app", scope).await;
        trial.advance(Duration::from_secs(30));
        assert_eq!(trial.x_token(&code, VERIFIER).await.0, 400);
        let (status, me) = trial.get("/x/2/users/me", access(&tokens)).await;
        assert_eq!((status, &me["data"]["username"]), (200, &json!("alice")));
        let (status, _) = trial.post("/x/2/tweets", access(&tokens), json!({"text": "x"})).await;
        assert_eq!(status, 403);
    }

    #[tokio::test]
    async fn using_a_refresh_token_twice_ends_the_grant() {
        let trial = start().await;
        let first = trial.x().await;
        let (status, second) = refresh(&trial, &first["refresh_token"]).await;
        assert_eq!(status, 200, "{second}");
        assert_eq!(trial.get("/x/2/users/me", access(&second)).await.0, 200);
        assert_eq!(refresh(&trial, &first["refresh_token"]).await.0, 400);
        assert_eq!(refresh(&trial, &second["refresh_token"]).await.0, 400);
        assert_eq!(trial.get("/x/2/users/me", access(&second)).await.0, 401);
    }

    #[tokio::test]
    async fn the_same_text_in_the_same_place_is_a_duplicate() {
        let trial = start().await;
        let tokens = trial.x().await;
        let token = access(&tokens);
        let body = json!({ "text": "hi <b> https://example.com/a" });
        let (status, first) = trial.post("/x/2/tweets", token, body.clone()).await;
        assert_eq!(status, 201, "{first}");
        let (status, again) = trial.post("/x/2/tweets", token, body.clone()).await;
        let wanted = "You are not allowed to create a Tweet with duplicate content.";
        assert_eq!((status, &again["detail"]), (403, &json!(wanted)));
        let mut reply = body;
        reply["reply"] = json!({ "in_reply_to_tweet_id": first["data"]["id"] });
        assert_eq!(trial.post("/x/2/tweets", token, reply).await.0, 201);
        assert_eq!(trial.sandbox.ledger().len(), 2);
        let (_, me) = trial.get("/x/2/users/me", token).await;
        let path = format!(
            "/x/2/users/{}/tweets?tweet.fields=entities,referenced_tweets,conversation_id",
            me["data"]["id"].as_str().unwrap()
        );
        let (_, listed) = trial.get(&path, token).await;
        let newest = &listed["data"][0];
        assert_eq!(newest["referenced_tweets"][0]["id"], first["data"]["id"]);
        assert_eq!(newest["conversation_id"], first["data"]["id"]);
        let url = &newest["entities"]["urls"][0];
        assert_eq!(url["expanded_url"], "https://example.com/a");
        assert!(newest["text"].as_str().unwrap().starts_with("hi &lt;b&gt; https://t.co/"));
    }

    #[tokio::test]
    async fn both_forms_of_a_posts_address_lead_to_it() {
        let trial = start().await;
        let tokens = trial.x().await;
        let (_, made) = trial.post("/x/2/tweets", access(&tokens), json!({ "text": "x" })).await;
        let id = made["data"]["id"].as_str().unwrap();
        for path in [format!("/x/i/web/status/{id}"), format!("/x/alice/status/{id}")] {
            let answer = trial.request(Method::GET, &path, "").send().await.unwrap();
            assert_eq!(answer.headers()["location"], "/#post-1", "{path}");
        }
    }

    #[tokio::test]
    async fn unknown_keys_and_long_texts_are_refused() {
        let trial = start().await;
        let tokens = trial.x().await;
        for (body, wanted) in [
            (json!({ "text": "x", "color": "red" }), 400),
            (json!({ "text": "x", "poll": { "options": ["a", "b"] } }), 400),
            (json!({ "text": "の".repeat(141) }), 403),
            (json!({ "text": "$A and $B" }), 403),
            (json!({ "text": "x", "media": { "media_ids": ["1"] } }), 400),
        ] {
            let (status, answer) = trial.post("/x/2/tweets", access(&tokens), body).await;
            assert_eq!(status, wanted, "{answer}");
        }
    }

    #[tokio::test]
    async fn a_video_is_sent_in_segments_processed_and_attached() {
        let trial = start().await;
        let tokens = trial.x().await;
        let token = access(&tokens);
        let body = json!({ "media_type": "video/mp4", "media_category": "tweet_video",
            "total_bytes": 2_000 });
        let (_, begun) = trial.post("/x/2/media/upload/initialize", token, body).await;
        let id = begun["data"]["id"].as_str().unwrap();
        for (index, part) in mp4().chunks(1_000).enumerate() {
            let form = Form::new()
                .text("segment_index", index.to_string())
                .part("media", Part::bytes(part.to_vec()).file_name("blob"));
            let path = format!("/x/2/media/upload/{id}/append");
            let request = trial.request(Method::POST, &path, token).multipart(form);
            assert_eq!(request.send().await.unwrap().status(), 200);
        }
        let path = format!("/x/2/media/upload/{id}/finalize");
        let request = trial.request(Method::POST, &path, token);
        let (_, done) = read(request.send().await.unwrap()).await;
        assert_eq!(done["data"]["processing_info"]["state"], "pending");
        let post = json!({ "text": "film", "media": { "media_ids": [id] } });
        assert_eq!(trial.post("/x/2/tweets", token, post.clone()).await.0, 400);
        trial.advance(Duration::from_secs(2));
        let path = format!("/x/2/media/upload?command=STATUS&media_id={id}");
        let (_, status) = trial.get(&path, token).await;
        assert_eq!(status["data"]["processing_info"]["state"], "succeeded");
        let (status, answer) = trial.post("/x/2/tweets", token, post).await;
        assert_eq!(status, 201, "{answer}");
    }

    #[tokio::test]
    async fn the_101st_post_is_throttled_without_a_retry_after() {
        let trial = start().await;
        let tokens = trial.x().await;
        for number in 0..100 {
            let body = json!({ "text": format!("n {number}") });
            assert_eq!(trial.post("/x/2/tweets", access(&tokens), body).await.0, 201);
        }
        let request = trial.request(Method::POST, "/x/2/tweets", access(&tokens));
        let response = request.json(&json!({ "text": "more" })).send().await.unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["x-rate-limit-remaining"], "0");
        assert!(response.headers().get("retry-after").is_none());
    }
}
