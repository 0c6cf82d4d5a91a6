//! Signing in against a server that answers as told.

use std::{collections::HashMap, path::Path};

use serde_json::Value;
use url::Url;

use super::*;
use crate::net::tests::stub::{Act, Server, ok, says};

fn app(server: &Server) -> OAuthClient {
    OAuthClient {
        client_id: Secret::new("the id"),
        client_secret: Some(Secret::new("the/secret")),
        authorize_url: "https://example.com/authorize?access_type=offline".to_owned(),
        token_url: server.url("/token"),
        revoke_url: Some(server.url("/revoke")),
        redirect_uri: "https://fanfare.example/callback".to_owned(),
        client_parameter: "client_id",
        proof: Proof::Pkce,
        separator: ScopeSeparator::Space,
        authentication: ClientAuthentication::Body,
        scopes: vec!["read".to_owned(), "write".to_owned()],
    }
}

fn form(request: &str) -> HashMap<String, String> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

async fn exchanged(answer: Act) -> (Server, Result<Grant, Error>) {
    let answer = std::sync::Mutex::new(Some(answer));
    let server = Server::start(move |_| answer.lock().unwrap().take().unwrap()).await;
    let (code, verifier) = (Secret::new("the-code"), Secret::new("the-verifier"));
    let granted = exchange(&server.client(), &app(&server), &code, &verifier).await;
    (server, granted)
}

#[tokio::test]
async fn consent_page_is_asked_with_state_and_challenge() {
    let server = Server::start(|_| Act::Close).await;
    let entropy = Entropy::seeded(1);
    let begun = begin(&app(&server), &entropy).unwrap();
    let url = Url::parse(&begun.url).unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&spoken(&begun.verifier));
    for (name, value) in [
        ("access_type", "offline"),
        ("response_type", "code"),
        ("client_id", "the id"),
        ("redirect_uri", "https://fanfare.example/callback"),
        ("scope", "read write"),
        ("state", begun.state.expose()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!((begun.state.expose().len(), begun.verifier.expose().len()), (43, 43));
    let again = begin(&app(&server), &entropy).unwrap();
    assert!(again.state != begun.state && again.verifier != begun.verifier);
    assert!(!begun.url.contains(begun.verifier.expose()));

    let broken = OAuthClient { token_url: "nowhere".to_owned(), ..app(&server) };
    assert!(matches!(begin(&broken, &entropy), Err(Error::NotSent { .. })));
}

#[test]
fn challenge_is_that_of_the_published_vectors() {
    let file = "../shared/specs/oauth-vectors/pkce-rfc7636.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("the vectors of RFC 7636 are not here; nothing was compared");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    for vector in vectors["s256"].as_array().unwrap() {
        let octets: Vec<u8> = serde_json::from_value(vector["octets"].clone()).unwrap();
        let verifier = BASE64_URL_SAFE_NO_PAD.encode(octets);
        assert_eq!(vector["code_verifier"], verifier);
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
        assert_eq!(vector["code_challenge"], challenge.as_str());
        assert_eq!(vector["code_challenge_method"], challenge.method().as_str());
    }
    for vector in vectors["base64url_no_padding"].as_array().unwrap() {
        let octets: Vec<u8> = serde_json::from_value(vector["octets"].clone()).unwrap();
        assert_eq!(vector["encoded"], BASE64_URL_SAFE_NO_PAD.encode(octets));
    }
}

#[tokio::test]
async fn code_is_exchanged_with_its_verifier() {
    let body = r#"{"access_token":"a","refresh_token":"r","expires_in":"60","scope":"read"}"#;
    let (server, granted) = exchanged(Act::Say(ok(body))).await;
    let granted = granted.unwrap();
    assert_eq!((granted.access, granted.refresh), (Secret::new("a"), Some(Secret::new("r"))));
    let heard = form(&server.heard()[0]);
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "the-code"),
        ("code_verifier", "the-verifier"),
        ("redirect_uri", "https://fanfare.example/callback"),
        ("client_id", "the id"),
        ("client_secret", "the/secret"),
    ] {
        assert_eq!(heard.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[tokio::test]
async fn only_the_platform_refuses() {
    let refused = r#"{"error":"invalid_grant","error_description":"the-code was used"}"#;
    let (_, granted) = exchanged(Act::Say(says("400 Bad Request", "", refused))).await;
    let (code, words) = ("invalid_grant".to_owned(), "[secret] was used".to_owned());
    assert_eq!(granted, Err(Error::Refused { status: 400, code, words }));

    let (_, granted) = exchanged(Act::Say(says("502 Bad Gateway", "", refused))).await;
    assert_eq!(granted, Err(Error::Unavailable { status: 502, until: None }));

    let (_, granted) = exchanged(Act::Close).await;
    assert!(matches!(granted, Err(Error::Unanswered { .. })), "{granted:?}");

    let (server, granted) =
        exchanged(Act::Say(says("308 Permanent Redirect", "location: /else\r\n", ""))).await;
    assert!(matches!(granted, Err(Error::Unreadable { status: 308, .. })), "{granted:?}");
    assert_eq!(server.heard().len(), 1);

    let mut unreachable = app(&server);
    unreachable.token_url = "https://127.0.0.1:1/token".to_owned();
    let granted = refresh(&server.client(), &unreachable, &Secret::new("r")).await;
    assert!(matches!(granted, Err(Error::NotSent { .. })), "{granted:?}");
}

#[tokio::test]
async fn renewal_without_a_new_refresh_token_keeps_the_old_one() {
    let body = r#"{"access_token":"new","refresh_token":"","expires_in":60}"#;
    let server = Server::start(move |_| Act::Say(ok(body))).await;
    let mut app = app(&server);
    app.authentication = ClientAuthentication::Basic;
    let granted = refresh(&server.client(), &app, &Secret::new("old")).await.unwrap();
    assert_eq!((granted.access, granted.refresh), (Secret::new("new"), None));
    let heard = &server.heard()[0];
    assert_eq!(form(heard).get("refresh_token").map(String::as_str), Some("old"));
    assert!(heard.contains("authorization: Basic dGhlK2lkOnRoZSUyRnNlY3JldA==\r\n"), "{heard}");
    assert!(!form(heard).contains_key("client_secret"));
}

#[tokio::test]
async fn access_is_ended_with_the_same_authentication() {
    let server = Server::start(|_| Act::Say(says("200 OK", "", ""))).await;
    let client = server.client();
    let token = Secret::new("a");
    let mut app = app(&server);
    revoke(&client, &app, &token).await.unwrap();
    app.authentication = ClientAuthentication::Basic;
    revoke(&client, &app, &token).await.unwrap();
    app.client_secret = None;
    revoke(&client, &app, &token).await.unwrap();
    app.revoke_url = None;
    revoke(&client, &app, &token).await.unwrap();

    let heard = server.heard();
    let forms: Vec<_> = heard.iter().map(|request| form(request)).collect();
    assert_eq!(heard.len(), 3);
    assert!(forms.iter().all(|form| form["token"] == "a"));
    assert_eq!(forms[0]["client_secret"], "the/secret");
    assert!(heard[1].contains("authorization: Basic ") && forms[1].len() == 1);
    assert!(!heard[2].contains("authorization") && forms[2]["client_id"] == "the id");
}

#[tokio::test]
async fn exchange_may_be_awaited_on_any_thread() {
    fn is_send(_: impl Send) {}
    let server = Server::start(|_| Act::Close).await;
    let (client, app, secret) = (server.client(), app(&server), Secret::new("x"));
    is_send(exchange(&client, &app, &secret, &secret));
    is_send(refresh(&client, &app, &secret));
    is_send(revoke(&client, &app, &secret));
}
