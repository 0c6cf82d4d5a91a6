//! Which channel it is, giving access back, taking down, changing.

use super::*;

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    a_channel_is_told_by_what_is_mine,
    an_account_without_a_channel_is_told_so,
    access_is_given_back_once_for_all,
    a_video_is_taken_down_with_what_is_below_it,
    a_description_is_changed_and_nothing_else_is_lost,
    a_comment_is_changed_by_its_own_id,
];

fn run(task: &Task, answer: impl FnMut(&Request) -> Reply) -> crate::fake::Ran {
    run_errand(connector(), task, crate::fake::site(&FAKE), answer)
}

fn live() -> Vec<Live> {
    let live = |id: &str, url: String| Live { id: id.to_owned(), url };
    vec![live(VIDEO, WATCH.to_owned()), live("UgxC", format!("{WATCH}&lc=UgxC"))]
}

#[test]
fn a_channel_is_told_by_what_is_mine() {
    let body = json!({ "kind": "youtube#channelListResponse", "items": [{
        "id": CHANNEL,
        "snippet": {
            "title": "Ada walks", "customUrl": "@ada",
            "thumbnails": { "default": { "url": "https://yt3.example/ada" } },
        },
        "contentDetails": { "relatedPlaylists": { "uploads": "UUada" } },
    }] });
    let ran = run(&Task::Identify, |_| reply(200, body.clone()));
    let query = "part=snippet,contentDetails&mine=true";
    assert_eq!(ran.sent[0].url, format!("https://www.googleapis.com/youtube/v3/channels?{query}"));
    let Ok(Outcome::Identified(identity)) = ran.outcome else { panic!("{:?}", ran.outcome) };
    let expected = Identity {
        remote_id: CHANNEL.to_owned(),
        handle: "ada".to_owned(),
        name: "Ada walks".to_owned(),
        url: "https://www.youtube.com/@ada".to_owned(),
        picture: "https://yt3.example/ada".to_owned(),
        traits: [("uploads".to_owned(), "UUada".to_owned())].into(),
        ..Identity::default()
    };
    assert_eq!(identity, expected);
    let ran = run(&Task::Identify, |_| reply(200, json!({ "odd": 1 })));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Unreadable);
}

#[test]
fn an_account_without_a_channel_is_told_so() {
    for body in [
        json!({ "kind": "youtube#channelListResponse", "items": [] }),
        json!({ "kind": "youtube#channelListResponse", "pageInfo": { "totalResults": 0 } }),
    ] {
        let refused = run(&Task::Identify, |_| reply(200, body.clone())).outcome.unwrap_err();
        assert_eq!(refused.kind, RefusalKind::Rejected);
        assert!(refused.words.contains("no YouTube channel"), "{}", refused.words);
    }
}

#[test]
fn access_is_given_back_once_for_all() {
    for (status, body) in [(200, json!({})), (400, json!({ "error": "invalid_token" }))] {
        let ran = run(&Task::Revoke, |_| reply(status, body.clone()));
        assert_eq!(ran.outcome, Ok(Outcome::Finished));
        let [request] = ran.sent.as_slice() else { panic!("{:?}", ran.sent) };
        assert_eq!(request.url, "https://oauth2.googleapis.com/revoke");
        let fill = &request.fills[0];
        assert_eq!((fill.place.as_str(), fill.secret), ("token", SecretName::Refresh));
    }
    let ran = run(&Task::Revoke, |_| reply(503, Value::Null));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Unavailable);
}

#[test]
fn a_video_is_taken_down_with_what_is_below_it() {
    let gone = json!({ "error": { "errors": [{ "reason": "videoNotFound" }] } });
    for (status, body) in [(204, Value::Null), (404, gone)] {
        let ran = run(&Task::Remove { live: live() }, |_| reply(status, body.clone()));
        assert_eq!(ran.outcome, Ok(Outcome::Finished));
        assert_eq!(lines(&ran.sent), ["Delete /videos?id=dQw4w9WgXcQ 50"]);
    }
}

/// What a part leaves out is erased.
#[test]
fn a_description_is_changed_and_nothing_else_is_lost() {
    let task = |text: &str| Task::Edit { live: live(), index: 0, text: text.to_owned() };
    let snippet = json!({
        "title": "A walk", "description": "Old", "categoryId": "19", "tags": ["walks"],
        "defaultLanguage": "en", "channelId": CHANNEL, "publishedAt": NOW.rfc3339(),
    });
    let ran = run(&task("New"), |request| match request.method {
        Method::Get => reply(200, json!({ "items": [{ "id": VIDEO, "snippet": snippet }] })),
        _ => reply(200, json!({ "id": VIDEO })),
    });
    assert_eq!(ran.outcome, Ok(Outcome::Edited(live())));
    let wanted = ["Get /videos?part=snippet&id=dQw4w9WgXcQ 1", "Put /videos?part=snippet 50"];
    assert_eq!(lines(&ran.sent), wanted);
    let kept = json!({
        "title": "A walk", "description": "New", "categoryId": "19", "tags": ["walks"],
        "defaultLanguage": "en",
    });
    assert_eq!(json_of(&ran.sent[1]), &json!({ "id": VIDEO, "snippet": kept }));
    for (body, kind) in [
        (json!({ "items": [] }), RefusalKind::Rejected),
        (json!({}), RefusalKind::Unreadable),
        (json!({ "items": [{ "snippet": { "title": "A" } }] }), RefusalKind::Unreadable),
    ] {
        let ran = run(&task("New"), |_| reply(200, body.clone()));
        assert_eq!(ran.outcome.unwrap_err().kind, kind, "{body}");
        assert_eq!(ran.sent.len(), 1, "nothing is written without what was read");
    }
}

#[test]
fn a_comment_is_changed_by_its_own_id() {
    let task = Task::Edit { live: live(), index: 1, text: "Second".to_owned() };
    let ran = run(&task, |_| reply(200, json!({ "id": "UgxC" })));
    assert_eq!(ran.outcome, Ok(Outcome::Edited(live())));
    assert_eq!(lines(&ran.sent), ["Put /comments?part=snippet 50"]);
    let body = json!({ "id": "UgxC", "snippet": { "textOriginal": "Second" } });
    assert_eq!(json_of(&ran.sent[0]), &body);
    let site = crate::fake::site(&FAKE);
    let task = Task::Edit { live: live(), index: 2, text: String::new() };
    assert_eq!(connector().errand(&task, &site), None);
}
