//! What a program is told when the answer is no: RFC 9457 problems, for every rejection alike.
//!
//! A handler answers with [`Refused`]; the door renders it, because only the door knows the
//! request's id. Invariant: one code has one status, wherever it comes from.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::problem::{Code, Problem};

pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A no on its way to the door.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    problem: Box<Problem>,
    status: StatusCode,
    /// Seconds.
    retry_after: Option<u64>,
}

impl Refused {
    pub(crate) fn new(
        code: Code,
        sentence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Refused {
        Problem::new(code, sentence, remedy).into()
    }

    pub(crate) fn at(mut self, place: impl Into<String>) -> Refused {
        self.problem.place = place.into();
        self
    }

    /// After how many seconds it is worth asking again.
    pub(crate) fn retry_after(self, seconds: u64) -> Refused {
        Refused { retry_after: Some(seconds), ..self }
    }

    /// For the few cases where HTTP has a finer word than the problem's code.
    pub(crate) fn with_status(self, status: StatusCode) -> Refused {
        Refused { status, ..self }
    }

    #[cfg(test)]
    pub(crate) fn problem(&self) -> &Problem {
        &self.problem
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// `request_id` is also the incident's id: what happened stands in the log under it.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let mut view = ProblemView::new(&self.problem, self.status, request_id);
        if self.problem.code == Code::Internal {
            tracing::error!(
                request.id = request_id,
                "a request failed inside: {}",
                self.problem.sentence
            );
            view.hide_internals();
        }
        let body = serde_json::to_vec(&view).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let unavailable = self.status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(unavailable.then_some(1)) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        let status = status(problem.code);
        // A fraction of a second would be too early.
        let seconds = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let retry_after = problem.retry_after.map(seconds);
        Refused { status, problem: Box::new(problem), retry_after }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

pub(crate) fn status(code: Code) -> StatusCode {
    match code {
        Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::Unauthorized | Code::CodeNeeded => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict | Code::IdempotencyConflict | Code::WrongState | Code::AppMissing => {
            StatusCode::CONFLICT
        }
        Code::Busy | Code::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::Invalid
        | Code::TextTooLong
        | Code::TextMissing
        | Code::TooManyMedia
        | Code::MediaMixed
        | Code::MediaTooLarge
        | Code::MediaFormat
        | Code::MediaNotFound
        | Code::AltTooLong
        | Code::TooManyParts
        | Code::TooManyTags
        | Code::MediaShape
        | Code::UnknownPlatform
        | Code::UnknownAccount
        | Code::UnknownOption
        | Code::AccountNotConnected
        | Code::PlanInThePast
        | Code::PlanUnreadable
        | Code::PasswordWeak => StatusCode::UNPROCESSABLE_ENTITY,
        // Not 502: proxies replace its page by their own, and clients repeat it unasked.
        Code::ServerRefused | Code::ServerUnreachable => StatusCode::FAILED_DEPENDENCY,
        Code::LoginExpired | Code::LinkExpired => StatusCode::GONE,
        Code::LoginDenied => StatusCode::FORBIDDEN,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::TimedOut => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// Why a request was refused, as RFC 9457 has it, with a stable `code` and what to do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView {
    /// Names the kind of problem: the code as a URN.
    #[serde(rename = "type")]
    #[schema(example = "urn:fanfare:problem:text-too-long")]
    kind: String,
    /// The code in words.
    #[schema(example = "Text too long")]
    title: String,
    /// The HTTP status, again.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong, as a sentence, with the limit and what was found.
    #[schema(example = "The text has 512 characters; Mastodon takes 500.")]
    detail: String,
    /// Stable: programs may match on it.
    #[schema(example = "text-too-long")]
    code: &'static str,
    /// What to do about it, as a sentence.
    #[schema(example = "Shorten it, or give Mastodon a variant of its own.")]
    remedy: String,
    /// Where in the request, when it is one place.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "content.parts[0].text")]
    place: String,
    /// The single findings, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FindingView>,
    /// Names this request in the log; also in the header `x-request-id`.
    #[schema(example = "6f1c02a7b95de348")]
    request_id: String,
}

/// One thing that is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub(crate) struct FindingView {
    /// Stable: programs may match on it.
    #[schema(example = "alt-too-long")]
    code: &'static str,
    /// What is wrong, as a sentence.
    detail: String,
    /// What to do about it, as a sentence.
    remedy: String,
    /// Where in the request.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "content.parts[1].media[0].alt")]
    place: String,
}

impl ProblemView {
    fn new(problem: &Problem, status: StatusCode, request_id: &str) -> ProblemView {
        let code = problem.code.name();
        ProblemView {
            kind: format!("urn:fanfare:problem:{code}"),
            title: title(code),
            status: status.as_u16(),
            detail: problem.sentence.clone(),
            code,
            remedy: problem.remedy.clone(),
            place: problem.place.clone(),
            errors: problem.details.iter().map(FindingView::from).collect(),
            request_id: request_id.to_owned(),
        }
    }

    fn hide_internals(&mut self) {
        self.detail = format!(
            "Fanfare met a fault of its own; the log tells about it under incident {}.",
            self.request_id
        );
        self.remedy = "Look whether the change was made before you repeat it, and tell whoever \
            runs this instance the incident's id."
            .to_owned();
        self.errors.clear();
    }
}

impl From<&Problem> for FindingView {
    fn from(problem: &Problem) -> FindingView {
        FindingView {
            code: problem.code.name(),
            detail: problem.sentence.clone(),
            remedy: problem.remedy.clone(),
            place: problem.place.clone(),
        }
    }
}

fn title(code: &str) -> String {
    let mut letters = code.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters)
        .map(|letter| if letter == '-' { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_text_stays_inside() {
        let refused = Refused::new(Code::Internal, "could not read `/secret/path`", "");
        let mut view = ProblemView::new(refused.problem(), refused.status(), "abc");
        view.hide_internals();
        let shown = serde_json::to_string(&view).unwrap();
        assert!(!shown.contains("secret") && shown.contains("incident abc"), "{shown}");
    }

    #[test]
    fn every_code_is_a_refusal_with_a_readable_title() {
        for code in Code::ALL {
            let status = status(*code);
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
        }
        assert_eq!(title("text-too-long"), "Text too long");
    }
}
