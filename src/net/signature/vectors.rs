//! Signatures against the vectors that the libraries of Standard Webhooks share, where they lie
//! beside the checkout.

use std::path::Path;

use serde_json::Value;

use super::*;

fn signature(secret: &str, id: &str, seconds: u64, payload: &str) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert(WEBHOOK_ID, HeaderValue::from_str(id).unwrap());
    let (secret, now) = (Secret::new(secret), Timestamp(seconds * 1_000));
    sign(&mut headers, payload.as_bytes(), &secret, now).ok()?;
    assert_eq!(headers["webhook-timestamp"], seconds.to_string());
    Some(headers["webhook-signature"].to_str().unwrap().to_owned())
}

#[test]
fn webhooks_are_signed_as_their_vectors_have_it() {
    let path = "../shared/specs/webhook-vectors/standard-webhooks.json";
    let Ok(text) = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)) else {
        eprintln!("skipped: the vectors are not at {path}");
        return;
    };
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    // Those of `v1a` are signed with a key pair, which we do not use.
    for vector in document["vectors"].as_array().unwrap().iter().filter(|it| it["scheme"] == "v1") {
        let text = |name: &str| vector[name].as_str().unwrap();
        let seconds = vector["timestamp"].as_u64().unwrap();
        let ours = signature(text("secret"), text("id"), seconds, text("payload")).unwrap();
        let is_there = text("signature").split(' ').any(|one| one == ours);
        assert_eq!(is_there, vector["valid"] == true, "{}", text("name"));
        // What is signed is all three of them.
        let id = text("id");
        assert_ne!(signature(text("secret"), id, seconds + 1, text("payload")).unwrap(), ours);
        assert_ne!(signature(text("secret"), id, seconds, "{}").unwrap(), ours);
        assert_ne!(signature(text("secret"), "msg_other", seconds, text("payload")).unwrap(), ours);
        checked += 1;
    }
    assert!(checked >= 10, "{checked}");
    for secret in document["empty_secrets_must_be_refused"].as_array().unwrap() {
        let secret = secret.as_str().unwrap();
        assert_eq!(signature(secret, "msg_1", 1, "{}"), None, "`{secret}`");
    }
}
