//! A client of the API like any other, and a browser that agrees on consent pages.

use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::cli::{
    Failure,
    loopback::{self, Answer},
};

use super::cast::Person;

pub(super) struct Robot {
    /// `http://127.0.0.1:7700`.
    pub(super) base: String,
    pub(super) key: String,
}

/// Any password of this form signs in at the simulated Bluesky.
/// Of the shape of WordPress's; any is taken.
const APPLICATION_PASSWORD: &str = "demo demo demo demo demo demo";
const APP_PASSWORD: &str = "demo-demo-demo-demo";
/// What the simulated Discord calls `channel-2222`, and any bot's token.
const DISCORD_CHANNEL: &str = "222222222222222222";
const DISCORD_BOT: &str = "demo-demo-demo-demo-demo.demo00.demo-demo-demo-demo-demo-demo";
/// Of the shape of a bot's token; the simulated Telegram takes any.
const TELEGRAM_BOT: &str = "123456:demo-demo-demo-demo-demo-demo-demo-";

/// Any token that begins so speaks for the number at the simulated WhatsApp that it first names.
const SYSTEM_TOKEN: &str = "EAAdemodemodemodemodemodemodemo";

impl Robot {
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask("GET", path, &[], b"").await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let headers = [("content-type", "application/json")];
        self.ask("POST", path, &headers, body.to_string().as_bytes()).await
    }

    /// Making something twice with one key makes it once.
    pub(super) async fn make(&self, path: &str, key: &str, body: &Value) -> Result<Value, Failure> {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.ask("POST", path, &headers, body.to_string().as_bytes()).await
    }

    pub(super) async fn change(&self, path: &str, etag: &str, body: &Value) -> Result<(), Failure> {
        let headers = [("content-type", "application/json"), ("if-match", etag)];
        self.ask("PATCH", path, &headers, body.to_string().as_bytes()).await.map(|_| ())
    }

    /// The new file's id.
    pub(super) async fn upload(&self, name: &str, bytes: &[u8]) -> Result<String, Failure> {
        let headers = [("content-type", "application/octet-stream")];
        let path = format!("/media?name={name}");
        let made = self.ask("POST", &path, &headers, bytes).await?;
        Ok(text(&made, "/id"))
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Value, Failure> {
        let url = format!("{}/api/v1{path}", self.base);
        let bearer = format!("Bearer {}", self.key);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        let answer = send(method, &url, &all, body).await?;
        match answer.status {
            200..300 => Ok(answer.json()),
            status => {
                let words = String::from_utf8_lossy(&answer.body);
                let sentence = format!("{method} {path} was answered {status}: {words}");
                Err(Failure::NotDone(sentence))
            }
        }
    }

    /// Through the platform's own way of signing in. The account's id.
    pub(super) async fn connect(&self, person: &Person, server: &str) -> Result<String, Failure> {
        let platform = person.platform;
        let mut request = json!({ "platform": platform, "server": server, "login": person.login });
        if platform == "bluesky" {
            request = json!({ "platform": platform, "identifier": person.handle,
                "password": APP_PASSWORD });
        }
        if platform == "discord" {
            request = json!({ "platform": platform, "login": person.login,
                "identifier": DISCORD_CHANNEL, "password": DISCORD_BOT });
        }
        if platform == "telegram" {
            request = json!({ "platform": platform, "identifier": format!("@{}", person.handle),
                "password": TELEGRAM_BOT });
        }
        if platform == "whatsapp" {
            request = json!({ "platform": platform, "identifier": person.handle,
                "password": SYSTEM_TOKEN });
        }
        if platform == "wordpress" {
            request = json!({ "platform": platform, "server": server,
                "identifier": person.handle, "password": APPLICATION_PASSWORD });
        }
        if platform == "webhook" {
            request = json!({ "platform": platform, "identifier": server });
        }
        let begun = self.post("/accounts/connect", &request).await?;
        if let Some(secret) = begun["secret"].as_str() {
            hand_over(server, secret).await?;
        }
        if begun["state"] == "connected" {
            return Ok(text(&begun, "/account/id"));
        }
        agree(&text(&begun, "/visit_url"), person.signs_in_as()).await?;
        if person.chosen_by.is_some() {
            return self.choose(&text(&begun, "/connection"), person.handle).await;
        }
        // In the order of their making, so the new one is the last.
        let accounts = self.get("/accounts?limit=200").await?;
        let newest = accounts["items"].as_array().and_then(|items| items.last());
        Ok(newest.map(|account| text(account, "/id")).unwrap_or_default())
    }

    /// One of the pages or organizations that the sign-in gives access to. A location of Google's
    /// goes by its address, so there the first will do.
    async fn choose(&self, connection: &str, handle: &str) -> Result<String, Failure> {
        let path = format!("/connections/{connection}");
        let offered = self.get(&path).await?;
        let targets = || offered["targets"].as_array().into_iter().flatten();
        let by_name = targets().find(|target| target["handle"] == handle);
        let first = || targets().next().filter(|_| offered["platform"] == "googlebusiness");
        let Some(wanted) = by_name.or_else(first) else {
            let sentence = format!("There is no {handle} to choose: {offered}");
            return Err(Failure::NotDone(sentence));
        };
        let chosen = self.post(&path, &json!({ "targets": [wanted["id"]] })).await?;
        Ok(text(&chosen, "/accounts/0/id"))
    }
}

pub(super) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, Failure> {
    loopback::send(method, url, headers, body)
        .await
        .map_err(|error| Failure::NotDone(format!("Nobody answered {method} {url}: {error}.")))
}

/// Opens the consent page, fills in its form as `handle`, and follows the way back to Fanfare.
async fn agree(page: &str, handle: &str) -> Result<(), Failure> {
    expect(&send("GET", page, &[], b"").await?, 200, "the consent page")?;
    let mut address = Url::parse(page)
        .map_err(|error| Failure::NotDone(format!("{page} is no address: {error}.")))?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(address.query_pairs());
    form.append_pair("handle", handle).append_pair("decision", "allow");
    address.set_query(None);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = form.finish();
    let agreed = send("POST", address.as_str(), &headers, form.as_bytes()).await?;
    let back = match agreed.header("location") {
        Some(back) => back.to_owned(),
        None => return expect(&agreed, 302, "the consent form"),
    };
    expect(&send("GET", &back, &[], b"").await?, 200, "the way back")
}

/// Gives the receiver at this address the secret that events are signed with; now it checks them.
async fn hand_over(receiver: &str, secret: &str) -> Result<(), Failure> {
    let control = receiver.replacen("/webhook/", "/_sandbox/webhooks/", 1);
    let body = json!({ "secret": secret }).to_string();
    expect(&send("POST", &control, &[], body.as_bytes()).await?, 201, "a receiver's secret")
}

fn expect(answer: &Answer, status: u16, what: &str) -> Result<(), Failure> {
    if answer.status == status {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&answer.body);
    Err(Failure::NotDone(format!("{what} was answered {}: {words}", answer.status)))
}
