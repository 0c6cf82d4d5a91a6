//! The table of refusals.

use std::time::Duration;

use fanfare::domain::{platform::PaceScope, refusal::RefusalKind};
use serde_json::{Value, json};

use super::{connector, film, photo, process, transfer, with};
use crate::fake::{NOW, Row, check_rows, part, reply};

#[test]
fn refusals_are_read_as_the_table_says() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Unauthorized, Unavailable};
    let job = with(&[], vec![part("hi", vec![photo(1)])]);
    let film_job = with(&[], vec![part("hi", vec![film()])]);
    let row = |status, code: i64, subcode: i64, kind| {
        let mut error = json!({ "message": "No.", "type": "OAuthException", "code": code });
        if subcode != 0 {
            error["error_subcode"] = json!(subcode);
        }
        Row { status, header: None, body: json!({ "error": error }), kind }
    };
    let hour = Some(NOW.after(Duration::from_secs(3_600)));
    let resting = |scope| RefusalKind::Throttled { until: hour, scope };
    let everywhere = |wrong_offset| {
        let mut rows = vec![
            row(500, 1, 0, Unavailable),
            row(500, 2, 0, Unavailable),
            row(400, 3, 0, Revoked),
            row(400, 4, 0, resting(PaceScope::App)),
            row(403, 10, 0, Revoked),
            row(403, 200, 0, Revoked),
            row(403, 299, 0, Revoked),
            row(400, 17, 2_446_079, resting(PaceScope::Account)),
            row(400, 32, 0, resting(PaceScope::Account)),
            row(400, 80_001, 0, resting(PaceScope::Account)),
            // "No permission to publish the video", "Name parameter too long": only words.
            row(400, 100, 0, Rejected),
            row(401, 190, 0, Unauthorized),
            row(401, 190, 463, Unauthorized),
            row(401, 190, 460, Revoked),
            row(400, 368, 0, Rejected),
            row(400, 506, 1_455_006, Duplicate),
            row(400, 324, 0, Media),
            row(400, 6_000, 1_363_030, Media),
            row(500, 6_000, 0, Media),
        ];
        // As a subcode and, as some calls have it, as the code itself.
        for (number, kind) in [
            (1_390_008, resting(PaceScope::Account)),
            (1_346_003, Rejected),
            (1_404_102, Rejected),
            (1_404_006, Revoked),
            (1_404_078, Revoked),
            (1_404_112, Revoked),
            (4_854_002, Revoked),
            (1_363_005, Revoked),
            (1_363_042, Revoked),
            (1_609_005, Rejected),
            (1_609_008, Rejected),
            (2_061_006, Rejected),
            (1_349_125, Rejected),
            (1_366_046, Media),
            (1_366_051, Duplicate),
            (2_069_019, Media),
            (1_363_019, Media),
            (1_363_024, Media),
            (1_363_030, Media),
            (1_363_033, Media),
            (1_363_037, wrong_offset),
            (1_609_010, Unavailable),
        ] {
            rows.push(row(400, 100, number, kind));
            rows.push(row(400, number, 0, kind));
        }
        // Some edges say no with a yes around it.
        rows.push(row(200, 506, 0, Duplicate));
        rows.push(Row { status: 401, header: None, body: Value::Null, kind: Unauthorized });
        rows.push(Row { status: 502, header: None, body: Value::Null, kind: Unavailable });
        rows
    };
    let publish = |photos: &[&str]| json!({ "Publish": { "photos": photos } });
    let finish = json!({ "Finish": { "film": { "video": "7", "session": "6", "post": "" } } });
    let stage = json!({ "Stage": { "photos": [] } });
    let comment = json!({ "Comment": {
        "post": { "id": "1_2", "url": "https://f.example" }, "below": "1_2",
    } });
    for step in [&publish(&[]), &stage, &comment] {
        check_rows(connector(), &job, step, everywhere(Unavailable));
    }
    for (step, kind) in
        [(&finish, Unavailable), (&transfer(0, 0), Media), (&process(0), Unavailable)]
    {
        check_rows(connector(), &film_job, step, everywhere(kind));
    }
    // It was created, and only reading it back failed.
    let unread = vec![row(400, 20, 1_772_107, RefusalKind::Unreadable)];
    check_rows(connector(), &job, &comment, unread);
    let gone = |kind| vec![row(400, 100, 33, kind)];
    for (step, kind) in [
        (publish(&["50001"]), Media),
        (publish(&[]), Rejected),
        (finish, Media),
        (transfer(0, 0), Media),
        (process(0), Media),
        (stage, Rejected),
        (comment, Rejected),
    ] {
        let job = if step["Publish"].is_object() { &job } else { &film_job };
        check_rows(connector(), job, &step, gone(kind));
    }
    let send = json!({ "Send": {
        "film": { "video": "7", "session": "", "post": "" }, "address": "https://r.example",
    } });
    let body = json!({ "debug_info": {
        "retriable": false, "type": "ProcessingFailedError", "message": "Offset differs",
    } });
    check_rows(
        connector(),
        &film_job,
        &send,
        vec![
            Row { status: 400, header: None, body: body.clone(), kind: Media },
            Row { status: 412, header: None, body: Value::Null, kind: Media },
            Row { status: 401, header: None, body: body.clone(), kind: Unauthorized },
            Row { status: 500, header: None, body: body.clone(), kind: Unavailable },
        ],
    );
    let refused = connector().accept(&send, &film_job, &reply(400, body)).unwrap().unwrap_err();
    assert_eq!(refused.words, "Offset differs");
}
