//! Single sign-on against a provider that is strict about what it is sent, and says what it is told
//! to say.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fanfare::{
    domain::{organization::Role, secret::Secret},
    engine::{AppCredentials, OidcSettings},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::{
    people::{HOUR, OWNER, PASSWORD, pair},
    world::{Outfit, World},
};

const CLIENT: &str = "fanfare";
const SECRET: &str = "a:b c";

/// What the provider says, and what it has been asked.
#[derive(Default)]
struct Memory {
    issuer: String,
    /// In the ID token, over what is right.
    claims: Value,
    userinfo: Value,
    /// By code: challenge, nonce and redirect address.
    codes: HashMap<String, (String, String, String)>,
}

#[derive(Clone, Default)]
struct Provider(Arc<Mutex<Memory>>);

impl Provider {
    async fn start() -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Provider::default();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        provider.0.lock().unwrap().issuer = issuer;
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(provider.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        provider
    }

    fn settings(&self, role: Option<Role>) -> OidcSettings {
        let client_secret = Some(Secret::new(SECRET));
        OidcSettings {
            issuer: self.0.lock().unwrap().issuer.clone(),
            app: AppCredentials { client_id: CLIENT.to_owned(), client_secret },
            name: "the provider".to_owned(),
            role,
        }
    }

    /// Whom it has logged in there, over what is right.
    fn says(&self, claims: Value) {
        self.0.lock().unwrap().claims = claims;
    }
}

async fn world(provider: &Provider, role: Option<Role>) -> World {
    let oidc = Some(provider.settings(role));
    let world = World::with(Outfit { oidc, ..Outfit::default() }).await;
    world.owner().await;
    world
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let issuer = provider.0.lock().unwrap().issuer.clone();
    Json(json!({ "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo") }))
}

type Fields = BTreeMap<String, String>;

async fn authorize(State(provider): State<Provider>, Query(asked): Query<Fields>) -> Response {
    let given = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let is_right = given("response_type") == "code"
        && given("client_id") == CLIENT
        && given("scope").split(' ').any(|scope| scope == "openid")
        && given("code_challenge_method") == "S256"
        && given("state").len() >= 32
        && given("nonce").len() >= 32;
    if !is_right {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let mut memory = provider.0.lock().unwrap();
    let code = format!("code-{}", memory.codes.len());
    let back = given("redirect_uri");
    memory.codes.insert(code.clone(), (given("code_challenge"), given("nonce"), back.clone()));
    Redirect::to(&format!("{back}?code={code}&state={}", given("state"))).into_response()
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    let mut memory = provider.0.lock().unwrap();
    let given = |name: &str| form.get(name).cloned().unwrap_or_default();
    // The secret is form-encoded before it is joined (RFC 6749, section 2.3.1).
    let basic = base64::engine::general_purpose::STANDARD.encode("fanfare:a%3Ab+c");
    let known = headers.get("authorization").is_some_and(|it| *it == format!("Basic {basic}"));
    let kept = memory.codes.remove(&given("code"));
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(given("code_verifier")));
    let Some((_, nonce, _)) = kept.filter(|(challenge, _, back)| {
        known
            && *challenge == proof
            && *back == given("redirect_uri")
            && given("grant_type") == "authorization_code"
    }) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })))
            .into_response();
    };
    let mut claims = json!({ "iss": memory.issuer, "aud": CLIENT, "sub": "1", "nonce": nonce,
        "exp": 4_000_000_000_u64, "email": OWNER, "email_verified": true, "name": "Ada" });
    for (name, value) in memory.claims.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let id_token = format!("{}.{}.c2ln", encoded(&json!({ "alg": "RS256" })), encoded(&claims));
    Json(json!({ "access_token": "access", "token_type": "Bearer", "id_token": id_token }))
        .into_response()
}

async fn userinfo(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|it| *it != "Bearer access") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(provider.0.lock().unwrap().userinfo.clone()).into_response()
}

/// What came of it: the status, the page, and the cookie of a session.
struct Came {
    status: u16,
    page: String,
    cookie: Option<String>,
}

/// Away: where the browser is sent, and the cookie that it holds meanwhile.
async fn depart(world: &World) -> (String, String) {
    let away = world.bare("GET", "/login/oidc").send().await.unwrap();
    assert_eq!(away.status(), 303);
    let held = pair(away.headers()["set-cookie"].to_str().unwrap());
    assert!(held.starts_with("fanfare-sign-on="), "{held}");
    (away.headers()["location"].to_str().unwrap().to_owned(), held)
}

/// The provider logs them in, and sends them back.
async fn agree(world: &World, there: &str) -> String {
    let agreed = world.bare("GET", there).send().await.unwrap();
    let status = agreed.status();
    let back = agreed.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
    back.unwrap_or_else(|| panic!("{status}"))
}

async fn arrive(world: &World, back: &str, held: &str) -> Came {
    let answer = world.bare("GET", back).header("cookie", held).send().await.unwrap();
    let status = answer.status().as_u16();
    let given = answer.headers().get_all("set-cookie").iter();
    let mut given = given.map(|it| it.to_str().unwrap().to_owned());
    let cookie = given.find(|it| it.starts_with("fanfare=")).map(|it| pair(&it));
    Came { status, page: answer.text().await.unwrap(), cookie }
}

async fn sign_on(world: &World) -> Came {
    let (there, held) = depart(world).await;
    let back = agree(world, &there).await;
    arrive(world, &back, &held).await
}

async fn seated(world: &World, came: &Came) -> Value {
    let cookie = came.cookie.as_ref().unwrap_or_else(|| panic!("{} {}", came.status, came.page));
    let session = world.bare("GET", "/api/v1/session").header("cookie", cookie);
    session.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_member_is_known_by_their_verified_address_and_then_by_their_name_there() {
    let provider = Provider::start().await;
    let world = world(&provider, None).await;
    let session = seated(&world, &sign_on(&world).await).await;
    assert_eq!(
        (&session["email"], &session["organizations"][0]["role"]),
        (&json!(OWNER), &json!("owner"))
    );
    // They have another address now; they are still who they were.
    provider.says(json!({ "email": "countess@example.org" }));
    assert_eq!(seated(&world, &sign_on(&world).await).await["person"], session["person"]);
    // Somebody else was given the address.
    provider.says(json!({ "sub": "2" }));
    let other = sign_on(&world).await;
    assert!(other.status == 403 && other.cookie.is_none(), "{}", other.page);
    assert_eq!(world.login(OWNER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn nobody_comes_in_who_is_no_member_and_was_not_invited() {
    let provider = Provider::start().await;
    let world = world(&provider, None).await;
    provider.says(json!({ "sub": "7", "email": "bob@example.org", "name": "Bob" }));
    let stranger = sign_on(&world).await;
    assert!(stranger.status == 403 && stranger.cookie.is_none(), "{}", stranger.page);
    assert!(stranger.page.contains("Nobody has invited you"), "{}", stranger.page);
    let invite = json!({ "role": "editor", "email": "Bob@Example.org" });
    assert_eq!(world.post("/invitations", &invite).await.status, 201);
    let session = seated(&world, &sign_on(&world).await).await;
    assert_eq!(
        (&session["name"], &session["organizations"][0]["role"]),
        (&json!("Bob"), &json!("editor"))
    );
    assert_eq!(world.get("/invitations").await.json["items"], json!([]));
    // Without a password of their own there is none to guess.
    assert_eq!(world.login("bob@example.org", "").await.code(), "unauthorized");
    let happened = world.happened().await;
    let person = session["person"].as_str().unwrap().to_owned();
    assert!(happened.contains(&("member.joined".to_owned(), person)));
}

#[tokio::test]
async fn everybody_there_becomes_what_the_settings_say() {
    let provider = Provider::start().await;
    let world = world(&provider, Some(Role::Viewer)).await;
    provider.says(json!({ "sub": "7", "email": "bob@example.org" }));
    let session = seated(&world, &sign_on(&world).await).await;
    assert_eq!(session["organizations"][0]["role"], "viewer");
    // Who was shut out stays out.
    let path = format!("/api/v1/members/{}", session["person"].as_str().unwrap());
    let disabled = world.request("PATCH", &path).json(&json!({ "disabled": true }));
    assert_eq!(disabled.send().await.unwrap().status(), 200);
    assert_eq!(sign_on(&world).await.status, 403);
}

#[tokio::test]
async fn what_the_provider_says_is_not_believed_unless_all_of_it_is_right() {
    let provider = Provider::start().await;
    let world = world(&provider, Some(Role::Viewer)).await;
    for wrong in [
        json!({ "iss": "https://evil.example" }),
        json!({ "aud": "another" }),
        json!({ "exp": 1_000_000_000 }),
        json!({ "nonce": "of another log-in" }),
        json!({ "email_verified": false }),
        json!({ "email_verified": null }),
        json!({ "sub": null }),
    ] {
        provider.says(wrong.clone());
        let came = sign_on(&world).await;
        assert!(came.status == 403 && came.cookie.is_none(), "{wrong}: {}", came.page);
    }
    provider.says(json!({ "email": null }));
    provider.0.lock().unwrap().userinfo = json!({ "sub": "2", "email": OWNER });
    assert_eq!(sign_on(&world).await.status, 403);
    let told = json!({ "sub": "1", "email": OWNER, "email_verified": true });
    provider.0.lock().unwrap().userinfo = told;
    assert_eq!(sign_on(&world).await.status, 200);
}

#[tokio::test]
async fn who_comes_back_is_the_browser_that_was_sent_and_only_once() {
    let provider = Provider::start().await;
    let world = world(&provider, None).await;
    let (there, held) = depart(&world).await;
    let (_, others) = depart(&world).await;
    let back = agree(&world, &there).await;
    for wrong in ["", "fanfare-sign-on=nonsense", &others] {
        let came = arrive(&world, &back, wrong).await;
        assert!(came.status == 410 && came.cookie.is_none(), "{wrong}: {}", came.page);
    }
    let from_elsewhere = arrive(&world, &format!("{back}&iss=https://evil.example"), &held).await;
    assert_eq!(from_elsewhere.status, 403);
    let denied = back.replace("code=", "error=access_denied&ignored=");
    assert_eq!(arrive(&world, &denied, &held).await.status, 403);
    assert_eq!(arrive(&world, &back, &held).await.status, 200);
    // The provider takes a code once.
    let again = arrive(&world, &back, &held).await;
    assert!(again.status == 424 && again.cookie.is_none(), "{}", again.page);
    let (there, held) = depart(&world).await;
    let back = agree(&world, &there).await;
    world.turn(HOUR);
    assert_eq!(arrive(&world, &back, &held).await.status, 410);
}

#[tokio::test]
async fn without_a_provider_there_is_no_single_sign_on() {
    let world = World::new().await;
    let away = crate::world::told(world.bare("GET", "/login/oidc")).await;
    assert_eq!(away.code(), "not-found");
}
