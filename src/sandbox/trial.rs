//! A sandbox on a port of its own, a clock that a test turns, and the steps that many tests share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::time::Timestamp;

use super::{Clockwork, Limits, Sandbox};

pub(crate) struct Trial {
    pub(crate) sandbox: Sandbox,
    pub(crate) origin: String,
    pub(crate) client: Client,
    clock: Arc<AtomicU64>,
}

pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard-43";
pub(crate) const BACK: &str = "https://fanfare.example/back";

pub(crate) async fn start() -> Trial {
    start_with(Limits::Published).await
}

pub(crate) async fn start_with(limits: Limits) -> Trial {
    // Whoever comes second finds it installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Arc::new(AtomicU64::new(1_795_000_000_000));
    let hands = clock.clone();
    let clockwork = Clockwork {
        now: Arc::new(move || Timestamp(hands.load(Ordering::SeqCst))),
        wait: Arc::new(|_| Box::pin(std::future::ready(()))),
        seed: 7,
    };
    let sandbox = Sandbox::with_limits(clockwork, limits);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = sandbox.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    Trial { sandbox, origin, client, clock }
}

/// A status and the JSON that came with it.
pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(json!(text)))
}

impl Trial {
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.origin));
        match token.is_empty() {
            true => request,
            false => request.bearer_auth(token),
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        read(self.request(Method::GET, path, token).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> (u16, Value) {
        let request = self.request(Method::POST, path, token).json(&body);
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn form(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.request(Method::POST, path, "").form(form);
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn fault(&self, fault: Value) {
        let (status, body) = self.post("/_sandbox/faults", "", fault).await;
        assert_eq!(status, 201, "{body}");
    }

    /// Presses Allow, and gives the code that came back.
    pub(crate) async fn allow(&self, path: &str, client: &str, scope: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()));
        let form = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", BACK),
            ("scope", scope),
            ("state", "s1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("handle", "alice"),
            ("decision", "allow"),
        ];
        let request = self.request(Method::POST, path, "").form(&form);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 302);
        let location = response.headers()["location"].to_str().unwrap();
        let url = url::Url::parse(location).unwrap();
        let parameter = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        assert_eq!(parameter("state").as_deref(), Some("s1"));
        parameter("code").unwrap()
    }

    /// Answers a consent page with exactly this form, and gives where it leads back to.
    pub(crate) async fn answer_consent(&self, path: &str, form: &[(&str, &str)]) -> url::Url {
        let request = self.request(Method::POST, path, "").form(form);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let location = response.headers().get("location");
        let location = location.map(|text| text.to_str().unwrap().to_owned());
        let Some(location) = location else {
            panic!("{status}: {}", response.text().await.unwrap());
        };
        url::Url::parse(&location).unwrap()
    }

    /// Client id and secret of a newly registered app.
    pub(crate) async fn mastodon_app(&self) -> (String, String) {
        let app = json!({ "client_name": "Fanfare", "redirect_uris": BACK,
            "scopes": "read write" });
        let (_, app) = self.post("/mastodon/api/v1/apps", "", app).await;
        let text = |name: &str| app[name].as_str().unwrap().to_owned();
        (text("client_id"), text("client_secret"))
    }

    pub(crate) async fn mastodon(&self) -> String {
        let (id, secret) = self.mastodon_app().await;
        let code = self.allow("/mastodon/oauth/authorize", &id, "read write").await;
        let (_, body) = self
            .form(
                "/mastodon/oauth/token",
                &[
                    ("grant_type", "authorization_code"),
                    ("code", &code),
                    ("client_id", &id),
                    ("client_secret", &secret),
                    ("redirect_uri", BACK),
                    ("code_verifier", VERIFIER),
                ],
            )
            .await;
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// The whole answer of the token endpoint.
    pub(crate) async fn x(&self) -> Value {
        let scope = "tweet.read tweet.write users.read media.write offline.access";
        let code = self.allow("/x/i/oauth2/authorize", "app", scope).await;
        let (status, body) = self.x_token(&code, VERIFIER).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn x_token(&self, code: &str, verifier: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", verifier),
        ];
        let request = self.request(Method::POST, "/x/2/oauth2/token", "");
        let request = request.basic_auth("app", Some("sandbox-secret")).form(&form);
        read(request.send().await.unwrap()).await
    }

    /// The whole answer of createSession.
    pub(crate) async fn bluesky(&self) -> Value {
        let login = json!({ "identifier": "alice.test", "password": "aaaa-bbbb-cccc-dddd" });
        let path = "/bluesky/xrpc/com.atproto.server.createSession";
        let (status, body) = self.post(path, "", login).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// The smallest PNG: one pixel.
pub(crate) fn png() -> Vec<u8> {
    use base64::engine::general_purpose::STANDARD;
    let text = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA\
                AABJRU5ErkJggg==";
    STANDARD.decode(text).unwrap()
}

/// Enough of a video for its type to be told.
pub(crate) fn mp4() -> Vec<u8> {
    let mut bytes = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom".to_vec();
    bytes.resize(2_000, 0);
    bytes
}

/// One parameter of an address.
pub(crate) fn told(url: &url::Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Enough of a PNG of that size for it to be measured, filled up to so many bytes.
pub(crate) fn png_of(width: u32, height: u32, length: usize) -> Vec<u8> {
    let mut bytes = png();
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes.resize(length.max(bytes.len()), 0);
    bytes
}

/// Enough of a JPEG of that size for it to be measured.
pub(crate) fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    bytes.extend_from_slice(b"\xff\xc0\x00\x11\x08");
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&width.to_be_bytes());
    bytes.extend_from_slice(b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9");
    bytes
}

/// Enough of a film for its type and its length in seconds to be told.
pub(crate) fn film_of(seconds: u32, length: usize) -> Vec<u8> {
    let mut bytes = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom".to_vec();
    bytes.extend_from_slice(b"\x00\x00\x00\x74moov\x00\x00\x00\x6cmvhd");
    bytes.extend_from_slice(&[0; 12]);
    bytes.extend_from_slice(&1_u32.to_be_bytes());
    bytes.extend_from_slice(&seconds.to_be_bytes());
    bytes.extend_from_slice(&[0; 80]);
    bytes.extend_from_slice(b"\x00\x00\x00\x00mdat");
    bytes.resize(length.max(bytes.len()), 0);
    bytes
}

/// A server of these files, by path.
pub(crate) async fn serve(files: &[(&'static str, Vec<u8>)]) -> String {
    let mut router = axum::Router::new();
    for (path, bytes) in files {
        let bytes = bytes.clone();
        router = router.route(path, axum::routing::get(async move || bytes));
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}
