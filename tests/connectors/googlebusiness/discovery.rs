//! Which locations a person may choose from.

use super::*;
use crate::fake::query_of;

fn location(number: u32, voice: Option<bool>) -> Value {
    let mut metadata = json!({ "mapsUri": format!("https://maps.example/{number}") });
    if let Some(voice) = voice {
        metadata["hasVoiceOfMerchant"] = json!(voice);
    }
    json!({
        "name": format!("locations/{number}"), "title": "Bakery", "languageCode": "de",
        "storefrontAddress": { "addressLines": [format!("Hill Street {number}")], "locality": "Ulm" },
        "metadata": metadata,
    })
}

/// Ids and obstacles, in the order in which they were told.
fn told(ran: Ran) -> Vec<(String, Option<String>)> {
    let Ok(Outcome::Discovered { targets, scopes: None }) = ran.outcome else {
        panic!("{:?}", ran.outcome)
    };
    let all = ran.found.into_iter().chain(targets);
    all.map(|target| (target.identity.remote_id, target.obstacle)).collect()
}

#[test]
pub(super) fn locations_are_listed_account_by_account_and_page_by_page() {
    let good = Some(true);
    let mut first = None;
    let ran = run(&Task::Discover, |request| {
        let page = query_of(request, "pageToken");
        let body = match (path_of(request).as_str(), page.as_deref()) {
            ("/v1/accounts", None) => {
                json!({ "accounts": [{ "name": "accounts/1" }], "nextPageToken": "a+b" })
            }
            ("/v1/accounts", Some("a+b")) => {
                json!({ "accounts": [{ "name": "accounts/9" }, { "name": "accounts/3" }] })
            }
            ("/v1/accounts/1/locations", None) => {
                first = Some(request.url.clone());
                json!({ "locations": [location(1, good), location(2, good)], "nextPageToken": "p" })
            }
            ("/v1/accounts/1/locations", Some("p")) => json!({ "locations": [location(3, good)] }),
            // One account that is closed to us does not hide the others.
            ("/v1/accounts/9/locations", None) => return reply(403, json!({})),
            // A location of a group is in a person's own account too.
            ("/v1/accounts/3/locations", None) => {
                json!({ "locations": [location(3, good), location(4, good)] })
            }
            other => panic!("{other:?}"),
        };
        reply(200, body)
    });
    let mask = "readMask=name,title,languageCode,storefrontAddress,metadata&pageSize=100";
    let host = "https://mybusinessbusinessinformation.googleapis.com";
    assert_eq!(first, Some(format!("{host}/v1/accounts/1/locations?{mask}")));
    let one = ran.found[0].identity.clone();
    let expected = Identity {
        remote_id: "accounts/1/locations/1".to_owned(),
        handle: "Hill Street 1, Ulm".to_owned(),
        name: "Bakery".to_owned(),
        url: "https://maps.example/1".to_owned(),
        traits: [("language".to_owned(), "de".to_owned())].into(),
        ..Identity::default()
    };
    assert_eq!(one, expected);
    let ids: Vec<_> =
        told(ran).into_iter().map(|(id, obstacle)| (id, obstacle.is_none())).collect();
    let id = |account: u32, location: u32| format!("accounts/{account}/locations/{location}");
    assert_eq!(ids, [(id(1, 1), true), (id(1, 2), true), (id(1, 3), true), (id(3, 4), true)]);
}

/// Google leaves out what is false, so a location that says nothing is asked about.
#[test]
pub(super) fn a_location_that_cannot_post_says_why() {
    for (voice, status, standing, words) in [
        (Some(true), 500, json!({}), None),
        (None, 200, json!({ "hasVoiceOfMerchant": true }), None),
        (None, 200, json!({}), None),
        (None, 403, json!({}), None),
        (Some(false), 200, json!({ "verify": {} }), Some("not verified")),
        (None, 200, json!({ "waitForVoiceOfMerchant": {} }), Some("still reviewing")),
        (None, 200, json!({ "resolveOwnershipConflict": {} }), Some("a duplicate")),
        (None, 200, json!({ "complyWithGuidelines": {} }), Some("suspended")),
    ] {
        let ran = run(&Task::Discover, |request| match path_of(request).as_str() {
            "/v1/accounts" => reply(200, json!({ "accounts": [{ "name": "accounts/1" }] })),
            "/v1/accounts/1/locations" => reply(200, json!({ "locations": [location(2, voice)] })),
            "/v1/locations/2/VoiceOfMerchantState" => reply(status, standing.clone()),
            other => panic!("{other}"),
        });
        let [(id, obstacle)] = told(ran).try_into().unwrap();
        assert_eq!(id, "accounts/1/locations/2");
        match words {
            Some(words) => assert!(obstacle.as_ref().unwrap().contains(words), "{obstacle:?}"),
            None => assert_eq!(obstacle, None, "{standing}"),
        }
    }
    let ran = run(&Task::Discover, |_| reply(200, json!({})));
    assert_eq!(told(ran), []);
}

#[test]
pub(super) fn many_locations_do_not_make_too_many_requests() {
    let ran = run(&Task::Discover, |request| match path_of(request).as_str() {
        "/v1/accounts" => reply(200, json!({ "accounts": [{ "name": "accounts/1" }] })),
        "/v1/accounts/1/locations" => {
            let locations: Value = (1..=300).map(|number| location(number, None)).collect();
            reply(200, json!({ "locations": locations }))
        }
        _ => reply(200, json!({ "hasVoiceOfMerchant": true })),
    });
    assert!(ran.sent.len() < 256, "{}", ran.sent.len());
    assert_eq!(told(ran).len(), 300);
}

/// Some of them alone would look like all of them.
#[test]
pub(super) fn who_has_more_locations_than_can_be_listed_is_told_so() {
    let mut pages = 0;
    let ran = run(&Task::Discover, |request| match path_of(request).as_str() {
        "/v1/accounts" => reply(200, json!({ "accounts": [{ "name": "accounts/1" }] })),
        _ => {
            pages += 1;
            let more = format!("page {pages}");
            reply(200, json!({ "locations": [location(pages, Some(true))], "nextPageToken": more }))
        }
    });
    let refused = ran.outcome.unwrap_err();
    assert_eq!(
        (refused.kind, refused.code.as_str()),
        (RefusalKind::Rejected, "too_many_locations")
    );
    assert!(refused.words.contains("(239 were found)"), "{}", refused.words);
}

#[test]
fn a_project_that_is_not_approved_is_told_so() {
    let body = json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{
        "reason": "RATE_LIMIT_EXCEEDED", "metadata": { "quota_limit_value": "0" },
    }] } });
    let refused = run(&Task::Discover, |_| reply(429, body.clone())).outcome.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Rejected);
    assert!(refused.words.contains("not approved"), "{}", refused.words);
}
