//! Who the account is, and giving access back.

use fanfare::{
    connectors::{Auth, Body, Outcome, SecretName, Task},
    domain::{delivery::Live, refusal::RefusalKind},
};
use serde_json::{Value, json};

use super::{FAKE, connector, ok};
use crate::fake::{query_of, reply, run_errand, site};

pub(crate) const ERRANDS: &[fn()] = &[
    an_account_is_known_by_its_name,
    without_the_permission_its_display_name_has_to_do,
    access_is_given_back,
];

#[test]
fn an_account_is_known_by_its_name() {
    let ran = run_errand(connector(), &Task::Identify, site(&FAKE), |_| {
        reply(
            200,
            ok(json!({ "user": {
            "open_id": "afd97af1", "avatar_url": "https://cdn.example/a.webp",
            "display_name": "Ada L.", "username": "ada",
        } })),
        )
    });
    let Ok(Outcome::Identified(identity)) = ran.outcome else { panic!("nobody") };
    assert_eq!((identity.remote_id.as_str(), identity.handle.as_str()), ("afd97af1", "ada"));
    assert_eq!(identity.name, "Ada L.");
    assert_eq!(identity.url, "https://www.tiktok.com/@ada");
    assert_eq!(identity.picture, "https://cdn.example/a.webp");
}

#[test]
fn without_the_permission_its_display_name_has_to_do() {
    let ran = run_errand(connector(), &Task::Identify, site(&FAKE), |request| {
        match query_of(request, "fields").unwrap().contains("username") {
            true => reply(401, json!({ "error": { "code": "scope_not_authorized" } })),
            false => {
                reply(200, ok(json!({ "user": { "open_id": "1", "display_name": "Ada L." } })))
            }
        }
    });
    assert_eq!(ran.sent.len(), 2);
    let Ok(Outcome::Identified(identity)) = ran.outcome else { panic!("nobody") };
    assert_eq!((identity.handle.as_str(), identity.name.as_str()), ("Ada L.", "Ada L."));
    assert_eq!(identity.url, "https://www.tiktok.com/");

    for (answer, kind) in [
        (json!({ "error": { "code": "scope_not_authorized" } }), RefusalKind::Revoked),
        (json!({ "error": { "code": "access_token_invalid" } }), RefusalKind::Unauthorized),
    ] {
        let ran =
            run_errand(connector(), &Task::Identify, site(&FAKE), |_| reply(401, answer.clone()));
        assert_eq!(ran.outcome.unwrap_err().kind, kind);
    }
    let nobody = run_errand(connector(), &Task::Identify, site(&FAKE), |_| {
        reply(200, ok(json!({ "user": {} })))
    });
    assert_eq!(nobody.outcome.unwrap_err().kind, RefusalKind::Unreadable);
}

#[test]
fn access_is_given_back() {
    let revoke = |answer: fn() -> (u16, Value)| {
        run_errand(connector(), &Task::Revoke, site(&FAKE), |_| {
            let (status, body) = answer();
            reply(status, body)
        })
    };
    let ran = revoke(|| (200, Value::Null));
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    assert_eq!(ran.sent[0].url, "https://open.tiktokapis.com/v2/oauth/revoke/");
    assert_eq!((ran.sent[0].auth, &ran.sent[0].body), (Auth::None, &Body::Form(Vec::new())));
    let places: Vec<_> =
        ran.sent[0].fills.iter().map(|fill| (fill.place.as_str(), fill.secret)).collect();
    assert_eq!(
        places,
        [
            ("client_key", SecretName::ClientId),
            ("client_secret", SecretName::ClientSecret),
            ("token", SecretName::Access),
        ]
    );
    let no = || (200, json!({ "error": "invalid_request", "error_description": "Malformed." }));
    let refusal = revoke(no).outcome.unwrap_err();
    assert_eq!((refusal.kind, refusal.code.as_str()), (RefusalKind::Rejected, "invalid_request"));
    let down = revoke(|| (503, Value::Null)).outcome.unwrap_err();
    assert_eq!(down.kind, RefusalKind::Unavailable);
}

#[test]
fn posts_can_be_neither_taken_down_nor_changed() {
    let live = vec![Live { id: "1".to_owned(), url: String::new() }];
    let site = site(&FAKE);
    assert_eq!(connector().errand(&Task::Remove { live: live.clone() }, &site), None);
    let edit = Task::Edit { live, index: 0, text: "new".to_owned() };
    assert_eq!(connector().errand(&edit, &site), None);
}
