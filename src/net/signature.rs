//! Signs what goes to a webhook, as Standard Webhooks has it.

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, Mac};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

use crate::{
    domain::{secret::Secret, time::Timestamp},
    net::Error,
};

const WEBHOOK_ID: &str = "webhook-id";

/// "`{id}.{timestamp}.{body}`", HMAC-SHA256 by the bytes that the secret stands for, in base 64
/// (standardwebhooks.com, specification 1.0, as of 2026-08). The time is of this sending, so it is
/// signed anew each time, while the id stays.
pub(super) fn sign(
    headers: &mut HeaderMap,
    body: &[u8],
    secret: &Secret,
    now: Timestamp,
) -> Result<(), Error> {
    let id = headers.get(WEBHOOK_ID).and_then(|id| id.to_str().ok());
    let id = id.ok_or_else(|| Error::not_sent("a signed request has no id"))?;
    let secret = secret.expose();
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret));
    let key = key.map_err(|_| Error::not_sent("the secret of the webhook is no base 64"))?;
    if key.is_empty() {
        // Anybody could sign with it.
        return Err(Error::not_sent("the secret of the webhook is empty"));
    }
    let seconds = (now.0 / 1_000).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)
        .map_err(|_| Error::not_sent("the secret of the webhook cannot be used"))?;
    for piece in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(piece);
    }
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    for (name, text) in [("webhook-timestamp", seconds), ("webhook-signature", signature)] {
        let value = HeaderValue::from_str(&text)
            .map_err(|_| Error::not_sent("the signature cannot be written"))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(())
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification.
    #[test]
    fn webhook_is_signed_as_the_standard_has_it() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (body, now) = (br#"{"test": 2432232314}"#, Timestamp(1_614_265_330_000));
        let mut headers = HeaderMap::new();
        assert!(sign(&mut headers, body, &secret, now).is_err(), "it has no id");
        let id = HeaderValue::from_static("msg_p5jXN8AQM9LWM0D4loKWxJek");
        headers.insert(WEBHOOK_ID, id);
        sign(&mut headers, body, &secret, now).unwrap();
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        let wanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers["webhook-signature"], wanted);
        sign(&mut headers, body, &secret, Timestamp(1_614_265_331_000)).unwrap();
        assert_ne!(headers["webhook-signature"], wanted, "the time is signed too");
        let error = sign(&mut headers, body, &Secret::new("no base 64!"), now).unwrap_err();
        assert!(!error.to_string().contains("no base 64!"));
    }
}
