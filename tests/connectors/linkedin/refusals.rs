//! LinkedIn's no, and when a limit ends.

use super::*;

fn refused(status: u16, code: &str, message: &str, kind: RefusalKind) -> Row {
    let body = json!({ "status": status, "code": code, "message": message });
    Row { status, header: None, body, kind }
}

fn inner(status: u16, code: &str, message: &str, kind: RefusalKind) -> Row {
    let body = json!({
        "status": status, "message": message,
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "errorDetails": { "inputErrors": [{ "code": code, "description": "No.", "input": {} }] },
    });
    Row { status, header: None, body, kind }
}

const URL: &str = "https://www.linkedin.com/dms-uploads/a/0";

fn steps() -> [Value; 6] {
    let piece = json!({ "url": URL, "start": 0, "end": 20_000 });
    let file = json!({ "urn": "urn:li:image:C", "token": "", "pieces": [piece], "tags": [] });
    [
        json!({ "Publish": { "ready": ["urn:li:image:C"], "waits": 40 } }),
        json!({ "Initialize": { "ready": [] } }),
        json!({ "Upload": { "ready": [], "file": file } }),
        json!({ "Finalize": { "ready": [], "file": file } }),
        json!({ "Process": { "ready": ["urn:li:image:C"], "seen": 0, "polls": 0 } }),
        json!({ "Comment": { "post": "urn:li:share:9" } }),
    ]
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Unauthorized, Unavailable};
    let job = Job {
        parts: vec![part("hi", vec![image(1)]), part("there", Vec::new())],
        ..post("", Vec::new())
    };
    let steps = steps();
    let everywhere = || {
        let token = |code: &str, number: u64, kind| Row {
            body: json!({ "status": 401, "serviceErrorCode": number, "code": code }),
            ..refused(401, code, "", kind)
        };
        let throttled = Row {
            header: Some(("retry-after", "60")),
            ..refused(
                429,
                "TOO_MANY_REQUESTS",
                "Resource level throttle limit for calls to this resource is reached.",
                RefusalKind::Throttled {
                    until: Some(NOW.after(Duration::from_secs(60))),
                    scope: PaceScope::Account,
                },
            )
        };
        vec![
            token("INVALID_ACCESS_TOKEN", 65_600, Unauthorized),
            token("REVOKED_ACCESS_TOKEN", 65_601, Revoked),
            token("EXPIRED_ACCESS_TOKEN", 65_602, Unauthorized),
            token("EXPIRED_ACCESS_TOKEN", 65_604, Unauthorized),
            refused(409, "CONFLICT", "Concurrent write", Unavailable),
            refused(
                426,
                "NONEXISTENT_VERSION",
                "Requested version 20251101 is not active",
                Rejected,
            ),
            throttled,
            refused(500, "", "Internal Server Error", Unavailable),
            refused(504, "", "Gateway Timeout", Unavailable),
        ]
    };
    for (at, step) in steps.iter().enumerate() {
        let mut rows = everywhere();
        // To the address of an upload nobody else writes.
        rows.retain(|row| at != 2 || row.status != 409);
        check_rows(connector(), &job, step, rows);
    }
    let [publish, initialize, upload, finalize, process, comment] = &steps;
    let denied = |kind| {
        let message = "Not enough permissions to access: posts.CREATE.20260901";
        let body = json!({ "status": 403, "serviceErrorCode": 100, "message": message });
        vec![
            refused(403, "ACCESS_DENIED", message, kind),
            Row { status: 403, header: None, body, kind },
        ]
    };
    let duplicate = "Content is a duplicate of urn:li:share:714";
    check_rows(connector(), &job, publish, denied(Revoked));
    check_rows(
        connector(),
        &job,
        publish,
        vec![
            refused(403, "", "resource is forbidden", Rejected),
            refused(400, "MEDIA_ASSET_WAITING_UPLOAD", "Media asset is waiting upload", Media),
            inner(400, "MEDIA_ASSET_PROCESSING_FAILED", "Media asset failed processing", Media),
            inner(400, "FIELD_LENGTH_TOO_LONG", "commentary is too long", Rejected),
            inner(422, "FIELD_LENGTH_TOO_LONG", "commentary is too long", Rejected),
            refused(400, "", "Unable to obtain activity", Unavailable),
            refused(400, "", "Syntax exception in path variables", Rejected),
            refused(404, "NOT_FOUND", "Could not find entity", Rejected),
            refused(411, "", "Length Required", Rejected),
            refused(415, "", "Unsupported Media Type", Rejected),
            inner(422, "DUPLICATE_POST", duplicate, Duplicate),
            refused(422, "", duplicate, Duplicate),
            refused(422, "", "Content is a duplicate of urn:li:person:7", Rejected),
            refused(422, "", "ERROR :: /author :: field is required but not found", Rejected),
        ],
    );
    check_rows(connector(), &job, initialize, denied(Revoked));
    let lost = [400, 403, 404, 409, 410, 413, 415].map(|status| refused(status, "", "", Media));
    check_rows(connector(), &job, upload, lost.into());
    for step in [finalize, process] {
        let lost = [400, 404].map(|status| refused(status, "NOT_FOUND", "gone", Media));
        check_rows(connector(), &job, step, lost.into());
    }
    check_rows(connector(), &job, comment, denied(Rejected));
    let unsettled = refused(400, "", "Unable to obtain activity", Unavailable);
    check_rows(connector(), &job, comment, vec![unsettled]);
}

#[test]
fn the_words_of_a_refusal_say_what_to_do() {
    let job = post("hi", Vec::new());
    let refuse = |row: Row| {
        let step = connector().begin(&job);
        connector().accept(&step, &job, &reply(row.status, row.body)).unwrap().unwrap_err()
    };
    let old = refuse(refused(426, "NONEXISTENT_VERSION", "not active", RefusalKind::Rejected));
    assert_eq!(old.code, "NONEXISTENT_VERSION");
    assert!(old.words.contains("`platforms.linkedin.version`"), "{}", old.words);
    let named = "… Content is a duplicate of urn:li:ugcPost:714";
    let twice = refuse(inner(422, "DUPLICATE_POST", named, RefusalKind::Duplicate));
    assert_eq!(twice.code, "DUPLICATE_POST");
    assert!(twice.words.contains("already: urn:li:ugcPost:714 ("), "{}", twice.words);
    let step = json!({ "Comment": { "post": "urn:li:share:9" } });
    let denied = reply(403, json!({ "code": "ACCESS_DENIED", "message": "No." }));
    let denied = connector().accept(&step, &with_comment(), &denied).unwrap().unwrap_err();
    assert!(denied.words.contains("w_organization_social_feed"), "{}", denied.words);
}

#[test]
fn a_limit_of_the_day_ends_at_midnight_and_another_is_tried_again_soon() {
    let job = post("hi", Vec::new());
    // NOW is 2026-11-21T09:00:00Z.
    let midnight = Timestamp(NOW.0 + 15 * 3_600_000);
    let soon = NOW.after(Duration::from_secs(900));
    for (message, until, scope) in [
        ("", soon, PaceScope::Account),
        ("Resource level throttle limit for calls is reached.", soon, PaceScope::Account),
        (
            "Resource level throttle MEMBER DAY limit for calls is reached.",
            midnight,
            PaceScope::Account,
        ),
        (
            "Resource level throttle APPLICATION DAY limit for calls is reached.",
            midnight,
            PaceScope::App,
        ),
        (
            "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls is reached.",
            midnight,
            PaceScope::Account,
        ),
    ] {
        let full = reply(429, json!({ "status": 429, "message": message }));
        let refused = connector().accept(&connector().begin(&job), &job, &full).unwrap();
        let wanted = RefusalKind::Throttled { until: Some(until), scope };
        assert_eq!(refused.unwrap_err().kind, wanted, "{message}");
    }
}
