//! Secrets in their places, and nowhere else.

use serde_json::json;

use super::*;
use crate::connectors::Repeat;

fn secrets() -> Secrets {
    Secrets {
        access: Some(Secret::new("the-access")),
        password: Some(Secret::new("pass & word")),
        client_id: Some(Secret::new("id:1")),
        client_secret: Some(Secret::new("s/2")),
        ..Secrets::default()
    }
}

fn request(body: Body, places: &[(&str, SecretName)]) -> Request {
    let fills =
        places.iter().map(|&(place, secret)| Fill { place: place.to_owned(), secret }).collect();
    let url = "https://example.com/api".to_owned();
    Request { fills, ..Request::post(url, body, Repeat::Harmless) }
}

async fn body(request: &Request) -> Result<String, Error> {
    match Outgoing::compose(request, &secrets(), &Files::new(), NOW).await?.content {
        Content::Bytes(bytes) => Ok(String::from_utf8(bytes.to_vec()).unwrap()),
        Content::Empty | Content::File(_) | Content::Multipart { .. } => Ok(String::new()),
    }
}

#[tokio::test]
async fn secrets_go_to_their_pointer_in_json_and_to_their_field_in_forms() {
    let json = Body::Json(json!({ "identifier": "me", "inner": { "password": null } }));
    let places = [("/inner/password", SecretName::Password), ("/client~1id", SecretName::ClientId)];
    assert_eq!(
        serde_json::from_str::<Value>(&body(&request(json, &places)).await.unwrap()).unwrap(),
        json!({
            "identifier": "me",
            "inner": { "password": "pass & word" },
            "client/id": "id:1",
        }),
    );

    let form = Body::Form(vec![
        ("password".to_owned(), String::new()),
        ("grant".to_owned(), "x".to_owned()),
    ]);
    let places = [("password", SecretName::Password), ("token", SecretName::Access)];
    assert_eq!(
        body(&request(form, &places)).await.unwrap(),
        "password=pass+%26+word&grant=x&token=the-access"
    );
}

const NOW: Timestamp = Timestamp(1_614_265_330_000);

#[tokio::test]
async fn secret_in_an_address_stays_in_its_place_or_nothing_is_sent() {
    let mut request = request(Body::Json(json!({})), &[("{bot}", SecretName::Access)]);
    request.url = "https://api.example/bot{bot}/sendMessage".to_owned();
    let compose = async |secret: &str, request: &Request| {
        let secrets = Secrets { access: Some(Secret::new(secret)), ..Secrets::default() };
        let composed = Outgoing::compose(request, &secrets, &Files::new(), NOW).await;
        composed.map(|outgoing| outgoing.url.to_string())
    };
    let url = compose("123:AB-c_d", &request).await.unwrap();
    assert_eq!(url, "https://api.example/bot123:AB-c_d/sendMessage");
    for secret in ["a?b", "a#b", "../x", "a b", "%2e"] {
        let error = compose(secret, &request).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    request.url = "https://api.example/elsewhere".to_owned();
    assert!(compose("abc", &request).await.is_err());
}

#[tokio::test]
async fn secret_of_a_request_without_a_body_is_a_parameter_that_is_never_shown() {
    let mut request = request(Body::Empty, &[("access_token", SecretName::Access)]);
    request.url = "https://example.com/token?grant_type=x".to_owned();
    let outgoing = Outgoing::compose(&request, &secrets(), &Files::new(), NOW).await.unwrap();
    let wanted = "https://example.com/token?grant_type=x&access_token=the-access";
    assert_eq!(outgoing.url.as_str(), wanted);
    let asked = Outgoing { url: parse("http://127.0.0.1:1/?a=the-access").unwrap(), ..outgoing };
    assert!(!format!("{request:?} {:?}", asked.headers).contains("the-access"));
}

#[tokio::test]
async fn secret_without_a_place_or_that_nobody_gave_is_not_sent() {
    for (content, place) in [
        (Body::Json(json!([])), ("/a", SecretName::Access)),
        (Body::Json(json!({})), ("/a/b", SecretName::Access)),
        (Body::Json(json!({})), ("a", SecretName::Access)),
        (Body::Json(json!({})), ("/a", SecretName::Refresh)),
        (Body::Empty, ("a", SecretName::Refresh)),
    ] {
        let composed = body(&request(content, &[place])).await;
        assert!(matches!(composed, Err(Error::NotSent { .. })), "{place:?}: {composed:?}");
    }
}

#[tokio::test]
async fn authorization_is_what_the_request_asks_for_and_cannot_be_printed() {
    let mut request = request(Body::Empty, &[]);
    for (auth, expected) in [
        (Auth::None, None),
        (Auth::Access, Some("Bearer the-access")),
        // `id%3A1:s%2F2`
        (Auth::App, Some("Basic aWQlM0ExOnMlMkYy")),
    ] {
        request.auth = auth;
        let outgoing = Outgoing::compose(&request, &secrets(), &Files::new(), NOW).await.unwrap();
        let value = outgoing.headers.get(AUTHORIZATION);
        assert_eq!(value.map(|value| value.to_str().unwrap()), expected);
        assert!(!format!("{:?}", outgoing.headers).contains("the-access"));
    }
}

#[tokio::test]
async fn token_that_no_header_can_hold_is_not_sent_and_not_shown() {
    let secrets = Secrets { access: Some(Secret::new("line\nbreak")), ..Secrets::default() };
    let composed =
        Outgoing::compose(&request(Body::Empty, &[]), &secrets, &Files::new(), NOW).await;
    let error = composed.err().unwrap();
    assert!(matches!(error, Error::NotSent { .. }));
    assert!(!format!("{error} {error:?}").contains("line"));
}
