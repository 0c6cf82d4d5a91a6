//! Signing in, taking down, changing.

use std::time::Duration;

use fanfare::{
    connectors::{Auth, Body, Fill, Outcome, Progress, Reply, SecretName, Site, Task},
    domain::{delivery::Live, refusal::RefusalKind},
};
use serde_json::{Value, json};

use super::{connector, lines, with};
use crate::fake::{Ran, json_of, part, path_of, query_of, reply, run_errand};

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    a_token_is_lengthened_with_its_secrets_out_of_sight,
    pages_are_found_page_by_page_and_in_businesses_once_each,
    what_is_withheld_of_businesses_does_not_spoil_a_login,
    posts_are_taken_down_from_the_last_to_the_first,
    a_text_is_changed_where_it_is,
];

fn site() -> Site {
    with(&[], vec![part("", Vec::new())]).site
}

#[test]
fn a_token_is_lengthened_with_its_secrets_out_of_sight() {
    let answers = [
        (json!({ "access_token": "long", "expires_in": 5_183_944 }), Some(5_183_944)),
        (json!({ "access_token": "long" }), None),
    ];
    for (body, seconds) in answers {
        let Ran { sent, outcome, .. } =
            run_errand(connector(), &Task::Lengthen, site(), |_| reply(200, body.clone()));
        let url = "https://graph.facebook.com/v26.0/oauth/access_token?grant_type=\
                   fb_exchange_token";
        assert_eq!(
            (sent[0].url.as_str(), sent[0].auth, &sent[0].body),
            (url, Auth::None, &Body::Empty)
        );
        let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
        assert_eq!(
            sent[0].fills,
            [
                fill("client_id", SecretName::ClientId),
                fill("client_secret", SecretName::ClientSecret),
                fill("fb_exchange_token", SecretName::Access),
            ]
        );
        let Ok(Outcome::Granted(grant)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(grant.access.expose(), "long");
        assert_eq!(grant.access_lasts, seconds.map(Duration::from_secs));
        assert!(grant.refresh.is_none());
    }
    let odd = run_errand(connector(), &Task::Lengthen, site(), |_| reply(200, json!({})));
    assert_eq!(odd.outcome.unwrap_err().kind, RefusalKind::Unreadable);
}

fn page(id: &str, token: Value, tasks: Value) -> Value {
    json!({
        "id": id, "name": format!("Page {id}"), "username": "bakery",
        "link": format!("https://www.facebook.com/{id}"), "tasks": tasks, "access_token": token,
        "picture": { "data": { "url": "https://p.example/1.jpg" } },
    })
}

fn permissions(scopes: &[(&str, &str)]) -> Reply {
    let one = |(name, status): &(&str, &str)| json!({ "permission": name, "status": status });
    reply(200, json!({ "data": scopes.iter().map(one).collect::<Vec<_>>() }))
}

#[test]
fn pages_are_found_page_by_page_and_in_businesses_once_each() {
    let create = json!(["ANALYZE", "CREATE_CONTENT"]);
    let Ran { sent, outcome, mut found } =
        run_errand(connector(), &Task::Discover, site(), |request| {
            let after = query_of(request, "after");
            let path = path_of(request).replace("/v26.0/", "");
            match (path.as_str(), after.as_deref()) {
                ("me/permissions", _) => permissions(&[
                    ("pages_show_list", "granted"),
                    ("pages_manage_posts", "declined"),
                    ("business_management", "granted"),
                ]),
                ("me/accounts", None) => reply(
                    200,
                    json!({
                        "data": [page("1", json!("token-1"), create.clone())],
                        "paging": { "cursors": { "after": "a&b=" }, "next": "https://g.example" },
                    }),
                ),
                ("me/accounts", Some("a&b=")) => reply(
                    200,
                    json!({
                        "data": [
                            page("2", json!("token-2"), json!(["ANALYZE"])),
                            page("3", Value::Null, create.clone()),
                        ],
                        "paging": { "cursors": { "after": "c" } },
                    }),
                ),
                ("me/businesses", None) => reply(200, json!({ "data": [{ "id": "77" }] })),
                ("77/owned_pages", None) => reply(
                    200,
                    json!({ "data": [
                        page("1", json!("token-1"), Value::Null),
                        page("4", json!("token-4"), Value::Null),
                    ] }),
                ),
                ("77/client_pages", None) => {
                    let error = json!({ "message": "No.", "code": 200 });
                    reply(403, json!({ "error": error }))
                }
                other => panic!("{other:?}"),
            }
        });
    let Ok(Outcome::Discovered { targets, scopes }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(scopes.as_deref(), Some("pages_show_list business_management"));
    found.extend(targets);
    let told: Vec<_> = found
        .iter()
        .map(|target| {
            let token = target.access.as_ref().map(|secret| secret.expose());
            let obstacle = target.obstacle.as_deref().map(|text| &text[..14]);
            (target.identity.remote_id.as_str(), token, obstacle)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("1", Some("token-1"), None),
            ("2", Some("token-2"), Some("Your role on t")),
            ("3", None, Some("Facebook gives")),
            ("4", Some("token-4"), None),
        ]
    );
    let identity = &found[0].identity;
    assert_eq!((identity.name.as_str(), identity.handle.as_str()), ("Page 1", "bakery"));
    assert_eq!(identity.url, "https://www.facebook.com/1");
    assert_eq!(identity.picture, "https://p.example/1.jpg");
    let fields = query_of(&sent[1], "fields").unwrap();
    assert_eq!(fields, "id,name,username,link,picture.type(large){url},access_token,tasks");
    assert!(sent.iter().all(|request| request.auth == Auth::Access));
}

#[test]
fn what_is_withheld_of_businesses_does_not_spoil_a_login() {
    let pages = || reply(200, json!({ "data": [page("1", json!("t"), Value::Null)] }));
    let refused = || reply(403, json!({ "error": { "message": "No.", "code": 10 } }));
    for (granted, requests) in [("declined", 2), ("granted", 3)] {
        let ran = run_errand(connector(), &Task::Discover, site(), |request| {
            match path_of(request).as_str() {
                "/v26.0/me/permissions" => permissions(&[("business_management", granted)]),
                "/v26.0/me/accounts" => pages(),
                _ => refused(),
            }
        });
        let Ok(Outcome::Discovered { targets, .. }) = ran.outcome else { panic!() };
        assert_eq!((ran.found.len() + targets.len(), ran.sent.len()), (1, requests), "{granted}");
    }
    let ran = run_errand(connector(), &Task::Discover, site(), |request| {
        match path_of(request).as_str() {
            "/v26.0/me/permissions" => permissions(&[]),
            _ => refused(),
        }
    });
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Revoked);
}

#[test]
fn a_search_that_does_not_end_is_ended() {
    let mut count = 0;
    let mut errand = connector().errand(&Task::Discover, &Site::default()).unwrap();
    let outcome = loop {
        let answer = match count {
            0 => permissions(&[]),
            _ => reply(
                200,
                json!({
                    "data": [page(&count.to_string(), json!("t"), Value::Null)],
                    "paging": { "cursors": { "after": count.to_string() }, "next": "more" },
                }),
            ),
        };
        count += 1;
        assert!(count < 64, "the engine would refuse it all");
        match connector().errand_accept(&errand, &site(), &answer).unwrap().unwrap() {
            Progress::Go(next) | Progress::Found(_, next) => errand = next,
            Progress::Done(outcome) => break outcome,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(outcome, Outcome::Discovered { targets, .. } if targets.len() == 1));
}

fn live(id: &str) -> Live {
    Live { id: id.to_owned(), url: format!("https://f.example/{id}") }
}

#[test]
fn posts_are_taken_down_from_the_last_to_the_first() {
    let task = Task::Remove { live: vec![live("1_2"), live("2_7")] };
    let Ran { sent, outcome, .. } =
        run_errand(connector(), &task, site(), |request| match path_of(request).as_str() {
            "/v26.0/2_7" => {
                let error = json!({ "message": "No.", "code": 100, "error_subcode": 33 });
                reply(400, json!({ "error": error }))
            }
            _ => reply(200, json!({ "success": true })),
        });
    assert_eq!(outcome, Ok(Outcome::Finished));
    let url = "Delete https://graph.facebook.com/v26.0";
    assert_eq!(lines(&sent), [format!("{url}/2_7"), format!("{url}/1_2")]);
    for (answer, kind) in [
        (reply(400, json!({ "error": { "message": "No.", "code": 100 } })), RefusalKind::Rejected),
        (reply(200, json!({ "success": false })), RefusalKind::Unreadable),
    ] {
        let ran = run_errand(connector(), &task, site(), |_| answer.clone());
        assert_eq!(ran.outcome.unwrap_err().kind, kind);
    }
    assert_eq!(connector().errand(&Task::Remove { live: Vec::new() }, &Site::default()), None);
}

#[test]
fn a_text_is_changed_where_it_is() {
    for (live, index, path, body) in [
        (vec![live("1_2"), live("2_7")], 0, "/v26.0/1_2", json!({ "message": "New" })),
        (vec![live("1_2"), live("2_7")], 1, "/v26.0/2_7", json!({ "message": "New" })),
        (vec![live("70001")], 0, "/v26.0/70001", json!({ "description": "New" })),
    ] {
        let task = Task::Edit { live: live.clone(), index, text: "New".to_owned() };
        let yes = json!({ "success": true });
        let ran = run_errand(connector(), &task, site(), |_| reply(200, yes.clone()));
        assert_eq!((path_of(&ran.sent[0]).as_str(), json_of(&ran.sent[0])), (path, &body));
        assert_eq!(ran.outcome, Ok(Outcome::Edited(live)));
    }
    let beyond = Task::Edit { live: vec![live("1_2")], index: 1, text: String::new() };
    assert_eq!(connector().errand(&beyond, &Site::default()), None);
}

#[test]
fn access_to_one_page_is_never_withdrawn_with_all_others() {
    assert_eq!(connector().errand(&Task::Revoke, &Site::default()), None);
    assert_eq!(connector().errand(&Task::Refresh, &Site::default()), None);
}
