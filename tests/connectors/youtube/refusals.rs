//! YouTube's no, as documented.

use super::*;

fn refused(status: u16, reason: &str, kind: RefusalKind) -> Row {
    let first = json!({ "domain": "youtube", "reason": reason, "message": "No." });
    let error = json!({ "code": status, "message": "No.", "errors": [first] });
    Row { status, header: None, body: json!({ "error": error }), kind }
}

fn newer(status: u16, code: &str, reason: Option<&str>, kind: RefusalKind) -> Row {
    let mut error = json!({ "code": status, "message": "No.", "status": code });
    if let Some(reason) = reason {
        error["details"] = json!([{ "@type": "x/google.rpc.ErrorInfo", "reason": reason }]);
    }
    Row { status, header: None, body: json!({ "error": error }), kind }
}

/// 2026-11-22 08:00 UTC is midnight in California.
const MIDNIGHT: &str = "2026-11-22T08:00:00Z";

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Media, Rejected, Revoked, Unauthorized, Unavailable};
    let throttled = |until, scope| RefusalKind::Throttled { until, scope };
    let midnight = throttled(Timestamp::parse(MIDNIGHT), PaceScope::App);
    let tomorrow = NOW.after(Duration::from_secs(24 * 60 * 60));
    let tomorrow = throttled(Some(tomorrow), PaceScope::Account);
    let rows = || {
        let mut rows = vec![
            refused(401, "authError", Unauthorized),
            newer(401, "UNAUTHENTICATED", None, Unauthorized),
            Row { body: json!({ "error": "invalid_grant" }), ..refused(400, "", Revoked) },
            refused(403, "insufficientPermissions", Revoked),
            newer(403, "PERMISSION_DENIED", Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Revoked),
            refused(403, "forbidden", Revoked),
            refused(403, "accountSuspended", Revoked),
            refused(403, "channelClosed", Revoked),
            refused(401, "youtubeSignupRequired", Rejected),
            newer(403, "PERMISSION_DENIED", Some("SERVICE_DISABLED"), Rejected),
            refused(403, "accessNotConfigured", Rejected),
            refused(403, "quotaExceeded", midnight),
            refused(403, "dailyLimitExceeded", midnight),
            refused(403, "rateLimitExceeded", throttled(None, PaceScope::App)),
            refused(429, "rateLimitExceeded", throttled(None, PaceScope::App)),
            refused(403, "userRateLimitExceeded", throttled(None, PaceScope::Account)),
            refused(403, "uploadRateLimitExceeded", throttled(None, PaceScope::Account)),
            refused(400, "uploadLimitExceeded", tomorrow),
            refused(400, "mediaBodyRequired", Media),
            refused(400, "invalidFilename", Media),
            refused(404, "playlistNotFound", Rejected),
            refused(503, "backendError", Unavailable),
            refused(500, "internalError", Unavailable),
        ];
        rows.extend(
            [
                "invalidTitle",
                "invalidDescription",
                "invalidTags",
                "invalidCategoryId",
                "invalidPublishAt",
                "invalidVideoMetadata",
                "invalidRecordingDetails",
                "defaultLanguageNotSet",
                "invalidImage",
                "imageFormatUnsupported",
                "imageTooTall",
                "imageTooWide",
            ]
            .map(|reason| refused(400, reason, Rejected)),
        );
        rows
    };
    let job = with_options(FULL, vec![film(), picture()]);
    check_rows(connector(), &job, &json!("Open"), rows());
    // What is added to a video is forbidden for reasons of its own.
    for (step, lost) in
        [("Picture", Rejected), ("Collect", Rejected), ("Comment", Rejected), ("Release", Media)]
    {
        let step = json!({ step: { "video": VIDEO } });
        let mut rows = rows();
        rows.retain(|row| row.body["error"]["errors"][0]["reason"] != "forbidden");
        rows.push(refused(403, "forbidden", Rejected));
        // Lost before anybody could see it, it is uploaded once more.
        rows.push(refused(404, "videoNotFound", lost));
        rows.push(refused(403, "commentsDisabled", Rejected));
        check_rows(connector(), &job, &step, rows);
    }
    let step = json!({ "Process": { "video": VIDEO, "polls": 0 } });
    check_rows(connector(), &job, &step, rows());
}

#[test]
fn a_session_passes_on_what_youtube_knows_a_reason_for() {
    let upload = json!({ "address": SESSION, "opened": NOW, "rounds": 0 });
    for step in
        [json!({ "Send": { "upload": upload, "from": 0 } }), json!({ "Ask": { "upload": upload } })]
    {
        let rows = vec![
            refused(400, "invalidTitle", RefusalKind::Rejected),
            refused(400, "mediaBodyRequired", RefusalKind::Media),
            refused(401, "authError", RefusalKind::Unauthorized),
            refused(503, "backendError", RefusalKind::Unavailable),
        ];
        check_rows(connector(), &post(vec![film()]), &step, rows);
    }
}

#[test]
fn what_a_person_has_to_do_is_said() {
    let job = post(vec![film()]);
    for (row, words) in [
        (refused(401, "youtubeSignupRequired", RefusalKind::Rejected), "no YouTube channel"),
        (refused(403, "accessNotConfigured", RefusalKind::Rejected), "not enabled"),
    ] {
        let refused = accept(json!("Open"), &job, &reply(row.status, row.body)).unwrap_err();
        assert!(refused.words.contains(words), "{}", refused.words);
    }
}
