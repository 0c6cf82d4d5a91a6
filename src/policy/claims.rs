//! Whether what a provider of single sign-on says is about who was sent there, is for us, and is of
//! now (OpenID Connect Core 1.0, section 3.1.3.7).
//!
//! The signature is not looked at: the token came from the provider itself, over TLS, and then "the
//! TLS server validation MAY be used to validate the issuer in place of checking the token
//! signature" (point 6). So this is never given a token that came by way of a browser.

use std::time::Duration;

use serde_json::Value;

use crate::domain::time::Timestamp;

/// Clocks differ.
const LEEWAY: Duration = Duration::from_secs(60);

/// What we know.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Sent with the person, so that what comes back is an answer to that.
    pub nonce: &'a str,
}

/// Who the provider says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub subject: String,
    /// With whether the provider has verified it.
    pub email: Option<(String, bool)>,
    pub name: String,
}

/// What is wrong with it, for the log and for whoever runs this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("it was issued by somebody else")]
    Issuer,
    #[error("it is for another client")]
    Audience,
    #[error("it has expired, or does not say when it does")]
    Expired,
    #[error("it is not the answer to what was asked")]
    Nonce,
    #[error("it does not say who it is about")]
    Subject,
}

/// Of an ID token's claims.
pub fn judge(claims: &Value, expected: &Expected<'_>, now: Timestamp) -> Result<Claimed, Wrong> {
    let text = |name: &str| claims[name].as_str();
    if text("iss") != Some(expected.issuer) {
        return Err(Wrong::Issuer);
    }
    if !is_for(claims, expected.client_id) {
        return Err(Wrong::Audience);
    }
    let ends = claims["exp"].as_u64().map(|seconds| Timestamp(seconds.saturating_mul(1_000)));
    if ends.is_none_or(|ends| ends.after(LEEWAY) <= now) {
        return Err(Wrong::Expired);
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(Wrong::Nonce);
    }
    let subject = text("sub").filter(|subject| !subject.is_empty()).ok_or(Wrong::Subject)?;
    Ok(Claimed { subject: subject.to_owned(), email: email(claims), name: name(claims) })
}

/// Adds what the provider says of the same person in its userinfo.
pub fn complete(claimed: Claimed, userinfo: &Value) -> Result<Claimed, Wrong> {
    if userinfo["sub"].as_str() != Some(&claimed.subject) {
        return Err(Wrong::Subject);
    }
    let Claimed { subject, email: told, name: called } = claimed;
    let name = if called.is_empty() { name(userinfo) } else { called };
    Ok(Claimed { subject, email: told.or_else(|| email(userinfo)), name })
}

/// Where it is for several, the one that it was made for has to be us.
fn is_for(claims: &Value, client_id: &str) -> bool {
    let party = claims["azp"].as_str();
    match &claims["aud"] {
        Value::String(one) => one == client_id && party.is_none_or(|party| party == client_id),
        Value::Array(several) => {
            let named = several.iter().any(|one| one.as_str() == Some(client_id));
            let by_us = party == Some(client_id) || (party.is_none() && several.len() == 1);
            named && by_us
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn email(claims: &Value) -> Option<(String, bool)> {
    let email = claims["email"].as_str().filter(|email| !email.is_empty())?;
    // Some write the word.
    let verified = &claims["email_verified"];
    let is_verified = verified == &Value::Bool(true) || verified.as_str() == Some("true");
    Some((email.to_owned(), is_verified))
}

fn name(claims: &Value) -> String {
    let told = ["name", "preferred_username"].iter().find_map(|name| claims[*name].as_str());
    told.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);
    const EXPECTED: Expected<'_> =
        Expected { issuer: "https://id.example.org", client_id: "fanfare", nonce: "n-0S6_WzA2Mj" };

    fn claims() -> Value {
        json!({ "iss": "https://id.example.org", "sub": "24400320", "aud": "fanfare",
            "nonce": "n-0S6_WzA2Mj", "exp": 1_790_000_300, "email": "ada@example.org",
            "email_verified": true, "name": "Ada" })
    }

    fn check(field: &str, value: Value, expected: Result<(), Wrong>) {
        let mut claims = claims();
        claims[field] = value.clone();
        assert_eq!(judge(&claims, &EXPECTED, NOW).map(|_| ()), expected, "{field}: {value}");
    }

    #[test]
    fn what_is_right_is_read() {
        let claimed = judge(&claims(), &EXPECTED, NOW).unwrap();
        let email = Some(("ada@example.org".to_owned(), true));
        let subject = "24400320".to_owned();
        assert_eq!(claimed, Claimed { subject, email, name: "Ada".to_owned() });
    }

    #[test]
    fn what_is_for_others_or_of_others_is_refused() {
        check("iss", json!("https://id.example.org/"), Err(Wrong::Issuer));
        check("iss", json!("https://evil.example"), Err(Wrong::Issuer));
        check("iss", Value::Null, Err(Wrong::Issuer));
        check("aud", json!("other"), Err(Wrong::Audience));
        check("aud", json!(["other"]), Err(Wrong::Audience));
        check("aud", json!(["other", "fanfare"]), Err(Wrong::Audience));
        check("aud", json!(["fanfare"]), Ok(()));
        check("aud", Value::Null, Err(Wrong::Audience));
        check("azp", json!("other"), Err(Wrong::Audience));
        check("azp", json!("fanfare"), Ok(()));
        check("nonce", json!("another"), Err(Wrong::Nonce));
        check("nonce", Value::Null, Err(Wrong::Nonce));
        check("sub", json!(""), Err(Wrong::Subject));
        check("sub", json!(7), Err(Wrong::Subject));
    }

    #[test]
    fn what_is_too_old_is_refused_but_for_a_minute() {
        check("exp", json!(1_789_999_941), Ok(()));
        check("exp", json!(1_789_999_940), Err(Wrong::Expired));
        check("exp", Value::Null, Err(Wrong::Expired));
        check("exp", json!("1790000300"), Err(Wrong::Expired));
        check("exp", json!(u64::MAX), Ok(()));
    }

    #[test]
    fn userinfo_of_somebody_else_is_not_believed() {
        let mut bare = claims();
        bare.as_object_mut().unwrap().remove("email");
        let claimed = judge(&bare, &EXPECTED, NOW).unwrap();
        assert_eq!(claimed.email, None);
        let other = json!({ "sub": "7", "email": "a@b.c", "email_verified": true });
        assert_eq!(complete(claimed.clone(), &other), Err(Wrong::Subject));
        let same = json!({ "sub": "24400320", "email": "a@b.c", "email_verified": "false" });
        assert_eq!(complete(claimed, &same).unwrap().email, Some(("a@b.c".to_owned(), false)));
    }
}
