//! Google's no, as documented.

use super::*;

fn refused(http: u16, status: &str, details: Value, kind: RefusalKind) -> Row {
    let error = json!({ "code": http, "message": "No.", "status": status, "details": details });
    Row { status: http, header: None, body: json!({ "error": error }), kind }
}

fn fault(field: &str) -> Value {
    let fault = json!({ "code": 3, "field": field, "message": "No good.", "value": "" });
    json!([{
        "@type": "type.googleapis.com/google.mybusiness.v4.ValidationError",
        "errorDetails": [fault],
    }])
}

fn reason(reason: &str) -> Value {
    json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason }])
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Unauthorized, Unavailable};
    let throttled = |seconds| RefusalKind::Throttled {
        until: Some(NOW.after(Duration::from_secs(seconds))),
        scope: PaceScope::Account,
    };
    let retry =
        json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "90s" }]);
    let no_limit = json!([{
        "reason": "RATE_LIMIT_EXCEEDED", "metadata": { "quota_limit_value": "0" },
    }]);
    let some_limit = json!([{
        "reason": "RATE_LIMIT_EXCEEDED", "metadata": { "quota_limit_value": "300" },
    }]);
    let grant = json!({ "error": "invalid_grant", "error_description": "Revoked." });
    for step in [json!("Publish"), json!({ "Spoilt": { "name": POST, "polls": 0 } })] {
        let rows = vec![
            refused(401, "UNAUTHENTICATED", json!([]), Unauthorized),
            Row { body: grant.clone(), ..refused(400, "", json!([]), Revoked) },
            refused(403, "PERMISSION_DENIED", json!([]), Revoked),
            refused(403, "PERMISSION_DENIED", reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), Revoked),
            refused(403, "PERMISSION_DENIED", reason("SERVICE_DISABLED"), Rejected),
            refused(429, "RESOURCE_EXHAUSTED", json!([]), throttled(60)),
            refused(429, "RESOURCE_EXHAUSTED", retry.clone(), throttled(90)),
            refused(429, "RESOURCE_EXHAUSTED", some_limit.clone(), throttled(60)),
            Row {
                header: Some(("retry-after", "30")),
                ..refused(429, "RESOURCE_EXHAUSTED", json!([]), throttled(30))
            },
            refused(429, "RESOURCE_EXHAUSTED", no_limit.clone(), Rejected),
            refused(400, "INVALID_ARGUMENT", fault("summary"), Rejected),
            refused(400, "INVALID_ARGUMENT", fault("media[0].source_url"), Media),
            refused(400, "INVALID_ARGUMENT", json!([]), Rejected),
            refused(400, "FAILED_PRECONDITION", json!([]), Rejected),
            refused(404, "NOT_FOUND", json!([]), Rejected),
            refused(409, "ALREADY_EXISTS", json!([]), Duplicate),
            refused(409, "ABORTED", json!([]), Unavailable),
            refused(500, "INTERNAL", json!([]), Unavailable),
            refused(503, "UNAVAILABLE", json!([]), Unavailable),
            refused(504, "DEADLINE_EXCEEDED", json!([]), Unavailable),
        ];
        check_rows(connector(), &with_options(&[], vec![image()]), &step, rows);
    }
}

#[test]
fn what_is_wrong_is_said_field_by_field() {
    let row = refused(400, "INVALID_ARGUMENT", fault("summary"), RefusalKind::Rejected);
    let refused = accept(json!("Publish"), &reply(400, row.body)).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.words.as_str()),
        ("INVALID_ARGUMENT", "No. (summary: No good.)")
    );
}
