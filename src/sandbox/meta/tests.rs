//! Both doors, over the wire.

mod facebook;
mod instagram;
mod signin;
mod videos;

use std::time::Duration;

use axum::{Router, body::Bytes, extract::Path, http::StatusCode, routing::get};
use reqwest::{
    Method, Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::sandbox::trial::{BACK, Trial, mp4, read, start};

const ALL: &str = "pages_show_list,pages_read_engagement,pages_manage_posts,\
    pages_manage_engagement,business_management,instagram_basic,instagram_content_publish,\
    instagram_manage_comments,instagram_manage_contents";
const ALL_OF_INSTAGRAM: &str = "instagram_business_basic,instagram_business_content_publish,\
    instagram_business_manage_comments";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Alice, signed in with all scopes and a long-lived token, and her first page.
struct Alice {
    trial: Trial,
    user: String,
    page: String,
    token: String,
    profile: String,
}

impl Alice {
    async fn start() -> Alice {
        let trial = start().await;
        let user = long_lived(&trial, ALL).await;
        let fields = "id,name,access_token,instagram_business_account{id}";
        let path = format!("/facebook/v26.0/me/accounts?fields={fields}");
        let (status, pages) = trial.get(&path, &user).await;
        assert_eq!(status, 200, "{pages}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let page = text(&pages["data"][0]["id"]);
        let token = text(&pages["data"][0]["access_token"]);
        let profile = text(&pages["data"][0]["instagram_business_account"]["id"]);
        Alice { trial, user, page, token, profile }
    }

    /// With the page's token.
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.trial.post(&format!("/facebook/v26.0/{path}"), &self.token, body).await
    }

    async fn on_page(&self, edge: &str, body: Value) -> (u16, Value) {
        self.post(&format!("{}/{edge}", self.page), body).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.trial.get(&format!("/facebook/v26.0/{path}"), &self.token).await
    }

    async fn delete(&self, id: &str) -> (u16, Value) {
        let path = format!("/facebook/v26.0/{id}");
        read(self.trial.request(Method::DELETE, &path, &self.token).send().await.unwrap()).await
    }

    /// A photo as multipart, with what else is said.
    async fn photo(&self, bytes: Vec<u8>, said: &[(&'static str, &'static str)]) -> (u16, Value) {
        let mut form = Form::new().part("source", Part::bytes(bytes).file_name("photo"));
        for (name, value) in said {
            form = form.text(*name, *value);
        }
        let path = format!("/facebook/v26.0/{}/photos", self.page);
        let request = self.trial.request(Method::POST, &path, &self.token).multipart(form);
        read(request.send().await.unwrap()).await
    }

    async fn staged(&self) -> String {
        let (status, photo) = self.photo(jpeg(800, 800), &[("published", "false")]).await;
        assert_eq!(status, 200, "{photo}");
        id(&photo)
    }

    /// Bytes at an address that was given out.
    async fn rupload(&self, url: &str, offset: usize, total: usize, bytes: &[u8]) -> (u16, Value) {
        rupload(&self.trial, url, &format!("OAuth {}", self.token), (offset, total), bytes).await
    }
}

async fn rupload(
    trial: &Trial,
    url: &str,
    authorization: &str,
    (offset, total): (usize, usize),
    bytes: &[u8],
) -> (u16, Value) {
    let request = trial.client.post(url).header("authorization", authorization);
    let request = request.header("offset", offset).header("file_size", total);
    read(request.body(bytes.to_vec()).send().await.unwrap()).await
}

/// A short-lived user token.
async fn short_lived(trial: &Trial, scope: &str) -> String {
    let code = trial.allow("/facebook/v26.0/dialog/oauth", "app", scope).await;
    let (status, body) = facebook_token(trial, &code).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

/// Presses Allow as that person, with what else is said; the code, and the end of the address.
async fn allow_as(
    trial: &Trial,
    path: &str,
    handle: &str,
    said: &[(&str, &str)],
) -> (String, String) {
    let form = [&[("handle", handle), ("decision", "allow")], said].concat();
    let answer = trial.request(Method::POST, path, "").form(&form).send().await.unwrap();
    let url = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code_text = url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    (code_text, url.fragment().unwrap().to_owned())
}

async fn facebook_token(trial: &Trial, code: &str) -> (u16, Value) {
    let form = [
        ("client_id", "app"),
        ("client_secret", "sandbox-secret"),
        ("redirect_uri", BACK),
        ("code", code),
    ];
    trial.form("/facebook/v26.0/oauth/access_token", &form).await
}

async fn long_lived(trial: &Trial, scope: &str) -> String {
    let short = short_lived(trial, scope).await;
    let path = format!(
        "/facebook/v26.0/oauth/access_token?grant_type=fb_exchange_token&client_id=app\
         &client_secret=sandbox-secret&fb_exchange_token={short}"
    );
    let (status, body) = trial.get(&path, "").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["expires_in"], 5_183_944);
    body["access_token"].as_str().unwrap().to_owned()
}

async fn instagram_code(trial: &Trial, scope: &str) -> (u16, Value) {
    let code = trial.allow("/instagram/oauth/authorize", "app", scope).await;
    instagram_short(trial, &code).await
}

async fn instagram_short(trial: &Trial, code: &str) -> (u16, Value) {
    let form = [
        ("client_id", "app"),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", code),
    ];
    trial.form("/instagram/oauth/access_token", &form).await
}

/// A long-lived token of Instagram's own login, for `alice`.
async fn instagram_token(trial: &Trial, scope: &str) -> String {
    let (_, short) = instagram_code(trial, scope).await;
    let short = short["access_token"].as_str().or(short["data"][0]["access_token"].as_str());
    let path = "/instagram/access_token?grant_type=ig_exchange_token&client_secret=sandbox-secret";
    let (status, long) = trial.get(path, short.unwrap()).await;
    assert_eq!(status, 200, "{long}");
    long["access_token"].as_str().unwrap().to_owned()
}

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap_or_else(|| panic!("no id in {body}")).to_owned()
}

/// Code and subcode of an error.
fn code(body: &Value) -> (i64, i64) {
    let number = |name: &str| body["error"][name].as_i64().unwrap_or_default();
    (number("code"), number("error_subcode"))
}

/// The head of a JPEG of that size; nobody looks further.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes =
        b"\xFF\xD8\xFF\xE0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xFF\xC0\0\x11\x08".to_vec();
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend(b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xFF\xD9");
    bytes
}

/// A server with files to fetch: its address.
async fn files() -> String {
    async fn file(Path(name): Path<String>) -> Result<Bytes, StatusCode> {
        Ok(match name.as_str() {
            "wide.jpg" => jpeg(1_000, 400),
            "square.jpg" => jpeg(1_000, 1_000),
            "tall.jpg" => jpeg(1_080, 1_920),
            "huge.jpg" => [jpeg(1_000, 1_000), vec![0; 8 * 1024 * 1024]].concat(),
            "image.png" => crate::sandbox::trial::png(),
            "film.mp4" => mp4(),
            "second.mp4" => include_bytes!("../../cli/demo/waves.mp4").to_vec(),
            "text.txt" => b"no film".to_vec(),
            _ => return Err(StatusCode::NOT_FOUND),
        }
        .into())
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{name}", get(file));
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

async fn struck(trial: &Trial, path: &str, token: &str) -> Response {
    let body = json!({ "message": "struck" });
    trial.request(Method::POST, path, token).json(&body).send().await.unwrap()
}
