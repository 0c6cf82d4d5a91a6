//! Sends one request once, and says for certain or not at all that it was not sent.
//!
//! **What could send twice, and why it does not.** reqwest follows redirects and repeats what an
//! HTTP/2 server turned away: both are switched off, and HTTP/2 with them. Below it, hyper-util
//! repeats a request on another connection if the pooled one had been closed: only when hyper
//! gives the whole request back, which it does only for one that is still in its queue, so that
//! not a byte of it was written (`TrySendError::message`, "the message was never even started";
//! hyper 1.12, hyper-util 0.1.21). That can never send twice, so it stays: it turns a stale
//! connection into a fresh one. A request that hyper has begun to write is never given back; it
//! fails, and is [`Error::Unanswered`].
//!
//! **What is known not to be sent**: what fails before a connection stands (`is_connect`: name,
//! TCP, TLS), and what fails in our own hands. A connection that ends without an answer proves
//! nothing, whether it was new or not.

use std::{borrow::Cow, error::Error as _, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use url::Url;

use crate::{
    clock::Clock,
    connectors::{Reply, Request},
    domain::{
        mortality::{Life, Mortality},
        time::Timestamp,
    },
    net::{
        Error, Files, Secrets, Settings,
        breaker::Ending,
        guard::{self, PublicOnly, Refused, Way},
        hosts::Hosts,
        outgoing::Outgoing,
        server::{self, Unclear},
    },
};

const REDIRECTS_MAX: u32 = 3;
const UPLOAD_BYTES_PER_SECOND_MIN: u64 = 64 * 1024;
const UPLOAD_MAX: Duration = Duration::from_secs(15 * 60);
const TEXT_CHARS_MAX: usize = 300;

/// A server that closes a connection just as we write to it leaves the request in doubt, so we
/// close first. The shortest keep-alive in common use is five seconds (Node.js).
const IDLE_MAX: Duration = Duration::from_secs(4);

/// Cheap to clone; all clones share connections, places and breakers.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    settings: Settings,
    clock: Clock,
    mortality: Mortality,
    hosts: Hosts,
    guarded: Wire,
    open: Wire,
}

/// A built client, or why there is none.
struct Wire {
    client: Result<reqwest::Client, String>,
    /// Why no certificate can be checked, if so. Plain http still works then.
    untrusting: Option<String>,
}

/// What a server said, unread.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) at: Timestamp,
}

/// How a request went wrong, and whether that speaks against the host.
struct Failure {
    error: Error,
    ending: Ending,
}

impl Client {
    /// Always succeeds: what keeps requests from being sent is said when one is.
    pub fn new(settings: Settings, clock: Clock, mortality: Mortality) -> Client {
        Client::trusting(Roots::Platform, settings, clock, mortality)
    }

    fn trusting(roots: Roots, settings: Settings, clock: Clock, mortality: Mortality) -> Client {
        // An error means that one is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guarded = Wire::build(&settings, Way::Guarded, roots);
        let open = Wire::build(&settings, Way::Open, roots);
        let hosts = Hosts::new(&settings);
        Client(Arc::new(Shared { settings, clock, mortality, hosts, guarded, open }))
    }

    /// Sends `request` once. A GET is read on through a few redirects.
    pub async fn send(
        &self,
        request: &Request,
        secrets: &Secrets,
        files: &Files,
    ) -> Result<Reply, Error> {
        let outgoing = Outgoing::compose(request, secrets, files, self.0.clock.now()).await?;
        let answer = self.perform(outgoing).await?;
        Ok(answer.into_reply(secrets))
    }

    /// The base URL of the server that a person named; see [`server::base_url`].
    pub fn server(&self, typed: &str) -> Result<String, Unclear> {
        server::base_url(typed, &self.0.settings.allowed_origins)
    }

    pub(super) async fn perform(&self, outgoing: Outgoing) -> Result<Answer, Error> {
        let Some(mut trail) = outgoing.trail() else {
            return self.exchange(outgoing).await;
        };
        let mut answer = self.exchange(outgoing).await?;
        for _ in 0..REDIRECTS_MAX {
            let Some(next) = trail.follow(answer.status, &answer.headers) else {
                return Ok(answer);
            };
            answer = self.exchange(next).await.map_err(after_an_answer)?;
        }
        match trail.follow(answer.status, &answer.headers) {
            Some(_) => Err(Error::unanswered("the server redirects in circles")),
            None => Ok(answer),
        }
    }

    /// One request, one answer.
    async fn exchange(&self, outgoing: Outgoing) -> Result<Answer, Error> {
        let Shared { settings, clock, mortality, hosts, .. } = &*self.0;
        let client = self.wire(&outgoing.url)?;
        let host = hosts.of(&outgoing.url);
        let is_upload = outgoing.is_upload();
        let Some(Ok(_place)) = clock.within(settings.queue, host.place(is_upload)).await else {
            return Err(Error::not_sent("too many requests to this server are under way"));
        };
        let pass = host.pass(clock).map_err(|until| Error::NotSent {
            reason: format!("{} does not answer; asked again later", name(&outgoing.url)),
            until: Some(until),
        })?;
        let last_breath = match mortality.send() {
            Life::Alive => None,
            Life::Last => Some(LastBreath(mortality)),
            Life::Dead => return Err(Error::not_sent("stopped")),
        };
        let limit = time_limit(settings, &outgoing);
        let transfer = self.transfer(client, outgoing);
        let outcome = clock.within(limit, transfer).await.unwrap_or_else(|| {
            let reason = format!("no answer within {} s", limit.as_secs_f32());
            Err(Failure { error: Error::unanswered(reason), ending: Ending::Failed })
        });
        pass.ended(match &outcome {
            Ok(answer) => verdict(answer.status),
            // A slow upload may be our own line's fault.
            Err(_) if is_upload => Ending::Unknown,
            Err(failure) => failure.ending,
        });
        drop(last_breath);
        if mortality.is_dead() {
            return Err(Error::unanswered("stopped"));
        }
        outcome.map_err(|failure| failure.error)
    }

    async fn transfer(
        &self,
        client: &reqwest::Client,
        outgoing: Outgoing,
    ) -> Result<Answer, Failure> {
        let host = name(&outgoing.url);
        let bytes_max = self.0.settings.reply_bytes_max;
        let request = outgoing.into_reqwest(client).map_err(|error| Failure {
            error: Error::not_sent(format!("cannot be built: {}", innermost(&error))),
            ending: Ending::Unknown,
        })?;
        let sent = client.execute(request).await;
        let mut response = sent.map_err(|error| classify(&host, error))?;
        let too_large = || Failure {
            error: Error::unanswered(format!("the answer is larger than {bytes_max} bytes")),
            ending: Ending::Answered,
        };
        let announced = response
            .content_length()
            .map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced > bytes_max {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced);
        loop {
            let chunk: Option<Bytes> = response.chunk().await.map_err(|error| Failure {
                error: Error::unanswered(format!("the answer broke off: {}", innermost(&error))),
                ending: Ending::Failed,
            })?;
            let Some(chunk) = chunk else { break };
            if body.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer { status, headers, body, at: self.0.clock.now() })
    }

    fn wire(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        let Shared { settings, guarded, open, .. } = &*self.0;
        let way = guard::way(url, settings).map_err(|Refused(reason)| Error::not_sent(reason))?;
        let wire = match way {
            Way::Guarded => guarded,
            Way::Open => open,
        };
        match (&wire.client, &wire.untrusting) {
            (Err(reason), _) => Err(Error::not_sent(reason.clone())),
            (_, Some(reason)) if url.scheme() == "https" => Err(Error::not_sent(format!(
                "no server's certificate can be checked on this machine: {reason}. \
                 Install the system's CA certificates, or name them in SSL_CERT_FILE, and restart"
            ))),
            (Ok(client), _) => Ok(client),
        }
    }
}

/// Which certificate authorities are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Roots {
    Platform,
    None,
}

impl Wire {
    fn build(settings: &Settings, way: Way, roots: Roots) -> Wire {
        let mut builder = reqwest::Client::builder()
            .user_agent(&settings.user_agent)
            .connect_timeout(settings.connect)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(settings.calls_max + settings.uploads_max)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only();
        if way == Way::Guarded {
            builder = builder.dns_resolver(PublicOnly);
        }
        if roots == Roots::None {
            builder = builder.tls_certs_only([]);
        }
        match (builder.build(), roots) {
            (Err(error), Roots::Platform) => Wire {
                untrusting: Some(innermost(&error)),
                ..Wire::build(settings, way, Roots::None)
            },
            (built, _) => Wire {
                client: built.map_err(|error| format!("no client: {}", innermost(&error))),
                untrusting: (roots == Roots::None).then(|| "it has none".to_owned()),
            },
        }
    }
}

impl Answer {
    pub(super) fn into_reply(self, secrets: &Secrets) -> Reply {
        let body = serde_json::from_slice(&self.body).unwrap_or_else(|_| match self.text() {
            // Shortened last: half a secret would not be recognised.
            Some(text) => {
                let text = secrets.redact(&text);
                Value::String(text.trim().chars().take(TEXT_CHARS_MAX).collect())
            }
            None => Value::Null,
        });
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        Reply { status: self.status, headers, body, at: self.at }
    }

    /// The beginning of a text that is no JSON: a proxy's error page says more than its number.
    fn text(&self) -> Option<Cow<'_, str>> {
        let kind = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        if self.body.is_empty() || !kind.trim().to_ascii_lowercase().starts_with("text/") {
            return None;
        }
        Some(String::from_utf8_lossy(&self.body))
    }
}

/// Dies when dropped: after the answer, or when the one who waited for it is gone.
struct LastBreath<'a>(&'a Mortality);

impl Drop for LastBreath<'_> {
    fn drop(&mut self) {
        self.0.die();
    }
}

fn classify(host: &str, error: reqwest::Error) -> Failure {
    if let Some(Refused(reason)) = refusal(&error) {
        return Failure { error: Error::not_sent(reason.clone()), ending: Ending::Unknown };
    }
    let words = innermost(&error);
    if error.is_builder() {
        let error = Error::not_sent(format!("cannot be built: {words}"));
        return Failure { error, ending: Ending::Unknown };
    }
    let error = if error.is_connect() {
        Error::not_sent(format!("could not connect to {host}: {words}"))
    } else {
        Error::unanswered(format!("{host} did not answer: {words}"))
    };
    Failure { error, ending: Ending::Failed }
}

/// After the first answer it cannot be said that nothing was sent.
fn after_an_answer(error: Error) -> Error {
    match error {
        Error::NotSent { reason, .. } => {
            Error::unanswered(format!("the server redirects, but then: {reason}"))
        }
        Error::Unanswered { .. } => error,
    }
}

/// Gateways answer these when the host behind them does not. 500 is the host's own answer.
fn verdict(status: u16) -> Ending {
    match status {
        502..=504 | 520..=526 => Ending::Failed,
        _ => Ending::Answered,
    }
}

fn time_limit(settings: &Settings, outgoing: &Outgoing) -> Duration {
    let for_bytes = Duration::from_secs(outgoing.upload_length() / UPLOAD_BYTES_PER_SECOND_MIN);
    (settings.total + for_bytes).min(UPLOAD_MAX.max(settings.total))
}

fn refusal(error: &reqwest::Error) -> Option<&Refused> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return Some(refused);
        }
        source = cause.source();
    }
    None
}

/// The first cause alone: the layers above it only add where in the libraries it passed, and the
/// outermost names the URL.
fn innermost(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else {
        return "no cause is known".to_owned();
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn name(url: &Url) -> String {
    format!("`{}`", url.host_str().unwrap_or("nowhere"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tests::stub::{Act, Server, ok};

    #[tokio::test]
    async fn machine_without_certificate_authorities_still_reaches_allowed_plain_http() {
        let server = Server::start(|_| Act::Say(ok("{}"))).await;
        let settings = server.settings();
        let client = Client::trusting(Roots::None, settings, Clock::wall(), Mortality::default());
        let (secrets, files) = (Secrets::default(), Files::new());
        let mut plain = Request::get(server.url("/"));
        plain.auth = crate::connectors::Auth::None;
        assert_eq!(client.send(&plain, &secrets, &files).await.unwrap().status, 200);

        let secure = Request { url: "https://example.com/".to_owned(), ..plain };
        let error = client.send(&secure, &secrets, &files).await.unwrap_err();
        assert!(matches!(&error, Error::NotSent { reason, .. } if reason.contains("certificate")));
    }

    #[test]
    fn uploads_get_time_in_proportion_up_to_a_quarter_of_an_hour() {
        let settings = Settings::standard();
        let limit = |length| {
            let form = reqwest::multipart::Form::new();
            let content = crate::net::outgoing::Content::Multipart { form, length };
            let url = Url::parse("https://example.com").unwrap();
            let headers = HeaderMap::new();
            let method = reqwest::Method::POST;
            time_limit(&settings, &Outgoing { method, url, headers, content }).as_secs()
        };
        assert_eq!(limit(0), 30);
        assert_eq!(limit(64 * 1024 * 60), 90);
        assert_eq!(limit(u64::MAX), 900);
    }
}
