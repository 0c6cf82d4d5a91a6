//! Meta's error envelope, and the refusals that more than one edge gives.
//!
//! <https://developers.facebook.com/docs/graph-api/guides/error-handling>, read 2026-11-21.

use serde_json::json;

use super::Answer;

/// What people are told beside the message for programs, by subcode.
const TOLD: [(u32, &str, &str); 24] = [
    (458, "App not installed", "You have removed this app. Please connect it again."),
    (463, "Session expired", "Your session has expired. Please log in again."),
    (1_349_125, "Invalid content format", "This content cannot be published."),
    (1_366_046, "Your photo could not be uploaded", "Photos should be smaller than 10 MB."),
    (1_366_051, "Already posted", "These photos were already posted."),
    (1_390_008, "You can't post right now", "You are posting too fast. Please try again later."),
    (1_455_006, "Duplicate Status Update", "This status update is identical to the last one."),
    (1_609_008, "Link not allowed", "Links to Facebook cannot be shared in this way."),
    (2_061_006, "Malformed link", "The link is not a valid address."),
    (2_069_019, "Invalid file", "The file could not be read as a picture or video."),
    (
        2_207_004,
        "Image size too large",
        "The image is too large to download. It should be less \
        than 8 MiB.",
    ),
    (
        2_207_005,
        "Image format not supported",
        "The image format is not supported. It should be \
        JPEG.",
    ),
    (2_207_006, "Media not found", "The media cannot be found."),
    (2_207_008, "Media builder not found", "The media builder does not exist or has expired."),
    (2_207_009, "Invalid aspect ratio", "The aspect ratio of the image is not supported."),
    (2_207_010, "Caption too long", "The caption is too long."),
    (2_207_020, "Media expired", "The media you are trying to access has expired."),
    (2_207_023, "Unknown media type", "The media type is unknown."),
    (
        2_207_027,
        "Media not ready",
        "The media is not ready for publishing, please wait for a \
        moment.",
    ),
    (2_207_028, "Wrong number of items", "A carousel needs 2 to 10 photos or videos."),
    (2_207_040, "Too many tags", "A photo or video cannot have more than 20 tags."),
    (2_207_042, "Daily limit reached", "You have reached the maximum number of posts in a day."),
    (2_207_052, "Media fetch failed", "The media could not be fetched from this address."),
    (
        2_207_067,
        "Media type is deprecated",
        "VIDEO is no longer supported. Use REELS to publish \
        a video.",
    ),
];

/// Whether Meta says that the same call may succeed later.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    Transient,
    Permanent,
}

pub(super) fn envelope(
    status: u16,
    code: i32,
    subcode: Option<u32>,
    message: &str,
    lasting: Lasting,
) -> Answer {
    let mut error = json!({
        "message": message, "type": "OAuthException", "code": code,
        "is_transient": lasting == Lasting::Transient, "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW",
    });
    if let Some(subcode) = subcode {
        error["error_subcode"] = json!(subcode);
        if let Some((_, title, text)) = TOLD.iter().find(|(known, _, _)| *known == subcode) {
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(text);
        }
    }
    Answer::json(status, &json!({ "error": error }))
}

/// HTTP 400, for good.
pub(super) fn refuse(code: i32, subcode: u32, message: &str) -> Answer {
    envelope(400, code, Some(subcode), message, Lasting::Permanent)
}

/// HTTP 400, and the same call may succeed later.
pub(super) fn not_now(code: i32, subcode: u32, message: &str) -> Answer {
    envelope(400, code, Some(subcode), message, Lasting::Transient)
}

pub(super) fn invalid(message: &str) -> Answer {
    envelope(400, 100, None, &format!("(#100) {message}"), Lasting::Permanent)
}

pub(super) fn missing_object(method: &str, id: &str) -> Answer {
    let method = method.to_ascii_lowercase();
    let message = format!(
        "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due \
         to missing permissions, or does not support this operation"
    );
    refuse(100, 33, &message)
}

pub(super) fn unknown_path(path: &str) -> Answer {
    let message = format!("Unknown path components: /{path}");
    envelope(400, 2_500, None, &message, Lasting::Permanent)
}

/// A scope was not granted, or the token is of the wrong kind.
pub(super) fn forbidden(message: &str) -> Answer {
    envelope(403, 200, None, &format!("(#200) {message}"), Lasting::Permanent)
}

/// A scope was not granted, as the reading edges say it.
pub(super) fn not_granted(scope: &str) -> Answer {
    let message = format!(
        "(#10) Application does not have permission for this action. It requires the '{scope}' \
         permission."
    );
    envelope(403, 10, None, &message, Lasting::Permanent)
}

pub(super) fn unreadable_token() -> Answer {
    let message = "Invalid OAuth access token - Cannot parse access token";
    envelope(400, 190, None, message, Lasting::Permanent)
}

pub(super) fn expired_token() -> Answer {
    let message = "Error validating access token: Session has expired.";
    refuse(190, 463, message)
}

pub(super) fn removed_app() -> Answer {
    let message = "Error validating access token: The user has not authorized application.";
    refuse(190, 458, message)
}

/// The way that the shelves of the sandbox end, which no platform knows.
pub(super) fn full() -> Answer {
    envelope(413, 1, None, "the sandbox is full", Lasting::Permanent)
}

/// The body that belongs to a status, for faults.
pub(super) fn of_status(status: u16) -> Answer {
    match status {
        401 => expired_token(),
        403 => forbidden("Permissions error"),
        404 => missing_object("get", "0"),
        429 => envelope(403, 4, None, "(#4) Application request limit reached", Lasting::Transient),
        500 => {
            let message = "An unknown error occurred";
            envelope(500, 1, None, message, Lasting::Permanent)
        }
        501.. => {
            // Meta's front door answers 500 where others answer 503.
            let status = if status == 503 { 500 } else { status };
            let message = "Service temporarily unavailable";
            envelope(status, 2, None, message, Lasting::Transient)
        }
        _ => envelope(status, 100, Some(1_349_125), "Invalid parameter", Lasting::Permanent),
    }
}
