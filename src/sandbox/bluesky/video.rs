//! The video service, and the tokens with which the PDS vouches for its accounts there.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{domain::time::Timestamp, sandbox::shelf};

use super::{
    Answer, Bluesky, Books, Call, Reply, cid, error, invalid, parameter,
    repository::Blob,
    session::{from_seconds, jwt},
};

pub(super) struct ServiceToken {
    pub(super) account: usize,
    method: Option<String>,
    expires_at: Timestamp,
}

pub(super) struct Job {
    account: usize,
    began: Timestamp,
    fate: Fate,
}

enum Fate {
    Completed(Value),
    /// The bytes are no video.
    Failed,
}

const UPLOAD: &str = "com.atproto.repo.uploadBlob";
const LIMITS: &str = "app.bsky.video.getUploadLimits";

/// What happens to a video, and until when after its upload.
const STATES: [(&str, u64); 5] = [
    ("JOB_STATE_CREATED", 200),
    ("JOB_STATE_ENCODING", 1_000),
    ("JOB_STATE_SCANNING", 1_300),
    ("JOB_STATE_SCANNED", 1_500),
    ("JOB_STATE_UPLOADING", 1_800),
];

impl Bluesky {
    pub(super) fn service_auth(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let audience = parameter(call, "aud")?;
        if !audience.starts_with("did:") {
            return Err(invalid("Error: Params/aud must be a valid did"));
        }
        let method = call.query("lxm").map(str::to_owned);
        // "exp <= 1 h; <= 1 min without lxm" (com.atproto.server.getServiceAuth, August 2026).
        let most = match method {
            Some(_) => Duration::from_secs(60 * 60),
            None => Duration::from_secs(60),
        };
        let expires_at = match call.query("exp") {
            None => call.now.after(Duration::from_secs(60)),
            Some(text) => {
                let seconds = text.parse();
                from_seconds(seconds.map_err(|_| invalid("Params/exp must be an integer"))?)
            }
        };
        if expires_at < call.now {
            return Err(error(400, "BadExpiration", "expiration is in past"));
        }
        if expires_at > call.now.after(most).after(Duration::from_secs(1)) {
            let text = "cannot request a token with an expiration more than an hour in the future";
            return Err(error(400, "BadExpiration", text));
        }
        let claims = json!({
            "iss": self.people.get(account).id, "aud": audience, "lxm": method,
            "iat": call.now.0 / 1_000, "exp": expires_at.0 / 1_000,
            "jti": books.chance.word(22),
        });
        let token = jwt("JWT", &claims);
        let service = ServiceToken { account, method, expires_at };
        self.service_tokens.insert(token.clone(), service);
        Ok(Answer::json(200, &json!({ "token": token })))
    }

    fn vouched(&self, call: &Call, method: &str) -> Result<usize, Answer> {
        let token = call.bearer().and_then(|token| self.service_tokens.get(token));
        let token = token.ok_or_else(|| error(401, "AuthMissing", "missing or unknown token"))?;
        if token.expires_at < call.now {
            return Err(error(401, "JwtExpired", "jwt expired"));
        }
        match &token.method {
            Some(allowed) if allowed == method => Ok(token.account),
            Some(_) | None => {
                let text = format!("bad jwt lexicon method (\"lxm\"). must match: {method}");
                Err(error(401, "BadJwtLexiconMethod", &text))
            }
        }
    }

    pub(super) fn upload_limits(&self, call: &Call) -> Reply {
        self.vouched(call, LIMITS)?;
        let body = json!({ "canUpload": true, "remainingDailyVideos": 25,
            "remainingDailyBytes": 10_000_000_000u64 });
        Ok(Answer::json(200, &body))
    }

    pub(super) fn upload_video(&mut self, call: &Call, books: &mut Books) -> Reply {
        let account = self.vouched(call, UPLOAD)?;
        let did = &self.people.get(account).id;
        if parameter(call, "did")? != did {
            return Err(error(401, "AuthenticationRequired", "the token is of another account"));
        }
        parameter(call, "name")?;
        if call.content_type() != "video/mp4" {
            return Err(invalid("Wrong request encoding (Content-Type): expected video/mp4"));
        }
        let link = cid::of_blob(&call.body);
        let known = self.jobs.get(&link).filter(|job| job.account == account);
        if let Some(job) = known {
            let mut body = self.job_json(call, &link, job);
            body["error"] = json!("already_exists");
            body["message"] = json!("Video already processed");
            return Err(Answer::json(409, &body));
        }
        let fate = match shelf::sniff(&call.body) {
            mime @ "video/mp4" => {
                let kept = books.shelf.keep(mime, vec![call.body.clone()]);
                let full = |shelf::Full| error(413, "PayloadTooLarge", "the sandbox is full");
                let blob = Blob {
                    mime: mime.to_owned(),
                    size: call.body.len(),
                    shelf: kept.map_err(full)?,
                };
                let reference = blob.to_json(&link);
                self.blobs.insert((account, link.clone()), blob);
                Fate::Completed(reference)
            }
            _ => Fate::Failed,
        };
        let job = Job { account, began: call.now, fate };
        // Flat, as the deployed service answers; the lexicon would wrap it.
        let answer = Answer::json(200, &self.job_json(call, &link, &job));
        self.jobs.insert(link, job);
        Ok(answer)
    }

    pub(super) fn job_status(&self, call: &Call) -> Reply {
        let id = parameter(call, "jobId")?;
        let job = self.jobs.get(id).ok_or_else(|| invalid("Job not found"))?;
        let status = self.job_json(call, id, job);
        Ok(Answer::json(200, &json!({ "jobStatus": status })))
    }

    fn job_json(&self, call: &Call, id: &str, job: &Job) -> Value {
        let mut body = json!({ "jobId": id, "did": self.people.get(job.account).id });
        let age = job.began.elapsed(call.now);
        let running = STATES.iter().find(|(_, until)| age < Duration::from_millis(*until));
        match (running, &job.fate) {
            (Some((state, _)), Fate::Completed(_)) => {
                body["state"] = json!(state);
                body["progress"] = json!(age.as_millis() as u64 / 18);
            }
            (None, Fate::Completed(blob)) => {
                body["state"] = json!("JOB_STATE_COMPLETED");
                body["progress"] = json!(100);
                body["blob"] = blob.clone();
            }
            (Some(_), Fate::Failed) => body["state"] = json!("JOB_STATE_CREATED"),
            (None, Fate::Failed) => {
                body["state"] = json!("JOB_STATE_FAILED");
                body["failureCode"] = json!("validation_failure");
                body["error"] = json!("validation_failure");
                body["message"] = json!("The file is not a video");
            }
        }
        body
    }
}
