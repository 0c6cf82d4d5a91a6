//! YouTube's no, by the reason in its body.
//!
//! <https://developers.google.com/youtube/v3/docs/errors>, as of 2026-09.

use std::time::Duration;

use super::PACIFIC;
use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::day_in,
    },
};

/// "The channel has uploaded too many videos": nobody says for how long.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether the reason is one that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Something,
    Nothing,
}

/// A body without any reason of YouTube's is of the upload server, which has none.
pub(super) fn known(reply: &Reply) -> Known {
    match kind(reply, reason(reply)) {
        Some(_) => Known::Something,
        None => Known::Nothing,
    }
}

pub(super) fn reason(reply: &Reply) -> &str {
    let error = &reply.body["error"];
    let first = error["errors"][0]["reason"].as_str();
    let details = error["details"].as_array().into_iter().flatten();
    let detailed = details.filter_map(|detail| detail["reason"].as_str()).next();
    // OAuth's own shape: `{"error":"invalid_grant"}`.
    first.or(detailed).or(error["status"].as_str()).or(error.as_str()).unwrap_or_default()
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let reason = reason(reply);
    let refusal = reply.refusal(reason, &words(reply, reason));
    let kind = kind(reply, reason).unwrap_or(refusal.kind);
    Refusal { kind, ..refusal }
}

/// Of what is added to a video. Here `forbidden` is no word about our access: a channel without a
/// verified phone number sets no pictures, a video without comments takes none. Nor does it help
/// to upload the film once more.
pub(super) fn of_addition(reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    match reason(reply) {
        "forbidden" | "videoNotFound" => Refusal { kind: RefusalKind::Rejected, ..refusal },
        _ => refusal,
    }
}

/// A video that was lost before anybody could see it is uploaded once more. And what is forbidden
/// here is this one thing: the same access has just uploaded the video.
pub(super) fn before_release(reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    match reason(reply) {
        "videoNotFound" => Refusal { kind: RefusalKind::Media, ..refusal },
        "forbidden" => Refusal { kind: RefusalKind::Rejected, ..refusal },
        _ => refusal,
    }
}

/// `None`: what its status commonly means.
fn kind(reply: &Reply, reason: &str) -> Option<RefusalKind> {
    let throttled = |until, scope| RefusalKind::Throttled { until, scope };
    Some(match reason {
        "authError" | "UNAUTHENTICATED" => RefusalKind::Unauthorized,
        "insufficientPermissions"
        | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        | "forbidden"
        | "accountSuspended"
        | "channelClosed"
        | "invalid_grant" => RefusalKind::Revoked,
        "quotaExceeded" | "dailyLimitExceeded" => {
            throttled(Some(day_in(PACIFIC, reply.at).end), PaceScope::App)
        }
        "rateLimitExceeded" => throttled(reply.retry_after(), PaceScope::App),
        "userRateLimitExceeded" | "uploadRateLimitExceeded" => {
            throttled(reply.retry_after(), PaceScope::Account)
        }
        "uploadLimitExceeded" => throttled(Some(reply.at.after(DAY)), PaceScope::Account),
        "mediaBodyRequired" | "invalidFilename" => RefusalKind::Media,
        "youtubeSignupRequired"
        | "SERVICE_DISABLED"
        | "accessNotConfigured"
        | "invalidTitle"
        | "invalidDescription"
        | "invalidTags"
        | "invalidCategoryId"
        | "invalidPublishAt"
        | "invalidVideoMetadata"
        | "invalidRecordingDetails"
        | "defaultLanguageNotSet"
        // The film may be as good as can be: it would be uploaded again for nothing.
        | "invalidImage"
        | "imageFormatUnsupported"
        | "imageTooTall"
        | "imageTooWide"
        | "videoNotFound"
        | "playlistNotFound"
        | "commentsDisabled" => RefusalKind::Rejected,
        "backendError" | "internalError" => RefusalKind::Unavailable,
        _ => return None,
    })
}

fn words(reply: &Reply, reason: &str) -> String {
    let said = reply.body["error"]["message"].as_str();
    let said = said.or(reply.body["error_description"].as_str());
    let explained = match reason {
        "youtubeSignupRequired" => NO_CHANNEL,
        "SERVICE_DISABLED" | "accessNotConfigured" => {
            "The YouTube Data API is not enabled in the Cloud project of this app."
        }
        _ => "",
    };
    match (explained, said) {
        ("", Some(said)) => said.to_owned(),
        ("", None) => format!("YouTube answered HTTP {}", reply.status),
        (explained, _) => explained.to_owned(),
    }
}

pub(super) const NO_CHANNEL: &str =
    "This Google account has no YouTube channel. Create one on youtube.com, then connect again.";
