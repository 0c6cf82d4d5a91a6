//! The contract every platform keeps, and the list of platforms we ship.
//!
//! A connector is pure: a step becomes one request, and the reply becomes the next step. It never
//! sends, sleeps, retries, stores, logs or reads the clock; the engine does all six, once, for
//! every platform. The engine saves a step before it sends that step's request, so a crash resumes
//! there. An errand is the same shape for what is not a delivery: signing in, refreshing, removing.
//!
//! Never: a token. Requests say where a secret goes ([`Auth`], [`Fill`]); the engine puts it there.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::domain::{
    account::Identity,
    delivery::Live,
    ids::{DeliveryId, MediaId},
    media::MediaKind,
    platform::{Limits, PaceScope, Profile},
    problem::Problem,
    refusal::{Refusal, RefusalKind},
    secret::Secret,
    time::Timestamp,
};

pub mod bluesky;
pub mod discord;
pub mod facebook;
pub mod googlebusiness;
pub mod instagram;
pub mod linkedin;
pub mod mastodon;
mod meta;
pub mod pinterest;
pub mod slack;
pub mod snapchat;
pub mod telegram;
pub mod threads;
pub mod tiktok;
pub mod webhook;
pub mod whatsapp;
pub mod wordpress;
pub mod x;
pub mod youtube;

/// What a platform's file provides, in this order.
pub trait Connector {
    const PROFILE: Profile;

    /// Where a delivery stands. Stored: variants may be added, never given a new meaning.
    type Step: Serialize + DeserializeOwned;

    /// Where an errand stands. Kept in memory only: an errand that is cut off begins again.
    type Errand: Serialize + DeserializeOwned;

    fn begin(job: &Job) -> Self::Step;

    fn request(step: &Self::Step, job: &Job) -> Request;

    fn accept(step: Self::Step, job: &Job, reply: &Reply) -> Result<Next<Self::Step>, Refusal>;

    /// The read that tells whether `step`'s request took effect. `None`: no read can tell.
    fn probe(step: &Self::Step, job: &Job) -> Option<Request>;

    /// Reads a probe's answer.
    fn recognise(step: Self::Step, job: &Job, reply: &Reply) -> Sighting<Self::Step>;

    /// How many pieces are live in the end: one for each part, unless a part goes out several
    /// times.
    fn pieces(job: &Job) -> usize {
        job.parts.len()
    }

    /// What readers can already see at `step`: the earlier parts of a thread.
    fn live(step: &Self::Step, job: &Job) -> Vec<Live>;

    /// The platform has taken what [`Connector::live`] tells last, and may still refuse it: it is
    /// not published before its connector says so. To begin anew could publish it twice.
    fn is_undecided(_step: &Self::Step) -> bool {
        false
    }

    /// A person says that what this step sent is there, and not by what id: how it goes on. `None`:
    /// what would follow has to name it, so nothing more is sent.
    fn vouched(_step: Self::Step, _job: &Job) -> Option<Next<Self::Step>> {
        None
    }

    /// What a person has to look for, if the answer to this step is lost, beyond the post itself:
    /// "the message to +4915112345678".
    fn sought(_step: &Self::Step, _job: &Job) -> Option<String> {
        None
    }

    /// Asked while a post is planned, once it keeps to the profile's limits and option rules: what
    /// the platform cannot do all the same, and what it will do otherwise than one may think.
    fn check(_draft: &Draft) -> Vec<Finding> {
        Vec::new()
    }

    /// Makes what a person pasted into what the errands expect, or says what is wrong with it: a
    /// webhook's address becomes its id and its token. The only place where a connector sees a
    /// secret; it keeps none.
    fn paste(pasted: Paste) -> Result<Paste, Problem> {
        Ok(pasted)
    }

    /// `None`: there is no such errand here, and none is needed.
    fn errand(task: &Task, site: &Site) -> Option<Self::Errand>;

    fn errand_request(errand: &Self::Errand, site: &Site) -> Request;

    fn errand_accept(
        errand: Self::Errand,
        site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Self::Errand>, Refusal>;
}

/// A `Connector` whose step travels as JSON, so that the engine and the store can hold any of them.
/// An outer error means that the stored step is not one of this connector's.
pub trait AnyConnector: Sync {
    fn profile(&self) -> &'static Profile;
    fn begin(&self, job: &Job) -> Value;
    fn request(&self, step: &Value, job: &Job) -> serde_json::Result<Request>;
    fn accept(
        &self,
        step: &Value,
        job: &Job,
        reply: &Reply,
    ) -> serde_json::Result<Result<Next<Value>, Refusal>>;
    fn probe(&self, step: &Value, job: &Job) -> serde_json::Result<Option<Request>>;
    fn recognise(
        &self,
        step: &Value,
        job: &Job,
        reply: &Reply,
    ) -> serde_json::Result<Sighting<Value>>;
    fn pieces(&self, job: &Job) -> usize;
    fn live(&self, step: &Value, job: &Job) -> serde_json::Result<Vec<Live>>;
    fn is_undecided(&self, step: &Value) -> bool;
    fn vouched(&self, step: &Value, job: &Job) -> serde_json::Result<Option<Next<Value>>>;
    fn sought(&self, step: &Value, job: &Job) -> serde_json::Result<Option<String>>;
    fn check(&self, draft: &Draft) -> Vec<Finding>;
    fn paste(&self, pasted: Paste) -> Result<Paste, Problem>;
    fn errand(&self, task: &Task, site: &Site) -> Option<Value>;
    fn errand_request(&self, errand: &Value, site: &Site) -> serde_json::Result<Request>;
    fn errand_accept(
        &self,
        errand: &Value,
        site: &Site,
        reply: &Reply,
    ) -> serde_json::Result<Result<Progress<Value>, Refusal>>;
}

/// Alphabetical. Adding a platform is one file, one `mod` line and one line here.
pub const ALL: &[&dyn AnyConnector] = &[
    &bluesky::Bluesky,
    &discord::Discord,
    &facebook::Facebook,
    &googlebusiness::GoogleBusiness,
    &instagram::Instagram,
    &linkedin::LinkedIn,
    &mastodon::Mastodon,
    &pinterest::Pinterest,
    &slack::Slack,
    &snapchat::Snapchat,
    &telegram::Telegram,
    &threads::Threads,
    &tiktok::TikTok,
    &webhook::Webhook,
    &whatsapp::WhatsApp,
    &wordpress::WordPress,
    &x::X,
    &youtube::YouTube,
];

/// The connector with this name, as in [`Profile::platform`].
pub fn find(platform: &str) -> Option<&'static dyn AnyConnector> {
    ALL.iter().copied().find(|connector| connector.profile().platform == platform)
}

/// What a person asked for, already checked against the platform's limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub delivery: DeliveryId,
    /// The planned instant. Whatever a platform wants to be told as the time of making is this, so
    /// that a repeated request is the same request.
    pub due: Timestamp,
    pub site: Site,
    pub author: Identity,
    /// The profile's limits with what the account's server says instead.
    pub limits: Limits,
    /// Never empty. More than one is a thread.
    pub parts: Vec<JobPart>,
    pub options: BTreeMap<String, String>,
    /// When the current step was first armed; a probe looks from here. `None` before that.
    pub armed: Option<Timestamp>,
    /// The ids of what other deliveries of the account have live since about then.
    pub taken: BTreeSet<String>,
}

impl Job {
    /// Empty: the option is not set.
    pub fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }

    /// Whether what the platform lists by this id, as [`Live::id`] has it, is another delivery's:
    /// it may say the same, and is not ours.
    pub fn is_taken(&self, id: &str) -> bool {
        self.taken.contains(id)
    }
}

/// What one account would be given, while it is planned.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Perhaps empty, and its files perhaps not all there.
    pub parts: &'a [JobPart],
    pub options: &'a BTreeMap<String, String>,
    pub author: &'a Identity,
}

impl Draft<'_> {
    /// Empty: the option is not set.
    pub fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }
}

/// Said while a post is planned.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// It cannot be published like this.
    Error(Problem),
    /// It can; one may want to know.
    Warning(Problem),
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobPart {
    pub text: String,
    pub media: Vec<JobMedia>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JobMedia {
    pub id: MediaId,
    pub kind: MediaKind,
    pub mime: String,
    pub bytes: u64,
    /// In pixels, as it is shown; `None` where the format was not understood.
    pub size: Option<(u32, u32)>,
    /// Of a video, where it is known.
    pub length: Option<Duration>,
    /// As uploaded, such as `report.pdf`.
    pub name: String,
    /// Empty: no description.
    pub alt: String,
    /// Where anybody may fetch the file for some days, for platforms that take files no other way.
    /// It holds a signature: it goes to the platform and nowhere else.
    pub url: String,
}

/// Where an account lives and how we speak to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Site {
    /// Base URLs by endpoint name: the account's own, else the settings', else the profile's.
    pub endpoints: BTreeMap<String, String>,
    /// The way of signing in that the account was connected by; empty where there is only one.
    pub login: String,
    /// The version of the API to name; empty where requests name none.
    pub version: String,
}

impl Site {
    /// An absolute URL; `{version}` in the path becomes the version of the API. An endpoint that
    /// nobody set gives a path without a host, which the client refuses to send with a sentence of
    /// its own.
    pub fn url(&self, endpoint: &str, path: &str) -> String {
        let base = self.endpoints.get(endpoint).map_or("", String::as_str);
        format!("{}{}", base.trim_end_matches('/'), path.replace("{version}", &self.version))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: Method,
    /// Absolute.
    pub url: String,
    /// Lower-case names.
    pub headers: Vec<(&'static str, String)>,
    pub auth: Auth,
    pub body: Body,
    /// Secrets that belong inside the body, in the query of a request without one, or in the path.
    pub fills: Vec<Fill>,
    /// What the platform charges for it, where it has such a budget ([`PaceCounts::Units`]).
    ///
    /// [`PaceCounts::Units`]: crate::domain::platform::PaceCounts::Units
    pub units: u32,
    pub repeat: Repeat,
}

impl Request {
    /// A request that changes nothing, with the account's access token.
    pub fn get(url: String) -> Request {
        Request {
            method: Method::Get,
            url,
            headers: Vec::new(),
            auth: Auth::Access,
            body: Body::Empty,
            fills: Vec::new(),
            units: 1,
            repeat: Repeat::Harmless,
        }
    }

    /// A request that asks for a removal, with the account's access token.
    pub fn delete(url: String) -> Request {
        Request { method: Method::Delete, ..Request::get(url) }
    }

    /// A request with the account's access token.
    pub fn post(url: String, body: Body, repeat: Repeat) -> Request {
        Request { method: Method::Post, body, repeat, ..Request::get(url) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Which secret goes into the `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    None,
    /// `Bearer` and the account's access token.
    Access,
    /// Another scheme than `Bearer`, such as `OAuth`, and the account's access token.
    AccessAs(&'static str),
    /// `Bearer` and the account's refresh token.
    Refresh,
    /// `Bearer` and the secret that the errand earned by [`Progress::Keep`].
    Kept,
    /// `Basic` with the app's id and secret.
    App,
    /// Signed as Standard Webhooks has it, with the account's access token as the secret: over the
    /// header `webhook-id`, which the request has to carry, the time of sending, and the body.
    Signed,
}

/// Puts a secret into the body: at a JSON pointer (`/password`), or as a form field of that name.
/// Without a body it becomes a parameter of the query, for the few calls that take it nowhere else.
/// A place in braces (`{token}`) is a piece of the address itself, which holds it so. Addresses are
/// never shown to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    pub place: String,
    pub secret: SecretName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SecretName {
    Access,
    Refresh,
    /// What the person typed in to connect an account without OAuth.
    Password,
    ClientId,
    ClientSecret,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Empty,
    Json(Value),
    Form(Vec<(String, String)>),
    /// The file alone. The engine streams it; a connector never holds its bytes.
    File {
        media: MediaId,
        range: Option<ByteRange>,
        content_type: String,
    },
    /// The fields, then the files, in order.
    Multipart {
        fields: Vec<(String, String)>,
        files: Vec<FilePart>,
    },
    /// JSON with whole files in base 64, each at its JSON pointer. For small ones: they are held in
    /// memory.
    JsonWithFiles {
        value: Value,
        files: Vec<(String, MediaId)>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct FilePart {
    pub field: String,
    pub media: MediaId,
    /// Of what is sent: of the cipher's bytes, if there is one.
    pub range: Option<ByteRange>,
    pub cipher: Option<Cipher>,
    pub file_name: String,
    pub content_type: String,
}

/// AES-256 in CBC mode with PKCS #7 padding, for platforms that want files encrypted. It guards
/// nothing that we know: the platform is told the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cipher {
    pub key: [u8; 32],
    pub iv: [u8; 16],
}

impl Cipher {
    /// How many bytes a file of `bytes` has when it is encrypted.
    pub fn length(bytes: u64) -> u64 {
        (bytes / 16 + 1) * 16
    }
}

/// `start` included, `end` not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    pub start: u64,
    pub end: u64,
}

/// What happens if the platform receives this request twice.
#[derive(Debug, Clone, PartialEq)]
pub enum Repeat {
    /// Nothing a reader could see.
    Harmless,
    /// The platform recognises the key for `valid_for` from the first time. After that a probe
    /// decides, where the connector has one.
    Keyed { key: String, valid_for: Duration },
    /// A second post, but a read tells whether the first exists. Reads before `settle` has passed
    /// prove nothing.
    Probed { settle: Duration },
    /// A second post, and no read can tell. If the outcome is unknown, the engine asks a person.
    Duplicates,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    /// `Null` where the body is no JSON.
    pub body: Value,
    /// When it arrived.
    pub at: Timestamp,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The text at a JSON pointer such as `/data/id`. A success without it cannot be trusted to
    /// mean what we think, so it is unreadable, not rejected.
    pub fn text(&self, pointer: &str) -> Result<String, Refusal> {
        match self.body.pointer(pointer).and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => Err(self.unreadable(pointer)),
        }
    }

    pub fn unreadable(&self, missing: &str) -> Refusal {
        let words = format!("the answer (HTTP {}) has no `{missing}`", self.status);
        Refusal::new(RefusalKind::Unreadable, self.status.to_string(), words)
    }

    /// What the platform's clock showed when it answered.
    pub fn date(&self) -> Option<Timestamp> {
        let date = chrono::DateTime::parse_from_rfc2822(self.header("date")?.trim()).ok()?;
        u64::try_from(date.timestamp_millis()).ok().map(Timestamp)
    }

    /// When the platform's limit ends, by `Retry-After` in seconds or as a date.
    pub fn retry_after(&self) -> Option<Timestamp> {
        let value = self.header("retry-after")?.trim();
        match value.parse::<u64>() {
            Ok(seconds) => Some(self.at.after(Duration::from_secs(seconds))),
            Err(_) => {
                let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
                u64::try_from(date.timestamp_millis()).ok().map(Timestamp)
            }
        }
    }

    /// The common meaning of a status. A connector matches its platform's exceptions first.
    pub fn refusal(&self, code: &str, words: &str) -> Refusal {
        let kind = match self.status {
            401 => RefusalKind::Unauthorized,
            403 => RefusalKind::Rejected,
            408 | 425 => RefusalKind::Unavailable,
            413 | 415 => RefusalKind::Media,
            429 => RefusalKind::Throttled { until: self.retry_after(), scope: PaceScope::Account },
            200..=299 => RefusalKind::Unreadable,
            400..=499 => RefusalKind::Rejected,
            _ => RefusalKind::Unavailable,
        };
        let code = if code.is_empty() { self.status.to_string() } else { code.to_owned() };
        Refusal::new(kind, code, words)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Next<S> {
    Go(S),
    /// The platform is not ready; ask again after this.
    Wait(Duration, S),
    /// Everything is live, in order; the first is the post itself.
    Done(Vec<Live>),
}

/// What a probe saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting<S> {
    /// It took effect; go on as if it had been answered.
    Found(Next<S>),
    /// Proof of absence, as far as one look can give it.
    Absent,
    /// The look proves nothing; the reason is shown to the person who decides.
    Unsure(String),
}

/// What an errand is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Before the consent page: find out about the server and register with it.
    Prepare { redirect_uri: String },
    /// Check what a person pasted, or exchange it for a session.
    SignIn { identifier: String },
    /// Exchange a token that lives an hour for one that lasts.
    Lengthen,
    /// With fresh tokens: who is this, and what does the server allow?
    Identify,
    /// With fresh tokens: which pages or organizations may we publish as?
    Discover,
    /// Where OAuth's own refresh does not serve.
    Refresh,
    /// End our access.
    Revoke,
    /// Take down what is live, last part first.
    Remove { live: Vec<Live> },
    /// Change the text of the part that is live at `index`. Doing it twice is doing it once.
    Edit { live: Vec<Live>, index: usize, text: String },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Progress<E> {
    Go(E),
    /// Of `Discover`: these are some, and there may be more.
    Found(Vec<Target>, E),
    /// Remember a secret for [`Auth::Kept`] and go on.
    Keep(Secret, E),
    /// Move an endpoint of the site, and go on: the account lives elsewhere than we asked.
    Move {
        endpoint: &'static str,
        base: String,
        errand: E,
    },
    Done(Outcome),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Of `Prepare`.
    Registered {
        client_id: Secret,
        client_secret: Secret,
        authorize_url: String,
        token_url: String,
        revoke_url: Option<String>,
        scopes: String,
    },
    /// Of `SignIn`, `Lengthen` and `Refresh`.
    Granted(Grant),
    /// Of `Identify`.
    Identified(Identity),
    /// Of `SignIn`: what was pasted gives access by itself, to this.
    Admitted(Identity),
    /// Of `Discover`: the last ones. `scopes` as granted, where the platform was asked for them.
    Discovered { targets: Vec<Target>, scopes: Option<String> },
    /// Of `Edit`: what is live now. Some platforms give an edited post a new id.
    Edited(Vec<Live>),
    /// Of `Revoke` and `Remove`.
    Finished,
}

/// What a person typed in to connect an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Paste {
    /// The way of signing in; empty where there is only one.
    pub login: String,
    pub identifier: String,
    pub secret: Secret,
}

/// A page or organization that a person may choose after signing in.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub identity: Identity,
    /// Its own token, which does not end; `None`: the one that the person signed in with.
    pub access: Option<Secret>,
    /// Why it cannot be connected, as a sentence for the person; `None`: it can.
    pub obstacle: Option<String>,
}

/// Access to an account, however it was obtained.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    pub access: Secret,
    pub refresh: Option<Secret>,
    /// From now; `None`: it does not end.
    pub access_lasts: Option<Duration>,
    pub refresh_lasts: Option<Duration>,
    /// Space-separated, as granted; empty where the platform does not say.
    pub scopes: String,
}

impl<C: Connector + Sync> AnyConnector for C {
    fn profile(&self) -> &'static Profile {
        &C::PROFILE
    }

    fn begin(&self, job: &Job) -> Value {
        to_json(&C::begin(job))
    }

    fn request(&self, step: &Value, job: &Job) -> serde_json::Result<Request> {
        Ok(C::request(&C::Step::deserialize(step)?, job))
    }

    fn accept(
        &self,
        step: &Value,
        job: &Job,
        reply: &Reply,
    ) -> serde_json::Result<Result<Next<Value>, Refusal>> {
        let step = C::Step::deserialize(step)?;
        Ok(C::accept(step, job, reply).map(Next::into_json))
    }

    fn probe(&self, step: &Value, job: &Job) -> serde_json::Result<Option<Request>> {
        Ok(C::probe(&C::Step::deserialize(step)?, job))
    }

    fn recognise(
        &self,
        step: &Value,
        job: &Job,
        reply: &Reply,
    ) -> serde_json::Result<Sighting<Value>> {
        Ok(match C::recognise(C::Step::deserialize(step)?, job, reply) {
            Sighting::Found(next) => Sighting::Found(next.into_json()),
            Sighting::Absent => Sighting::Absent,
            Sighting::Unsure(reason) => Sighting::Unsure(reason),
        })
    }

    fn pieces(&self, job: &Job) -> usize {
        C::pieces(job)
    }

    fn live(&self, step: &Value, job: &Job) -> serde_json::Result<Vec<Live>> {
        Ok(C::live(&C::Step::deserialize(step)?, job))
    }

    fn is_undecided(&self, step: &Value) -> bool {
        C::Step::deserialize(step).is_ok_and(|step| C::is_undecided(&step))
    }

    fn vouched(&self, step: &Value, job: &Job) -> serde_json::Result<Option<Next<Value>>> {
        Ok(C::vouched(C::Step::deserialize(step)?, job).map(Next::into_json))
    }

    fn sought(&self, step: &Value, job: &Job) -> serde_json::Result<Option<String>> {
        Ok(C::sought(&C::Step::deserialize(step)?, job))
    }

    fn check(&self, draft: &Draft) -> Vec<Finding> {
        C::check(draft)
    }

    fn paste(&self, pasted: Paste) -> Result<Paste, Problem> {
        C::paste(pasted)
    }

    fn errand(&self, task: &Task, site: &Site) -> Option<Value> {
        C::errand(task, site).as_ref().map(to_json)
    }

    fn errand_request(&self, errand: &Value, site: &Site) -> serde_json::Result<Request> {
        Ok(C::errand_request(&C::Errand::deserialize(errand)?, site))
    }

    fn errand_accept(
        &self,
        errand: &Value,
        site: &Site,
        reply: &Reply,
    ) -> serde_json::Result<Result<Progress<Value>, Refusal>> {
        let errand = C::Errand::deserialize(errand)?;
        Ok(C::errand_accept(errand, site, reply).map(|progress| match progress {
            Progress::Go(errand) => Progress::Go(to_json(&errand)),
            Progress::Found(targets, errand) => Progress::Found(targets, to_json(&errand)),
            Progress::Keep(secret, errand) => Progress::Keep(secret, to_json(&errand)),
            Progress::Move { endpoint, base, errand } => {
                Progress::Move { endpoint, base, errand: to_json(&errand) }
            }
            Progress::Done(outcome) => Progress::Done(outcome),
        }))
    }
}

impl<S: Serialize> Next<S> {
    fn into_json(self) -> Next<Value> {
        match self {
            Next::Go(step) => Next::Go(to_json(&step)),
            Next::Wait(wait, step) => Next::Wait(wait, to_json(&step)),
            Next::Done(live) => Next::Done(live),
        }
    }
}

fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("steps and errands are plain data with text keys")
}
