//! What Pleroma and Akkoma do differently with `Idempotency-Key`, as of 2026-11-21.
//!
//! Unconfirmed: how long an answer is kept, and the limits that this server tells of itself.

use std::time::Duration;

use super::{Answer, Books, Call, Caller, Mastodon};

/// Of Pleroma's keys, which are of nobody in particular.
const ANSWER_LIFE: Duration = Duration::from_secs(6 * 60 * 60);

impl Mastodon {
    /// The whole first answer to a key is kept, errors too, and a repetition says that it is one.
    pub(super) fn create_or_repeat(
        &mut self,
        call: &Call,
        caller: Caller,
        books: &mut Books,
    ) -> Answer {
        let key = call.header("idempotency-key").map(str::to_owned);
        let known = key.as_ref().and_then(|key| self.answers.get(key));
        if let Some((status, said, at)) = known
            && at.elapsed(call.now) < ANSWER_LIFE
        {
            return Answer::json(*status, said).with("idempotent-replayed", "true");
        }
        let answer = match self.create(call, caller, books) {
            Ok(answer) | Err(answer) => answer,
        };
        if let Some(key) = key {
            let kept = (answer.status.as_u16(), answer.said(), call.now);
            self.answers.insert(key, kept);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sandbox::trial::{BACK, VERIFIER, read, start};

    #[tokio::test]
    async fn pleroma_gives_its_first_answer_to_a_key_again_also_if_it_was_a_refusal() {
        let trial = start().await;
        let app = json!({ "client_name": "Fanfare", "redirect_uris": BACK,
            "scopes": "read write" });
        let (_, app) = trial.post("/pleroma/api/v1/apps", "", app).await;
        let id = app["client_id"].as_str().unwrap();
        let code = trial.allow("/pleroma/oauth/authorize", id, "read write").await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("client_id", id),
            ("client_secret", app["client_secret"].as_str().unwrap()),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        let (_, token) = trial.form("/pleroma/oauth/token", &form).await;
        let token = token["access_token"].as_str().unwrap();
        let post = async |key: &str, text: &str| {
            let path = "/pleroma/api/v1/statuses";
            let request = trial.request(reqwest::Method::POST, path, token);
            let request = request.header("Idempotency-Key", key).json(&json!({ "status": text }));
            let response = request.send().await.unwrap();
            let repeated = response.headers().contains_key("idempotent-replayed");
            let (status, body) = read(response).await;
            (status, body["id"].clone(), repeated)
        };
        let first = post("one", "Hello").await;
        assert!(first.0 == 200 && !first.2);
        assert_eq!(post("one", "Hello").await, (200, first.1.clone(), true));
        assert_eq!(post("two", "").await.0, 422);
        assert_eq!(post("two", "Now with words").await, (422, Value::Null, true));
        assert_eq!(trial.sandbox.ledger().len(), 1);
        trial.advance(Duration::from_secs(6 * 60 * 60));
        let later = post("one", "Hello").await;
        assert!(later.0 == 200 && later.1 != first.1);
        let (_, node) = trial.get("/pleroma/nodeinfo/2.0", "").await;
        assert_eq!(node["software"]["name"], "pleroma");
    }
}
