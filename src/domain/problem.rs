//! What we tell a person: a stable code, a sentence, a remedy, and where it is.

use std::time::Duration;

/// One thing that is wrong. A refused request may carry several in `details`.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub code: Code,
    /// A whole sentence: what is wrong, with the limit and the found value.
    pub sentence: String,
    /// What to do about it, as a sentence.
    pub remedy: String,
    /// Where in the request, as a path: `content.parts[1].media[0].alt`. Empty: the whole of it.
    pub place: String,
    /// The single findings, when there are several.
    pub details: Vec<Problem>,
    /// For how long there is no point in asking again.
    pub retry_after: Option<Duration>,
}

/// Stable, in kebab case, searchable in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    IdempotencyConflict,
    Busy,
    TooLarge,
    Invalid,
    TextTooLong,
    TextMissing,
    TooManyMedia,
    MediaMixed,
    MediaTooLarge,
    MediaFormat,
    MediaNotFound,
    AltTooLong,
    TooManyParts,
    TooManyTags,
    MediaShape,
    UnknownPlatform,
    UnknownAccount,
    UnknownOption,
    AccountNotConnected,
    PlanInThePast,
    PlanUnreadable,
    WrongState,
    ServerRefused,
    ServerUnreachable,
    AppMissing,
    LoginExpired,
    LoginDenied,
    Stopping,
    Internal,
    MethodNotAllowed,
    ContentType,
    TimedOut,
    TooManyRequests,
    PasswordWeak,
    CodeNeeded,
    LinkExpired,
}

impl Code {
    pub const ALL: &'static [Code] = &[
        Code::BadRequest,
        Code::Unauthorized,
        Code::Forbidden,
        Code::NotFound,
        Code::Conflict,
        Code::IdempotencyConflict,
        Code::Busy,
        Code::TooLarge,
        Code::Invalid,
        Code::TextTooLong,
        Code::TextMissing,
        Code::TooManyMedia,
        Code::MediaMixed,
        Code::MediaTooLarge,
        Code::MediaFormat,
        Code::MediaNotFound,
        Code::AltTooLong,
        Code::TooManyParts,
        Code::TooManyTags,
        Code::MediaShape,
        Code::UnknownPlatform,
        Code::UnknownAccount,
        Code::UnknownOption,
        Code::AccountNotConnected,
        Code::PlanInThePast,
        Code::PlanUnreadable,
        Code::WrongState,
        Code::ServerRefused,
        Code::ServerUnreachable,
        Code::AppMissing,
        Code::LoginExpired,
        Code::LoginDenied,
        Code::Stopping,
        Code::Internal,
        Code::MethodNotAllowed,
        Code::ContentType,
        Code::TimedOut,
        Code::TooManyRequests,
        Code::PasswordWeak,
        Code::CodeNeeded,
        Code::LinkExpired,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Code::BadRequest => "bad-request",
            Code::Unauthorized => "unauthorized",
            Code::Forbidden => "forbidden",
            Code::NotFound => "not-found",
            Code::Conflict => "conflict",
            Code::IdempotencyConflict => "idempotency-conflict",
            Code::Busy => "busy",
            Code::TooLarge => "too-large",
            Code::Invalid => "invalid",
            Code::TextTooLong => "text-too-long",
            Code::TextMissing => "text-missing",
            Code::TooManyMedia => "too-many-media",
            Code::MediaMixed => "media-mixed",
            Code::MediaTooLarge => "media-too-large",
            Code::MediaFormat => "media-format",
            Code::MediaNotFound => "media-not-found",
            Code::AltTooLong => "alt-too-long",
            Code::TooManyParts => "too-many-parts",
            Code::TooManyTags => "too-many-tags",
            Code::MediaShape => "media-shape",
            Code::UnknownPlatform => "unknown-platform",
            Code::UnknownAccount => "unknown-account",
            Code::UnknownOption => "unknown-option",
            Code::AccountNotConnected => "account-not-connected",
            Code::PlanInThePast => "plan-in-the-past",
            Code::PlanUnreadable => "plan-unreadable",
            Code::WrongState => "wrong-state",
            Code::ServerRefused => "server-refused",
            Code::ServerUnreachable => "server-unreachable",
            Code::AppMissing => "app-missing",
            Code::LoginExpired => "login-expired",
            Code::LoginDenied => "login-denied",
            Code::Stopping => "stopping",
            Code::Internal => "internal",
            Code::MethodNotAllowed => "method-not-allowed",
            Code::ContentType => "content-type",
            Code::TimedOut => "timed-out",
            Code::TooManyRequests => "too-many-requests",
            Code::PasswordWeak => "password-weak",
            Code::CodeNeeded => "code-needed",
            Code::LinkExpired => "link-expired",
        }
    }
}

impl Problem {
    pub fn new(code: Code, sentence: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem {
            code,
            sentence: sentence.into(),
            remedy: remedy.into(),
            place: String::new(),
            details: Vec::new(),
            retry_after: None,
        }
    }

    pub fn retry_after(self, wait: Duration) -> Problem {
        Problem { retry_after: Some(wait), ..self }
    }

    pub fn at(self, place: impl Into<String>) -> Problem {
        Problem { place: place.into(), ..self }
    }
}
