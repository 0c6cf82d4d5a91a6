//! A Bluesky PDS with its entryway, PLC directory and video service, as the lexicons of August 2026
//! and the reference server (0.5) behave.
//!
//! Invariant: a record key names one record; creating it twice fails, and content decides the CID.

mod cid;
mod directory;
mod lexicon;
mod repository;
mod session;
mod video;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    faults::Operation,
    grants::{Grants, Worth},
    meter::{Meter, Reading, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{
    repository::{Blob, Record},
    video::{Job, ServiceToken},
};

/// "3000 per 5 min" (docs.bsky.app, advanced guides, rate limits, read 2026-07-02). Real hosts
/// count it per address; here all clients share one address, so it is counted per account.
const ALL: Rule = Rule::new("all", 3_000, 5 * 60);
/// Points for writing, same page: create 3, update 2, delete 1.
const WRITES_HOUR: Rule = Rule::new("writes-hour", 5_000, 60 * 60);
const WRITES_DAY: Rule = Rule::new("writes-day", 35_000, 24 * 60 * 60);
const SIGN_INS: Rule = Rule::new("sign-ins", 30, 5 * 60);
const SIGN_INS_DAY: Rule = Rule::new("sign-ins-day", 300, 24 * 60 * 60);

pub(crate) struct Bluesky {
    meter: Meter,
    /// An account's id is its DID.
    people: People,
    /// Set by the first sign-in.
    passwords: HashMap<usize, String>,
    /// One grant per session.
    grants: Grants,
    records: BTreeMap<(usize, String, String), Record>,
    blobs: HashMap<(usize, String), Blob>,
    service_tokens: HashMap<String, ServiceToken>,
    jobs: HashMap<String, Job>,
    last_tid: u64,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Bluesky {
    pub(crate) fn new(meter: Meter) -> Bluesky {
        Bluesky {
            meter,
            people: People::default(),
            passwords: HashMap::new(),
            grants: Grants::default(),
            records: BTreeMap::new(),
            blobs: HashMap::new(),
            service_tokens: HashMap::new(),
            jobs: HashMap::new(),
            last_tid: 0,
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, seen: &mut Vec<Reading>) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", ["plc", did]) => self.did_document(call, did),
            ("GET", ["profile", _]) => Ok(Answer::redirect("/#bluesky")),
            ("GET", ["profile", did, "post", rkey]) => self.permalink(did, rkey, books),
            ("GET", ["xrpc", name]) => self.query(call, name, books, seen),
            ("POST", ["xrpc", name]) => self.procedure(call, name, books, seen),
            _ => Err(error(404, "NotFound", "Not Found")),
        }
    }

    fn query(
        &mut self,
        call: &Call,
        name: &str,
        books: &mut Books,
        seen: &mut Vec<Reading>,
    ) -> Reply {
        match name {
            "_health" => Ok(Answer::json(200, &json!({ "version": "0.5.35" }))),
            "com.atproto.server.describeServer" => Ok(self.describe_server(call)),
            "com.atproto.server.getSession" => {
                let account = self.session(call, seen)?;
                Ok(self.session_json(call, account))
            }
            "com.atproto.server.getServiceAuth" => {
                let account = self.session(call, seen)?;
                self.service_auth(call, account, books)
            }
            "com.atproto.identity.resolveHandle" => self.resolve_handle(call, books),
            "com.atproto.repo.getRecord" => self.get_record(call),
            "com.atproto.repo.listRecords" => self.list_records(call),
            "com.atproto.repo.describeRepo" => self.describe_repo(call),
            "com.atproto.sync.getBlob" => self.get_blob(call),
            "app.bsky.actor.getProfile" => self.profile(call),
            "app.bsky.feed.getPosts" => Ok(self.posts(call)),
            "app.bsky.video.getUploadLimits" => self.upload_limits(call),
            "app.bsky.video.getJobStatus" => self.job_status(call),
            _ if PROCEDURES.contains(&name) => Err(wrong_verb("GET", "POST")),
            _ => Err(error(501, "MethodNotImplemented", "Method Not Implemented")),
        }
    }

    fn procedure(
        &mut self,
        call: &Call,
        name: &str,
        books: &mut Books,
        seen: &mut Vec<Reading>,
    ) -> Reply {
        match name {
            "com.atproto.server.createSession" => self.create_session(call, books, seen),
            "com.atproto.server.createAccount" => self.create_account(call, books),
            "com.atproto.server.refreshSession" => self.refresh_session(call, books),
            "com.atproto.server.deleteSession" => self.delete_session(call),
            "com.atproto.repo.uploadBlob" => {
                let account = self.session(call, seen)?;
                self.upload_blob(call, account, books)
            }
            "com.atproto.repo.createRecord" => {
                let account = self.session(call, seen)?;
                self.create_record(call, account, books, seen)
            }
            "com.atproto.repo.putRecord" => {
                let account = self.session(call, seen)?;
                self.put_record(call, account, books, seen)
            }
            "com.atproto.repo.deleteRecord" => {
                let account = self.session(call, seen)?;
                self.delete_record(call, account, books, seen)
            }
            "app.bsky.video.uploadVideo" => self.upload_video(call, books),
            _ => Err(error(501, "MethodNotImplemented", "Method Not Implemented")),
        }
    }

    /// The account of a live access token. Takes from the rate limit.
    fn session(&mut self, call: &Call, seen: &mut Vec<Reading>) -> Result<usize, Answer> {
        let token =
            call.bearer().ok_or_else(|| error(401, "AuthMissing", "Authentication Required"))?;
        let account = match self.grants.judge(token, call.now) {
            Worth::Live { account, .. } => account,
            // The status is 400, not 401: the reference server answers so.
            Worth::Expired => return Err(error(400, "ExpiredToken", "Token has expired")),
            Worth::Revoked | Worth::Unknown => None,
        };
        let account =
            account.ok_or_else(|| error(400, "InvalidToken", "Token could not be verified"))?;
        self.spend(account, &ALL, 1, call.now, seen)?;
        Ok(account)
    }

    fn spend(
        &mut self,
        account: usize,
        rule: &Rule,
        cost: u64,
        now: Timestamp,
        seen: &mut Vec<Reading>,
    ) -> Result<(), Answer> {
        let reading = self.meter.spend(account, rule, cost, now);
        seen.push(reading);
        match reading.room {
            Room::Left => Ok(()),
            Room::Exceeded => Err(error(429, "RateLimitExceeded", "Rate Limit Exceeded")),
        }
    }

    /// By DID or handle.
    fn find(&self, identifier: &str) -> Option<usize> {
        let identifier = identifier.trim_start_matches('@');
        self.people.by_id(identifier).or_else(|| self.people.by_handle(identifier))
    }
}

const PROCEDURES: [&str; 9] = [
    "com.atproto.server.createSession",
    "com.atproto.server.createAccount",
    "com.atproto.server.refreshSession",
    "com.atproto.server.deleteSession",
    "com.atproto.repo.uploadBlob",
    "com.atproto.repo.createRecord",
    "com.atproto.repo.putRecord",
    "com.atproto.repo.deleteRecord",
    "app.bsky.video.uploadVideo",
];

impl Simulation for Bluesky {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (_, segments) = call.route();
        match segments.as_slice() {
            ["profile", ..] => None,
            ["xrpc", name] => Some(match *name {
                "com.atproto.repo.createRecord" | "com.atproto.repo.putRecord" => {
                    Operation::Publish
                }
                "com.atproto.repo.uploadBlob" | "app.bsky.video.uploadVideo" => Operation::Upload,
                "com.atproto.repo.deleteRecord" => Operation::Delete,
                "com.atproto.server.createSession"
                | "com.atproto.server.createAccount"
                | "com.atproto.server.refreshSession"
                | "com.atproto.server.deleteSession" => Operation::Token,
                _ => Operation::Read,
            }),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let account = match call.bearer() {
            Some(token) => match self.service_tokens.get(token) {
                Some(service) => service.account,
                None => self.grants.account(self.grants.behind(token)?)?,
            },
            None => {
                let body = call.json()?;
                let identifier = body["identifier"].as_str().or(body["handle"].as_str())?;
                match self.find(identifier) {
                    Some(account) => account,
                    None => return Some(identifier.to_owned()),
                }
            }
        };
        Some(self.people.get(account).handle.clone())
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut seen = Vec::new();
        let answer = match self.route(call, books, &mut seen) {
            Ok(answer) | Err(answer) => answer,
        };
        match seen.iter().min_by_key(|reading| reading.remaining) {
            Some(reading) => with_limit(answer, reading),
            None => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None | Some(401)) => {
                error(401, "AuthenticationRequired", "Invalid identifier or password")
            }
            (_, None) => error(400, "InvalidRequest", "Refused by the sandbox"),
            (_, Some(401)) => error(401, "AuthMissing", "Authentication Required"),
            (_, Some(403)) => error(403, "Forbidden", "Forbidden"),
            (_, Some(404)) => error(404, "NotFound", "Not Found"),
            (_, Some(413)) => error(413, "PayloadTooLarge", "request entity too large"),
            (_, Some(429)) => error(429, "RateLimitExceeded", "Rate Limit Exceeded"),
            (_, Some(502)) => error(502, "UpstreamFailure", "Upstream Failure"),
            (_, Some(503)) => error(503, "NotEnoughResources", "Not Enough Resources"),
            (_, Some(504)) => error(504, "UpstreamTimeout", "Upstream Timeout"),
            (_, Some(status @ 500..)) => {
                error(status, "InternalServerError", "Internal Server Error")
            }
            (_, Some(status)) => error(status, "InvalidRequest", "Refused by the sandbox"),
        }
    }

    fn throttled(&self, call: &Call, retry_after: Option<Duration>) -> Answer {
        let wait = retry_after.unwrap_or(ALL.window);
        let reading = Reading {
            limit: ALL.most,
            remaining: 0,
            reset: call.now.after(wait),
            window: ALL.window,
            room: Room::Exceeded,
        };
        let answer = error(429, "RateLimitExceeded", "Rate Limit Exceeded");
        let answer = with_limit(answer, &reading);
        match retry_after {
            // The reference server sends none (observed on 0.4.217); hosted ones are said to.
            None => answer,
            Some(wait) => answer.with("retry-after", wait.as_secs().to_string()),
        }
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = call.bearer() {
            self.grants.expire(token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        let grant = call.bearer().and_then(|token| self.grants.behind(token));
        if let Some(grant) = grant {
            self.grants.revoke(grant);
        }
    }
}

fn with_limit(answer: Answer, reading: &Reading) -> Answer {
    let policy = format!("{};w={}", reading.limit, reading.window.as_secs());
    answer
        .with("ratelimit-limit", reading.limit.to_string())
        .with("ratelimit-remaining", reading.remaining.to_string())
        .with("ratelimit-reset", (reading.reset.0 / 1_000).to_string())
        .with("ratelimit-policy", policy)
}

fn error(status: u16, name: &str, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": name, "message": message }))
}

fn invalid(message: &str) -> Answer {
    error(400, "InvalidRequest", message)
}

fn wrong_verb(used: &str, expected: &str) -> Answer {
    let text = format!("Incorrect HTTP method ({used}) expected {expected}");
    error(405, "InvalidRequest", &text)
}

/// The JSON object that a procedure takes.
fn input(call: &Call) -> Result<Value, Answer> {
    if !call.content_type().starts_with("application/json") {
        let text = "Wrong request encoding (Content-Type): expected application/json";
        return Err(invalid(text));
    }
    let body = call.json().filter(Value::is_object);
    body.ok_or_else(|| invalid("Input must be an object"))
}

/// A string that the input must have.
fn required<'a>(body: &'a Value, name: &str) -> Result<&'a str, Answer> {
    body[name].as_str().ok_or_else(|| invalid(&format!("Input must have the property \"{name}\"")))
}

/// A parameter that the query must have.
fn parameter<'a>(call: &'a Call, name: &str) -> Result<&'a str, Answer> {
    call.query(name).ok_or_else(|| invalid(&format!("Params must have the property \"{name}\"")))
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;
    use crate::sandbox::trial::{mp4, png, read, start};

    const CREATE: &str = "/bluesky/xrpc/com.atproto.repo.createRecord";

    fn post(session: &Value, rkey: &str, text: &str) -> Value {
        json!({
            "repo": session["did"], "collection": "app.bsky.feed.post", "rkey": rkey,
            "record": { "$type": "app.bsky.feed.post", "text": text,
                "createdAt": "2026-11-21T10:00:00.000Z" },
        })
    }

    fn access(session: &Value) -> &str {
        session["accessJwt"].as_str().unwrap()
    }

    #[tokio::test]
    async fn a_record_key_names_one_record() {
        let trial = start().await;
        let session = trial.bluesky().await;
        let body = post(&session, "3l6oveex3ii2l", "hi");
        let (status, first) = trial.post(CREATE, access(&session), body.clone()).await;
        assert_eq!(status, 200, "{first}");
        let (status, again) = trial.post(CREATE, access(&session), body.clone()).await;
        assert_eq!((status, &again["error"]), (500, &json!("InternalServerError")));
        let put = "/bluesky/xrpc/com.atproto.repo.putRecord";
        let (status, same) = trial.post(put, access(&session), body).await;
        assert_eq!((status, &same["cid"]), (200, &first["cid"]));
        assert_eq!(trial.sandbox.ledger().len(), 1);
        let did = session["did"].as_str().unwrap();
        let get = format!(
            "/bluesky/xrpc/com.atproto.repo.getRecord?repo={did}&collection=app.bsky.feed.post"
        );
        assert_eq!(trial.get(&format!("{get}&rkey=3l6oveex3ii2l"), "").await.0, 200);
        let (status, body) = trial.get(&format!("{get}&rkey=3l6oveex3ii2m"), "").await;
        assert_eq!((status, &body["error"]), (400, &json!("RecordNotFound")));
    }

    #[tokio::test]
    async fn posts_that_break_the_lexicon_are_refused() {
        let trial = start().await;
        let session = trial.bluesky().await;
        let long = post(&session, "3l6oveex3ii2l", &"x".repeat(301));
        let (status, body) = trial.post(CREATE, access(&session), long).await;
        assert!(status == 400 && body["message"].as_str().unwrap().contains("300 graphemes"));
        let key = post(&session, "mine", "x");
        assert_eq!(trial.post(CREATE, access(&session), key).await.0, 400);
        let mut reply = post(&session, "3l6oveex3ii2l", "x");
        let nowhere = json!({ "uri": "at://did:plc:a/app.bsky.feed.post/3l6oveex3ii2l",
            "cid": "bafyreia" });
        reply["record"]["reply"] = json!({ "root": nowhere, "parent": nowhere });
        assert_eq!(trial.post(CREATE, access(&session), reply).await.0, 400);
        let mut image = post(&session, "3l6oveex3ii2l", "x");
        let blob = json!({ "$type": "blob", "ref": { "$link": cid::of_blob(b"no") },
            "mimeType": "image/png", "size": 2 });
        image["record"]["embed"] = json!({ "$type": "app.bsky.embed.images",
            "images": [{ "alt": "", "image": blob }] });
        let (_, body) = trial.post(CREATE, access(&session), image).await;
        assert_eq!(body["error"], "BlobNotFound");
        assert!(trial.sandbox.ledger().is_empty());
    }

    #[tokio::test]
    async fn an_uploaded_image_is_shown_with_its_alt_text() {
        let trial = start().await;
        let session = trial.bluesky().await;
        let path = "/bluesky/xrpc/com.atproto.repo.uploadBlob";
        let request = trial.request(Method::POST, path, access(&session));
        let request = request.header("content-type", "image/png").body(png());
        let (_, uploaded) = read(request.send().await.unwrap()).await;
        let link = uploaded["blob"]["ref"]["$link"].as_str().unwrap();
        assert!(link.starts_with("bafkrei"));
        let mut body = post(&session, "3l6oveex3ii2l", "");
        body["record"]["embed"] = json!({ "$type": "app.bsky.embed.images",
            "images": [{ "alt": "a dot", "image": uploaded["blob"] }] });
        let (status, answer) = trial.post(CREATE, access(&session), body).await;
        assert_eq!(status, 200, "{answer}");
        let entry = &trial.sandbox.ledger()[0];
        assert_eq!((entry.media[0].kind, &*entry.media[0].alt), ("image", "a dot"));
    }

    #[tokio::test]
    async fn a_video_goes_through_its_states_and_is_known_when_it_comes_again() {
        let trial = start().await;
        let session = trial.bluesky().await;
        let did = session["did"].as_str().unwrap();
        let query = "aud=did:web:127.0.0.1&lxm=com.atproto.repo.uploadBlob";
        let path = format!("/bluesky/xrpc/com.atproto.server.getServiceAuth?{query}");
        let (_, service) = trial.get(&path, access(&session)).await;
        let path = format!("/bluesky/xrpc/app.bsky.video.uploadVideo?did={did}&name=a.mp4");
        let upload = async || {
            let token = service["token"].as_str().unwrap();
            let request = trial.request(Method::POST, &path, token);
            let request = request.header("content-type", "video/mp4").body(mp4());
            read(request.send().await.unwrap()).await
        };
        let (status, job) = upload().await;
        assert_eq!((status, &job["state"]), (200, &json!("JOB_STATE_CREATED")));
        assert_eq!(upload().await.0, 409);
        trial.advance(Duration::from_secs(2));
        let id = job["jobId"].as_str().unwrap();
        let path = format!("/bluesky/xrpc/app.bsky.video.getJobStatus?jobId={id}");
        let (_, done) = trial.get(&path, "").await;
        assert_eq!(done["jobStatus"]["state"], "JOB_STATE_COMPLETED");
        let mut body = post(&session, "3l6oveex3ii2l", "film");
        let video = &done["jobStatus"]["blob"];
        body["record"]["embed"] = json!({ "$type": "app.bsky.embed.video", "video": video });
        assert_eq!(trial.post(CREATE, access(&session), body).await.0, 200);
    }
}
