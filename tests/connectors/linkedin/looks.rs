//! Whether a post whose answer was lost is there.

use super::*;

/// A post as a list has it, `after` seconds after arming.
fn seen_post(after: i64, changes: Value) -> Value {
    let armed = NOW.before(Duration::from_secs(10));
    let at = armed.0.checked_add_signed(after * 1_000).unwrap();
    let mut post = json!({
        "id": "urn:li:share:9", "author": PAGE, "commentary": r"Read \(this\) {hashtag|\#|now}",
        "createdAt": at, "lastModifiedAt": at, "lifecycleState": "PUBLISHED",
    });
    let changes = changes.as_object().unwrap().clone();
    post.as_object_mut().unwrap().extend(changes);
    post
}

fn look(job: &Job, ready: &[&str], body: Value) -> Sighting<Value> {
    let step = json!({ "Publish": { "ready": ready, "waits": 0 } });
    connector().recognise(&step, job, &reply(200, body)).unwrap()
}

fn is_found(seen: &Sighting<Value>) -> bool {
    matches!(seen, Sighting::Found(Next::Done(live)) if live[0].id == "urn:li:share:9")
}

#[test]
fn the_list_of_an_organization_is_asked_for_as_its_author() {
    let job = post("hi", Vec::new());
    let probe = connector().probe(&connector().begin(&job), &job).unwrap().unwrap();
    assert_eq!(
        probe.url,
        "https://api.linkedin.com/rest/posts?q=author&author=urn%3Ali%3Aorganization%3A5515715\
         &count=100&sortBy=LAST_MODIFIED&viewContext=AUTHOR"
    );
    assert!(probe.headers.contains(&("x-restli-method", "FINDER".to_owned())));
    let job = as_member(post("hi", Vec::new()));
    assert_eq!(connector().probe(&connector().begin(&job), &job).unwrap(), None);
}

#[test]
fn a_post_is_known_by_its_files_or_by_what_it_says_since_it_was_sent() {
    let text = with_options(&[], Vec::new());
    let with = |post: Value| listed(&[post]);
    for changes in [
        json!({}),
        json!({ "commentary": r"Read \(this\) \#now" }),
        json!({ "commentary": "Read (this)  #now" }),
        json!({ "lifecycleState": "PUBLISH_REQUESTED" }),
        json!({ "lastModifiedAt": NOW.0 + 60_000 }),
    ] {
        let seen = look(&text, &[], with(seen_post(3, changes.clone())));
        assert!(is_found(&seen), "{changes}: {seen:?}");
    }
    let picture = with_options(&[], vec![image(1)]);
    for content in [
        json!({ "media": { "id": "urn:li:image:C" } }),
        json!({ "multiImage": {
            "images": [{ "id": "urn:li:image:B" }, { "id": "urn:li:image:C" }],
        } }),
        json!({ "article": { "source": "https://e.org", "thumbnail": "urn:li:image:C" } }),
    ] {
        let changes = json!({ "content": content, "commentary": "changed since" });
        let seen = look(&picture, &["urn:li:image:C"], with(seen_post(3, changes)));
        assert!(is_found(&seen), "{seen:?}");
    }
    let quote = with_options(&[("quote", QUOTED)], Vec::new());
    let seen =
        look(&quote, &[], with(seen_post(3, json!({ "reshareContext": { "parent": QUOTED } }))));
    assert!(is_found(&seen), "{seen:?}");
}

#[test]
fn what_only_looks_alike_is_left_to_a_person() {
    let text = with_options(&[], Vec::new());
    let with = |post: Value| listed(&[post]);
    for (after, changes) in [
        (-30, json!({})),
        (3, json!({ "commentary": r"Read \(this\)" })),
        (3, json!({ "content": { "media": { "id": "urn:li:image:Z" } } })),
        (3, json!({ "reshareContext": { "parent": QUOTED } })),
        (3, json!({ "lifecycleState": "PUBLISH_FAILED" })),
        (3, json!({ "createdAt": null })),
        (3, json!({ "id": null })),
    ] {
        let seen = look(&text, &[], with(seen_post(after, changes.clone())));
        assert!(matches!(seen, Sighting::Unsure(_)), "{changes}: {seen:?}");
    }
    let twice = listed(&[seen_post(3, json!({ "id": "urn:li:share:8" })), seen_post(3, json!({}))]);
    let seen = look(&text, &[], twice);
    assert!(matches!(&seen, Sighting::Unsure(why) if why.contains("2 posts")), "{seen:?}");
    // Our picture is known; a post with the same words and another one is not ours for certain.
    let picture = with_options(&[], vec![image(1)]);
    let other = json!({ "content": { "media": { "id": "urn:li:image:Z" } } });
    let seen = look(&picture, &["urn:li:image:C"], with(seen_post(3, other)));
    assert!(matches!(seen, Sighting::Unsure(_)), "{seen:?}");
}

#[test]
fn absence_needs_a_list_that_reaches_back() {
    let text = with_options(&[], Vec::new());
    assert_eq!(look(&text, &[], listed(&[])), Sighting::Absent);
    let other = || json!({ "commentary": "Something else entirely" });
    assert_eq!(look(&text, &[], listed(&[seen_post(3, other())])), Sighting::Absent);
    // Last week's post of the same words.
    assert_eq!(look(&text, &[], listed(&[seen_post(-604_800, json!({}))])), Sighting::Absent);
    let mut page = vec![seen_post(3, other()); 100];
    assert!(matches!(look(&text, &[], listed(&page)), Sighting::Unsure(_)));
    page[99] = seen_post(-120, other());
    assert_eq!(look(&text, &[], listed(&page)), Sighting::Absent);
    let mut more = listed(&[seen_post(3, other())]);
    more["paging"]["links"] = json!([{ "rel": "next", "href": "/rest/posts?start=10" }]);
    assert!(matches!(look(&text, &[], more), Sighting::Unsure(_)));

    let publish = connector().begin(&text);
    let late = with_header(reply(200, listed(&[])), "date", "Sat, 21 Nov 2026 08:50:00 GMT");
    let seen = connector().recognise(&publish, &text, &late).unwrap();
    assert!(matches!(&seen, Sighting::Unsure(why) if why.contains("clock")), "{seen:?}");
    let denied = reply(403, listed(&[]));
    let seen = connector().recognise(&publish, &text, &denied).unwrap();
    assert!(matches!(seen, Sighting::Unsure(_)), "{seen:?}");
}

#[test]
fn a_comment_is_looked_for_below_its_own_post() {
    let job = with_comment();
    let step = json!({ "Comment": { "post": "urn:li:share:9" } });
    let probe = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(
        probe.url,
        "https://api.linkedin.com/rest/socialActions/urn%3Ali%3Ashare%3A9/comments?start=0&count=100"
    );
    let comment = |actor: &str, text: &str| {
        let message = json!({ "text": text });
        json!({ "id": "66361", "actor": actor, "message": message })
    };
    let seen = |comments: &[Value]| {
        connector().recognise(&step, &job, &reply(200, listed(comments))).unwrap()
    };
    let theirs = comment(PERSON, "The (comment)");
    assert_eq!(seen(&[]), Sighting::Absent);
    assert_eq!(seen(std::slice::from_ref(&theirs)), Sighting::Absent);
    let found = seen(&[theirs.clone(), comment(PAGE, "The (comment)")]);
    let Sighting::Found(Next::Done(live)) = found else { panic!("{found:?}") };
    assert_eq!((live[0].id.as_str(), live[1].id.as_str()), ("urn:li:share:9", "66361"));
    assert!(matches!(seen(&[comment(PAGE, "Another")]), Sighting::Unsure(_)));
    let mut unnamed = comment(PAGE, "The (comment)");
    unnamed["id"] = Value::Null;
    assert!(matches!(seen(std::slice::from_ref(&unnamed)), Sighting::Unsure(_)));
    unnamed["commentUrn"] = json!("urn:li:comment:(urn:li:activity:8,66361)");
    let found = seen(&[unnamed]);
    assert!(matches!(&found, Sighting::Found(Next::Done(live)) if live[1].id == "66361"));
    assert!(matches!(seen(&vec![theirs; 100]), Sighting::Unsure(_)));
    // Not for a member, who is shown nothing.
    let job = as_member(with_comment());
    assert_eq!(connector().probe(&step, &job).unwrap(), None);
    assert_eq!(connector().request(&step, &job).unwrap().repeat, Repeat::Duplicates);
}
