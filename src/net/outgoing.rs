//! A connector's request made ready to leave: secrets in their places, files open.
//!
//! Everything that can be wrong with a request by itself is found here, before anything is sent.

use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName};
use reqwest::header::{HeaderValue, LOCATION};
use serde_json::Value;
use sha2::Sha256;
use url::{Url, form_urlencoded};

use crate::{
    connectors::{Auth, Body, Fill, Method, Request, SecretName},
    domain::{secret::Secret, time::Timestamp},
    net::{
        Error, Files, Secrets,
        upload::{self, Upload},
    },
};

pub(super) struct Outgoing {
    pub(super) method: reqwest::Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

pub(super) enum Content {
    Empty,
    Bytes(Bytes),
    File(Upload),
    /// The form carries the file; its length decides how much time it gets.
    Multipart {
        form: reqwest::multipart::Form,
        length: u64,
    },
}

impl Outgoing {
    pub(super) async fn compose(
        request: &Request,
        secrets: &Secrets,
        files: &Files,
        now: Timestamp,
    ) -> Result<Outgoing, Error> {
        let (content, content_type) = content(request, secrets, files).await?;
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::not_sent(format!("`{name}` is no header name")))?;
            let value = header_value(value)
                .ok_or_else(|| Error::not_sent(format!("header `{name}` has a wrong value")))?;
            headers.append(name, value);
        }
        if let Some(content_type) = content_type
            && !headers.contains_key(CONTENT_TYPE)
        {
            let value = header_value(&content_type)
                .ok_or_else(|| Error::not_sent("the content type has a wrong value"))?;
            headers.insert(CONTENT_TYPE, value);
        }
        if request.auth == Auth::Signed {
            sign(&mut headers, &content, secrets, now)?;
        }
        if let Some(value) = authorization(request.auth, secrets)? {
            headers.insert(AUTHORIZATION, value);
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut url = parse(&in_the_path(request, secrets)?)?;
        if matches!(request.body, Body::Empty) {
            for fill in request.fills.iter().filter(|fill| !is_in_the_path(fill)) {
                let secret = secrets.get(fill.secret)?.expose();
                url.query_pairs_mut().append_pair(&fill.place, secret);
            }
        }
        Ok(Outgoing { method, url, headers, content })
    }

    pub(super) fn is_upload(&self) -> bool {
        match self.content {
            Content::Empty | Content::Bytes(_) => false,
            Content::File(_) | Content::Multipart { .. } => true,
        }
    }

    /// Bytes whose number decides how long sending may take.
    pub(super) fn upload_length(&self) -> u64 {
        match &self.content {
            Content::Empty | Content::Bytes(_) => 0,
            Content::File(upload) => upload.length,
            Content::Multipart { length, .. } => *length,
        }
    }

    /// What a redirect of this request is made from. `None`: it changes something, and whether the
    /// server that redirects has already acted on it cannot be known.
    pub(super) fn trail(&self) -> Option<Trail> {
        let is_read = self.method == reqwest::Method::GET && matches!(self.content, Content::Empty);
        is_read.then(|| Trail { url: self.url.clone(), headers: self.headers.clone() })
    }

    pub(super) fn into_reqwest(
        self,
        client: &reqwest::Client,
    ) -> reqwest::Result<reqwest::Request> {
        let Outgoing { method, url, headers, content } = self;
        let has_body = method == reqwest::Method::POST || method == reqwest::Method::PUT;
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        match content {
            // Some servers answer 411 to a POST that does not say that it has no body.
            Content::Empty if has_body => {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            Content::Empty => {}
            Content::Bytes(bytes) => *request.body_mut() = Some(reqwest::Body::from(bytes)),
            Content::File(upload) => {
                // Without this a stream would be sent in chunks, which upload servers refuse.
                let length = HeaderValue::from(upload.length);
                request.headers_mut().insert(CONTENT_LENGTH, length);
                *request.body_mut() = Some(upload.into_body());
            }
            Content::Multipart { form, .. } => {
                return reqwest::RequestBuilder::from_parts(client.clone(), request)
                    .multipart(form)
                    .build();
            }
        }
        Ok(request)
    }
}

/// Enough of a read to follow where its answer points.
pub(super) struct Trail {
    url: Url,
    headers: HeaderMap,
}

impl Trail {
    /// The read that a redirect asks for; `None` if the answer is none.
    pub(super) fn follow(&mut self, status: u16, answer: &HeaderMap) -> Option<Outgoing> {
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let mut next = self.url.join(answer.get(LOCATION)?.to_str().ok()?).ok()?;
        next.set_fragment(None);
        if next.origin() != self.url.origin() {
            // The token is for the server that it was given by, not for whom that one names.
            self.headers.remove(AUTHORIZATION);
        }
        self.url = next.clone();
        Some(Outgoing {
            method: reqwest::Method::GET,
            url: next,
            headers: self.headers.clone(),
            content: Content::Empty,
        })
    }
}

/// The parser's own words name no part of the URL, which may hold what is nobody's business.
pub(super) fn parse(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|error| Error::not_sent(format!("the address is no URL: {error}")))
}

async fn content(
    request: &Request,
    secrets: &Secrets,
    files: &Files,
) -> Result<(Content, Option<String>), Error> {
    let fills: Vec<Fill> =
        request.fills.iter().filter(|fill| !is_in_the_path(fill)).cloned().collect();
    let fills = fills.as_slice();
    Ok(match &request.body {
        // Its secrets are in the address already.
        Body::Empty => (Content::Empty, None),
        Body::File { .. } if !fills.is_empty() => {
            return Err(Error::not_sent("a secret is asked for where there is no place for it"));
        }
        Body::Json(value) => {
            let written = if fills.is_empty() {
                serde_json::to_vec(value)
            } else {
                serde_json::to_vec(&filled_json(value, fills, secrets)?)
            };
            let bytes = written.map_err(|_| Error::not_sent("the body cannot be written"))?;
            (Content::Bytes(Bytes::from(bytes)), Some("application/json".to_owned()))
        }
        Body::Form(fields) => {
            let fields = filled_form(fields, fills, secrets)?;
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(fields);
            let bytes = Bytes::from(form.finish());
            (Content::Bytes(bytes), Some("application/x-www-form-urlencoded".to_owned()))
        }
        Body::File { media, range, content_type } => {
            let (path, expected) = files.get(media).ok_or_else(no_file)?;
            let upload = Upload::open(path, *expected, *range).await?;
            (Content::File(upload), Some(content_type.clone()))
        }
        Body::Multipart { fields, files: parts } => {
            let mut form = reqwest::multipart::Form::new();
            for (name, value) in filled_form(fields, fills, secrets)? {
                form = form.text(name.to_owned(), value.to_owned());
            }
            let mut total = 0;
            for file in parts {
                let (path, expected) = files.get(&file.media).ok_or_else(no_file)?;
                let upload = match &file.cipher {
                    None => Upload::open(path, *expected, file.range).await?,
                    Some(cipher) => Upload::encrypted(path, *expected, file.range, cipher).await?,
                };
                let length = upload.length;
                total += length;
                let part = reqwest::multipart::Part::stream_with_length(upload.into_body(), length)
                    .file_name(file.file_name.clone())
                    .mime_str(&file.content_type)
                    .map_err(|_| Error::not_sent("the content type has a wrong value"))?;
                form = form.part(file.field.clone(), part);
            }
            (Content::Multipart { form, length: total }, None)
        }
        Body::JsonWithFiles { value, files: wanted } => {
            let mut value = filled_json(value, fills, secrets)?;
            for (place, media) in wanted {
                let (path, expected) = files.get(media).ok_or_else(no_file)?;
                let bytes = upload::whole(path, *expected).await?;
                let text = Value::String(BASE64_STANDARD.encode(bytes));
                put(&mut value, place, text).ok_or_else(|| {
                    Error::not_sent(format!("the body has no place `{place}` for a file"))
                })?;
            }
            let written = serde_json::to_vec(&value);
            let bytes = written.map_err(|_| Error::not_sent("the body cannot be written"))?;
            (Content::Bytes(Bytes::from(bytes)), Some("application/json".to_owned()))
        }
    })
}

fn is_in_the_path(fill: &Fill) -> bool {
    fill.place.starts_with('{')
}

/// The address with its secrets in it. One that could change what the address means is refused.
fn in_the_path(request: &Request, secrets: &Secrets) -> Result<String, Error> {
    let mut url = request.url.clone();
    for fill in request.fills.iter().filter(|fill| is_in_the_path(fill)) {
        let secret = secrets.get(fill.secret)?.expose();
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/~".contains(letter);
        if !secret.chars().all(fits) || secret.split('/').any(|piece| piece == "..") {
            return Err(Error::not_sent("the secret has letters that no address may have"));
        }
        if !url.contains(&fill.place) {
            return Err(Error::not_sent(format!("the address has no `{}`", fill.place)));
        }
        url = url.replace(&fill.place, secret);
    }
    Ok(url)
}

const WEBHOOK_ID: &str = "webhook-id";

/// "`{id}.{timestamp}.{body}`", HMAC-SHA256 by the bytes that the secret stands for, in base 64
/// (standardwebhooks.com, specification 1.0, as of 2026-08). The time is of this sending, so it is
/// signed anew each time, while the id stays.
fn sign(
    headers: &mut HeaderMap,
    content: &Content,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<(), Error> {
    let id = headers.get(WEBHOOK_ID).and_then(|id| id.to_str().ok());
    let id = id.ok_or_else(|| Error::not_sent("a signed request has no id"))?;
    let body = match content {
        Content::Bytes(bytes) => bytes.as_ref(),
        Content::Empty => &[],
        Content::File(_) | Content::Multipart { .. } => {
            return Err(Error::not_sent("what is streamed cannot be signed"));
        }
    };
    let secret = secrets.get(SecretName::Access)?.expose();
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
        let value = header_value(&text).ok_or_else(|| Error::not_sent("it cannot be signed"))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(())
}

fn no_file() -> Error {
    Error::not_sent("a file is missing: it is not among the post's media")
}

fn filled_json(value: &Value, fills: &[Fill], secrets: &Secrets) -> Result<Value, Error> {
    let mut value = value.clone();
    for fill in fills {
        let text = Value::String(secrets.get(fill.secret)?.expose().to_owned());
        put(&mut value, &fill.place, text).ok_or_else(|| {
            Error::not_sent(format!("the body has no place `{}` for a secret", fill.place))
        })?;
    }
    Ok(value)
}

/// Puts `text` at a JSON pointer. The last step may be new; those before it must exist.
fn put(value: &mut Value, pointer: &str, text: Value) -> Option<()> {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = text;
        return Some(());
    }
    let (parent, name) = pointer.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    value.pointer_mut(parent)?.as_object_mut()?.insert(name, text);
    Some(())
}

/// A secret takes the place of the field of that name, or comes last.
fn filled_form<'a>(
    fields: &'a [(String, String)],
    fills: &'a [Fill],
    secrets: &'a Secrets,
) -> Result<Vec<(&'a str, &'a str)>, Error> {
    let mut filled: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for fill in fills {
        let secret = secrets.get(fill.secret)?.expose();
        match filled.iter_mut().find(|(name, _)| *name == fill.place) {
            Some((_, value)) => *value = secret,
            None => filled.push((&fill.place, secret)),
        }
    }
    Ok(filled)
}

impl Secrets {
    fn get(&self, name: SecretName) -> Result<&Secret, Error> {
        let (secret, what) = match name {
            SecretName::Access => (&self.access, "access token"),
            SecretName::Refresh => (&self.refresh, "refresh token"),
            SecretName::Password => (&self.password, "password"),
            SecretName::ClientId => (&self.client_id, "client id"),
            SecretName::ClientSecret => (&self.client_secret, "client secret"),
        };
        given(secret.as_ref(), what)
    }
}

fn given<'a>(secret: Option<&'a Secret>, what: &str) -> Result<&'a Secret, Error> {
    secret.ok_or_else(|| Error::not_sent(format!("the request needs the {what}; there is none")))
}

fn authorization(auth: Auth, secrets: &Secrets) -> Result<Option<HeaderValue>, Error> {
    let bearer = |secret: &Secret| format!("Bearer {}", secret.expose());
    let text = match auth {
        // A signature is no authorization: its headers are set elsewhere.
        Auth::None | Auth::Signed => return Ok(None),
        Auth::Access => bearer(secrets.get(SecretName::Access)?),
        Auth::AccessAs(scheme) => {
            format!("{scheme} {}", secrets.get(SecretName::Access)?.expose())
        }
        Auth::Refresh => bearer(secrets.get(SecretName::Refresh)?),
        Auth::Kept => bearer(given(secrets.kept.as_ref(), "secret that was kept")?),
        Auth::App => {
            basic(secrets.get(SecretName::ClientId)?, secrets.get(SecretName::ClientSecret)?)
        }
    };
    let mut value = header_value(&text)
        .ok_or_else(|| Error::not_sent("a token has letters that no header may have"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// RFC 6749, section 2.3.1: each half is form-encoded before they are joined.
fn basic(id: &Secret, secret: &Secret) -> String {
    let encoded = |half: &Secret| {
        form_urlencoded::byte_serialize(half.expose().as_bytes()).collect::<String>()
    };
    let pair = format!("{}:{}", encoded(id), encoded(secret));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
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
        let fills = places
            .iter()
            .map(|&(place, secret)| Fill { place: place.to_owned(), secret })
            .collect();
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
        let places =
            [("/inner/password", SecretName::Password), ("/client~1id", SecretName::ClientId)];
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

    /// The vector of the specification.
    #[tokio::test]
    async fn webhook_is_signed_as_the_standard_has_it() {
        let mut request = request(Body::Json(json!({ "test": 2_432_232_314_u64 })), &[]);
        request.auth = Auth::Signed;
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secrets = Secrets { access: Some(Secret::new(secret)), ..Secrets::default() };
        let unnamed = Outgoing::compose(&request, &secrets, &Files::new(), NOW).await;
        assert!(matches!(unnamed.err(), Some(Error::NotSent { .. })));
        request.headers.push((WEBHOOK_ID, "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()));
        let outgoing = Outgoing::compose(&request, &secrets, &Files::new(), NOW).await.unwrap();
        let header = |name: &str| outgoing.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("webhook-timestamp"), "1614265330");
        // The body of the vector has a space, which ours has not; theirs is signed below.
        let spaced = Content::Bytes(Bytes::from_static(b"{\"test\": 2432232314}"));
        let mut headers = outgoing.headers.clone();
        sign(&mut headers, &spaced, &secrets, NOW).unwrap();
        let wanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers["webhook-signature"], wanted);
        assert_ne!(header("webhook-signature"), wanted);
    }

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
        let asked =
            Outgoing { url: parse("http://127.0.0.1:1/?a=the-access").unwrap(), ..outgoing };
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
            let outgoing =
                Outgoing::compose(&request, &secrets(), &Files::new(), NOW).await.unwrap();
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
}
