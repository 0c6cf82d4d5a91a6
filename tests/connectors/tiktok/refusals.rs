//! What TikTok's no means, before and after it took a post.

use std::time::Duration;

use fanfare::{
    connectors::{Next, Reply},
    domain::{platform::PaceScope, refusal::RefusalKind, time::Timestamp},
};
use serde_json::{Value, json};

use super::{
    accept, confirm, connector, creator, film_job, manner, ok, photo_job, public, spoilt,
    with_options,
};
use crate::fake::{NOW, Row, check_rows, reply};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn refused(code: &str) -> Value {
    json!({ "data": {}, "error": { "code": code, "message": "No", "log_id": "20261121" } })
}

fn throttled(until: Option<Timestamp>) -> RefusalKind {
    RefusalKind::Throttled { until, scope: PaceScope::Account }
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Rejected, Revoked, Unauthorized, Unavailable, Unreadable};
    let tomorrow = || throttled(Some(NOW.after(DAY)));
    let row = |status, code: &str, kind| Row { status, header: None, body: refused(code), kind };
    let rows = || {
        let mut rows = vec![
            row(401, "access_token_invalid", Unauthorized),
            row(401, "scope_not_authorized", Revoked),
            row(401, "scope_permission_missed", Revoked),
            row(429, "rate_limit_exceeded", throttled(None)),
            row(403, "unaudited_client_can_only_post_to_private_accounts", Rejected),
            row(403, "url_ownership_unverified", Rejected),
            row(403, "privacy_level_option_mismatch", Rejected),
            row(403, "app_version_check_failed", Rejected),
            row(400, "invalid_param", Rejected),
            row(400, "invalid_params", Rejected),
            row(400, "invalid_file_upload", Rejected),
            row(400, "publish_not_cancellable", Rejected),
            row(500, "internal_error", Unavailable),
            row(200, "internal_error", Unavailable),
            row(200, "a_word_of_tomorrow", Unreadable),
            row(400, "a_word_of_tomorrow", Rejected),
            row(403, "spam_risk_too_many_pending_share", tomorrow()),
            Row { status: 503, header: None, body: Value::Null, kind: Unavailable },
        ];
        // They come either way.
        for status in [403, 200] {
            rows.push(row(status, "spam_risk_too_many_posts", tomorrow()));
            rows.push(row(status, "reached_active_user_cap", tomorrow()));
            rows.push(row(status, "spam_risk_user_banned_from_posting", Revoked));
        }
        rows.push(Row {
            header: Some(("retry-after", "60")),
            ..row(429, "rate_limit_exceeded", throttled(Some(NOW.after(Duration::from_secs(60)))))
        });
        rows
    };
    let start = json!({ "Start": { "manner": public() } });
    for step in [&json!("Creator"), &start] {
        check_rows(connector(), &film_job(), step, rows());
    }
    check_rows(connector(), &photo_job(), &json!({ "Photos": { "manner": public() } }), rows());
    let gone = |kind| {
        vec![
            row(400, "invalid_publish_id", kind),
            row(400, "token_not_authorized_for_specified_publish_id", kind),
        ]
    };
    check_rows(connector(), &film_job(), &spoilt(0), gone(Rejected));
    let answer = reply(400, refused("invalid_publish_id"));
    let next = accept(&confirm(public(), 2, 0), &film_job(), &answer);
    assert_eq!(next, Ok(Next::Go(spoilt(2))));
}

#[test]
fn a_no_that_a_person_can_mend_says_how() {
    let words = |code: &str| {
        let step = json!({ "Photos": { "manner": public() } });
        let answer = reply(403, refused(code));
        connector().accept(&step, &photo_job(), &answer).unwrap().unwrap_err().words
    };
    assert!(words("unaudited_client_can_only_post_to_private_accounts").contains("`self`"));
    assert!(words("url_ownership_unverified").contains("`server.public_url`"));
}

fn complaint(job: &fanfare::connectors::Job, data: Value) -> String {
    let refused = connector().accept(&json!("Creator"), job, &reply(200, ok(data))).unwrap();
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Rejected);
    refusal.words
}

#[test]
fn the_account_is_obeyed() {
    let followers = with_options(film_job(), &[("privacy", "followers")]);
    let words = complaint(&followers, creator());
    assert!(words.contains("this one is public"), "{words}");
    assert!(words.ends_with("public, friends, self"), "{words}");
    let mut private = creator();
    private["privacy_level_options"] = json!(["FOLLOWER_OF_CREATOR", "SELF_ONLY"]);
    let words = complaint(&film_job(), private.clone());
    assert!(words.contains("is private") && words.ends_with("followers, self"), "{words}");
    let friends = with_options(film_job(), &[("privacy", "friends")]);
    assert!(complaint(&friends, private.clone()).contains("does not offer `friends`"));
    let mut unsaid = film_job();
    unsaid.options.clear();
    assert!(complaint(&unsaid, creator()).contains("does not say who may see it"));

    private["comment_disabled"] = json!(true);
    private["creator_username"] = json!("");
    let next = accept(&json!("Creator"), &followers, &reply(200, ok(private))).unwrap();
    let mut wanted = manner("FOLLOWER_OF_CREATOR");
    wanted["disable_comment"] = json!(true);
    wanted["disable_stitch"] = json!(true);
    wanted["username"] = json!("ada.before");
    assert_eq!(next, Next::Go(json!({ "Start": { "manner": wanted } })));

    let mut short = creator();
    short["max_video_post_duration_sec"] = json!(15);
    let words = complaint(&film_job(), short.clone());
    assert!(words.contains("20 seconds long") && words.contains("15"), "{words}");
    // Photos have no length.
    assert!(accept(&json!("Creator"), &photo_job(), &reply(200, ok(short))).is_ok());
    let nothing = accept(&json!("Creator"), &film_job(), &reply(200, ok(json!({}))));
    assert_eq!(nothing, Err(RefusalKind::Unreadable));
}

fn failed(reason: &str) -> Reply {
    reply(200, ok(json!({ "status": "FAILED", "fail_reason": reason })))
}

#[test]
fn a_post_that_fails_after_all_says_why_and_is_not_live() {
    use RefusalKind::{Media, Rejected};
    let job = film_job();
    let next = accept(&confirm(public(), 3, 0), &job, &failed("spam_risk"));
    assert_eq!(next, Ok(Next::Go(spoilt(3))));
    for (reason, kind) in [
        ("file_format_check_failed", Rejected),
        ("duration_check_failed", Rejected),
        ("frame_rate_check_failed", Rejected),
        ("picture_size_check_failed", Rejected),
        ("video_pull_failed", Media),
        ("photo_pull_failed", Media),
        ("internal", Media),
        ("spam_risk_text", Rejected),
        ("spam_risk", Rejected),
        ("publish_cancelled", Rejected),
        ("a_word_of_tomorrow", Rejected),
        ("", Rejected),
    ] {
        let refusal = connector().accept(&spoilt(0), &job, &failed(reason)).unwrap().unwrap_err();
        assert_eq!(refusal.kind, kind, "{reason}");
        assert!(!refusal.code.is_empty() && refusal.words.len() > 20, "{refusal:?}");
    }
}

#[test]
fn what_may_pass_is_asked_of_the_account_before_it_begins_anew() {
    let job = film_job();
    let (reason, tomorrow) = ("spam_risk_too_many_posts", NOW.after(DAY));
    let full = json!({ "Barred": { "reason": reason, "until": tomorrow.0 } });
    assert_eq!(accept(&spoilt(0), &job, &failed(reason)), Ok(Next::Go(full.clone())));
    assert!(matches!(
        accept(&spoilt(0), &job, &failed("spam_risk_too_many_pending_share")),
        Ok(Next::Go(step)) if step.get("Barred").is_some()
    ));
    let may = |at: Timestamp| Reply { at, ..reply(200, ok(creator())) };
    // The account's own word that it may is not believed on the same day.
    assert_eq!(accept(&full, &job, &may(NOW)), Err(throttled(Some(tomorrow))));
    let next = accept(&full, &job, &may(tomorrow)).unwrap();
    assert!(matches!(next, Next::Go(step) if step.get("Start").is_some()));

    for reason in ["spam_risk_user_banned_from_posting", "auth_removed"] {
        let Ok(Next::Go(step)) = accept(&spoilt(0), &job, &failed(reason)) else {
            panic!("{reason} ends it")
        };
        let banned = reply(200, refused("spam_risk_user_banned_from_posting"));
        assert_eq!(accept(&step, &job, &banned), Err(RefusalKind::Revoked));
        // Not in a circle, if TikTok contradicts itself.
        assert_eq!(accept(&step, &job, &may(NOW)), Err(RefusalKind::Rejected));
        let later = may(NOW.after(Duration::from_secs(60)));
        assert!(accept(&step, &job, &later).is_ok());
    }
}

#[test]
fn a_post_of_which_nothing_is_said_is_never_sent_again_by_itself() {
    let job = film_job();
    let waiting =
        reply(200, ok(json!({ "status": "PROCESSING_UPLOAD", "uploaded_bytes": 20_000 })));
    let inbox = reply(200, ok(json!({ "status": "SEND_TO_USER_INBOX" })));
    let odd = reply(200, ok(json!({ "status": "NEW_WORD" })));
    for answer in [&waiting, &odd] {
        let next = accept(&confirm(public(), 159, 0), &job, answer).unwrap();
        assert!(matches!(&next, Next::Wait(wait, step)
            if wait.as_secs() == 60 && *step == confirm(public(), 160, 0)));
        let next = accept(&confirm(public(), 160, 0), &job, answer);
        assert_eq!(next, Ok(Next::Go(spoilt(160))));
    }
    assert_eq!(accept(&confirm(public(), 0, 0), &job, &inbox), Ok(Next::Go(spoilt(0))));
    for answer in [&waiting, &odd, &inbox] {
        let refusal = connector().accept(&spoilt(160), &job, answer).unwrap().unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Rejected);
        assert!(refusal.words.contains("look at the profile"), "{}", refusal.words);
    }
    let complete = reply(
        200,
        ok(json!({
            "status": "PUBLISH_COMPLETE", "publicaly_available_post_id": [7_500_000_000_000_000_001_u64],
        })),
    );
    assert!(matches!(accept(&spoilt(0), &job, &complete), Ok(Next::Done(live))
        if live[0].id == "7500000000000000001"));
}

/// What is live would count as published if the token could not be renewed.
#[test]
fn a_token_that_ends_while_it_is_waited_for_ends_nothing() {
    let job = film_job();
    let ended = reply(401, refused("access_token_invalid"));
    assert_eq!(accept(&confirm(public(), 5, 0), &job, &ended), Ok(Next::Go(spoilt(5))));
    assert_eq!(accept(&spoilt(5), &job, &ended), Err(RefusalKind::Unauthorized));
    let waiting = reply(200, ok(json!({ "status": "PROCESSING_UPLOAD" })));
    let next = accept(&spoilt(5), &job, &waiting).unwrap();
    assert!(matches!(next, Next::Wait(_, step) if step == confirm(public(), 6, 0)));
}
