//! Files for platforms that fetch them by themselves, behind addresses that are signed and end.
//!
//! Invariants:
//! - whatever is wrong with an address, the answer is the same;
//! - nothing that a browser would carry out is served: types are not guessed, and scripts do not
//!   run.

use std::{io, ops::Range};

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{domain::problem::Code, engine::facade::Download};

use super::{
    Api,
    refused::{ProblemView, Refused},
};

/// Where a path begins whose middle is a secret.
pub(crate) const FILES: &str = "/files/";

const PIECE_BYTES: usize = 256 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(fetch))
}

/// Fetch a file
///
/// For platforms, which are given such addresses while a post is published. `token` stands for a
/// key: it is for one file, and ends after some days. Single ranges are answered.
#[utoipa::path(get, path = "/files/{token}/{name}", tag = "media", security(()),
    params(("token" = String, Path), ("name" = String, Path)), responses(
        (status = 200, description = "The file.", content_type = "application/octet-stream"),
        (status = 206, description = "The range of it that was asked for.",
            content_type = "application/octet-stream"),
        (status = 416, description = "The file is shorter.", body = ProblemView,
            content_type = "application/problem+json")))]
async fn fetch(
    State(api): State<Api>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    // What cannot be read names no file either.
    let (token, name) = path.map_or_else(|_| Default::default(), |Path(parts)| parts);
    let file = api.engine.download(&token, &name).await?;
    let (mime, bytes) = (file.mime.clone(), file.bytes());
    let etag = format!("\"{}\"", hexadecimal(&file.sha256));
    let (status, range) = match asked_range(&headers, &etag, bytes) {
        Asked::Whole => (StatusCode::OK, 0..bytes),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Beyond => return Ok(beyond(bytes)),
    };
    let mut answer = vec![
        (header::CONTENT_TYPE, mime),
        (header::CONTENT_LENGTH, (range.end - range.start).to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CACHE_CONTROL, "private".to_owned()),
        (header::ETAG, etag),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        // Pages of platforms may show what they were told to fetch.
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin".to_owned()),
    ];
    if status == StatusCode::PARTIAL_CONTENT {
        let told = format!("bytes {}-{}/{bytes}", range.start, range.end - 1);
        answer.push((header::CONTENT_RANGE, told));
    }
    let answer = answer.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?)));
    let answer: HeaderMap = HeaderMap::from_iter(answer);
    Ok((status, answer, pieces(file, range)).into_response())
}

/// Reads as fast as it is taken. A file that cannot be read to its end breaks the connection off,
/// so that nobody takes a part for the whole.
fn pieces(file: Download, range: Range<u64>) -> Body {
    Body::from_stream(stream::try_unfold((file, range), |(file, range)| async move {
        let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        let read = file.read_at(range.start, left.min(PIECE_BYTES)).await;
        let (file, piece) = read.map_err(|problem| io::Error::other(problem.sentence))?;
        if piece.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let rest = range.start + piece.len() as u64..range.end;
        Ok(Some((piece, (file, rest))))
    }))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    /// It begins behind the end.
    Beyond,
}

/// What is no single range of bytes is ignored, as RFC 9110 (14.2) has it.
fn asked_range(headers: &HeaderMap, etag: &str, bytes: u64) -> Asked {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Asked::Whole;
    }
    let asked = text(header::RANGE).and_then(|asked| asked.strip_prefix("bytes="));
    let Some((first, last)) = asked.and_then(|asked| asked.trim().split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u64>().ok(),
        false => None,
    };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Asked::Whole,
        (Some(first), _) if first >= bytes => Asked::Beyond,
        (Some(first), Some(last)) => Asked::Part(first..last.saturating_add(1).min(bytes)),
        (Some(first), None) if last.is_empty() => Asked::Part(first..bytes),
        (None, Some(0)) if first.is_empty() => Asked::Beyond,
        (None, Some(_)) if first.is_empty() && bytes == 0 => Asked::Beyond,
        (None, Some(count)) if first.is_empty() => Asked::Part(bytes.saturating_sub(count)..bytes),
        (Some(_), None) | (None, _) => Asked::Whole,
    }
}

fn beyond(bytes: u64) -> Response {
    let sentence = format!("The file has {bytes} bytes; the range begins behind them.");
    let refused = Refused::new(Code::BadRequest, sentence, "Ask for less, or for all of it.")
        .at("header.range")
        .with_status(StatusCode::RANGE_NOT_SATISFIABLE);
    ([(header::CONTENT_RANGE, format!("bytes */{bytes}"))], refused).into_response()
}

fn hexadecimal(sha256: &[u8; 32]) -> String {
    sha256.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str, if_range: Option<&str>) -> Asked {
        let mut headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
        if let Some(etag) = if_range {
            headers.insert(header::IF_RANGE, etag.parse().unwrap());
        }
        asked_range(&headers, "\"e\"", 10)
    }

    #[test]
    fn single_ranges_are_understood_and_all_else_is_the_whole() {
        for (range, expected) in [
            ("bytes=0-4", Asked::Part(0..5)),
            ("bytes=4-4", Asked::Part(4..5)),
            ("bytes=4-", Asked::Part(4..10)),
            ("bytes=4-99", Asked::Part(4..10)),
            ("bytes=0-18446744073709551615", Asked::Part(0..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=10-", Asked::Beyond),
            ("bytes=10-12", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=5-4", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("bytes=1-x", Asked::Whole),
            ("bytes=99999999999999999999-", Asked::Whole),
            ("lines=0-4", Asked::Whole),
        ] {
            assert_eq!(asked(range, None), expected, "{range}");
        }
        assert_eq!(asked_range(&HeaderMap::new(), "\"e\"", 10), Asked::Whole);
        let none = HeaderMap::from_iter([(header::RANGE, "bytes=-1".parse().unwrap())]);
        assert_eq!(asked_range(&none, "\"e\"", 0), Asked::Beyond);
    }

    #[test]
    fn range_of_what_was_another_file_is_the_whole() {
        assert_eq!(asked("bytes=0-4", Some("\"e\"")), Asked::Part(0..5));
        assert_eq!(asked("bytes=0-4", Some("\"other\"")), Asked::Whole);
    }
}
