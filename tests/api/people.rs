//! People who use the API in a browser, for the tests of this folder.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::world::{Told, World, told};

pub(crate) const PASSWORD: &str = "quiet gulls above lanterns";
pub(crate) const OWNER: &str = "ada@example.org";

/// Somebody's browser: it keeps the cookie that it is given, and sends the token along.
pub(crate) struct Browser<'a> {
    pub(crate) world: &'a World,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) person: String,
}

impl Browser<'_> {
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = self.world.bare(method, &format!("/api/v1{path}"));
        request.header("cookie", &self.cookie).header("fanfare-csrf", &self.csrf)
    }

    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Told {
        let answer = told(request).await;
        if let Some(given) = answer.headers.get("set-cookie") {
            self.cookie = pair(given);
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Told {
        let request = self.request("GET", path).header("accept", "application/json");
        self.send(request).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Told {
        let request = self.request("DELETE", path);
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Told {
        let request = self.request("POST", path).json(&body);
        self.send(request).await
    }

    pub(crate) async fn patch(&mut self, path: &str, body: Value) -> Told {
        let request = self.request("PATCH", path).json(&body);
        self.send(request).await
    }

    /// Whether a request with this cookie is still let in.
    pub(crate) async fn is_in(&self) -> bool {
        told(self.request("GET", "/session")).await.status == 200
    }
}

/// `name=value` of a cookie that is set.
pub(crate) fn pair(set_cookie: &str) -> String {
    set_cookie.split(';').next().unwrap().to_owned()
}

/// The last part of a link.
pub(crate) fn token(link: &str) -> &str {
    link.rsplit('/').next().unwrap()
}

impl World {
    pub(crate) fn browser(&self, seated: &Told) -> Browser<'_> {
        assert_eq!(seated.status, 200, "{}", seated.body);
        Browser {
            world: self,
            cookie: pair(&seated.headers["set-cookie"]),
            csrf: seated.text("/csrf"),
            person: seated.text("/person"),
        }
    }

    pub(crate) async fn open(&self, path: &str, body: Value) -> Told {
        told(self.bare("POST", &format!("/api/v1{path}")).json(&body)).await
    }

    /// The owner whom the organization was founded with.
    pub(crate) async fn owner(&self) -> Browser<'_> {
        let link = self.engine.open_setup().unwrap().unwrap();
        let token = token(link.expose());
        let body = json!({ "token": token, "name": "Ada", "email": OWNER, "password": PASSWORD });
        let seated = self.open("/setup", body).await;
        self.browser(&seated)
    }

    pub(crate) async fn invited(&self, role: &str) -> String {
        let made = self.post("/invitations", &json!({ "role": role })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        token(&made.text("/link")).to_owned()
    }

    /// Somebody new in the first organization.
    pub(crate) async fn member(&self, role: &str, email: &str) -> Browser<'_> {
        let token = self.invited(role).await;
        let name = email.split('@').next().unwrap();
        let body = json!({ "token": token, "name": name, "email": email, "password": PASSWORD });
        let seated = self.open("/invitations/accept", body).await;
        self.browser(&seated)
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Told {
        self.open("/session", json!({ "email": email, "password": password })).await
    }

    pub(crate) fn turn(&self, forward: Duration) {
        self.clock.turn(i64::try_from(forward.as_millis()).unwrap());
    }

    /// The kinds of everything that happened, with who did it.
    pub(crate) async fn happened(&self) -> Vec<(String, String)> {
        let request = self.request("GET", "/api/v1/events?limit=200");
        let events = told(request.header("accept", "application/json")).await;
        let items = events.json["items"].as_array().unwrap().iter();
        let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        items.map(|event| (text(event, "kind"), text(event, "actor"))).collect()
    }
}

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
