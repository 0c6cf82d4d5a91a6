//! X as a client meets it.

use reqwest::{
    Method,
    multipart::{Form, Part},
};

use super::*;
use crate::sandbox::trial::{BACK, Trial, VERIFIER, mp4, read, start};

async fn refresh(trial: &Trial, token: &Value) -> (u16, Value) {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
    let request = trial.request(Method::POST, "/x/2/oauth2/token", "");
    let request = request.basic_auth("app", Some("sandbox-secret")).form(&form);
    read(request.send().await.unwrap()).await
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

#[tokio::test]
async fn a_code_needs_its_verifier_works_once_and_lives_30_seconds() {
    let trial = start().await;
    let scope = "tweet.read users.read";
    let code = trial.allow("/x/i/oauth2/authorize", "app", scope).await;
    assert_eq!(trial.x_token(&code, "wrong").await.0, 400);
    let (status, tokens) = trial.x_token(&code, VERIFIER).await;
    assert_eq!(status, 200);
    assert!(tokens["refresh_token"].is_null());
    assert_eq!(trial.x_token(&code, VERIFIER).await.0, 400);
    let code = trial.allow("/x/i/oauth2/authorize", "app", scope).await;
    trial.advance(Duration::from_secs(30));
    assert_eq!(trial.x_token(&code, VERIFIER).await.0, 400);
    let (status, me) = trial.get("/x/2/users/me", access(&tokens)).await;
    assert_eq!((status, &me["data"]["username"]), (200, &json!("alice")));
    let (status, _) = trial.post("/x/2/tweets", access(&tokens), json!({"text": "x"})).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn using_a_refresh_token_twice_ends_the_grant() {
    let trial = start().await;
    let first = trial.x().await;
    let (status, second) = refresh(&trial, &first["refresh_token"]).await;
    assert_eq!(status, 200, "{second}");
    assert_eq!(trial.get("/x/2/users/me", access(&second)).await.0, 200);
    assert_eq!(refresh(&trial, &first["refresh_token"]).await.0, 400);
    assert_eq!(refresh(&trial, &second["refresh_token"]).await.0, 400);
    assert_eq!(trial.get("/x/2/users/me", access(&second)).await.0, 401);
}

#[tokio::test]
async fn the_same_text_in_the_same_place_is_a_duplicate() {
    let trial = start().await;
    let tokens = trial.x().await;
    let token = access(&tokens);
    let body = json!({ "text": "hi <b> https://example.com/a" });
    let (status, first) = trial.post("/x/2/tweets", token, body.clone()).await;
    assert_eq!(status, 201, "{first}");
    let (status, again) = trial.post("/x/2/tweets", token, body.clone()).await;
    let wanted = "You are not allowed to create a Tweet with duplicate content.";
    assert_eq!((status, &again["detail"]), (403, &json!(wanted)));
    let mut reply = body;
    reply["reply"] = json!({ "in_reply_to_tweet_id": first["data"]["id"] });
    assert_eq!(trial.post("/x/2/tweets", token, reply).await.0, 201);
    assert_eq!(trial.sandbox.ledger().len(), 2);
    let (_, me) = trial.get("/x/2/users/me", token).await;
    let path = format!(
        "/x/2/users/{}/tweets?tweet.fields=entities,referenced_tweets,conversation_id",
        me["data"]["id"].as_str().unwrap()
    );
    let (_, listed) = trial.get(&path, token).await;
    let newest = &listed["data"][0];
    assert_eq!(newest["referenced_tweets"][0]["id"], first["data"]["id"]);
    assert_eq!(newest["conversation_id"], first["data"]["id"]);
    let url = &newest["entities"]["urls"][0];
    assert_eq!(url["expanded_url"], "https://example.com/a");
    assert!(newest["text"].as_str().unwrap().starts_with("hi &lt;b&gt; https://t.co/"));
}

#[tokio::test]
async fn both_forms_of_a_posts_address_lead_to_it() {
    let trial = start().await;
    let tokens = trial.x().await;
    let (_, made) = trial.post("/x/2/tweets", access(&tokens), json!({ "text": "x" })).await;
    let id = made["data"]["id"].as_str().unwrap();
    for path in [format!("/x/i/web/status/{id}"), format!("/x/alice/status/{id}")] {
        let answer = trial.request(Method::GET, &path, "").send().await.unwrap();
        assert_eq!(answer.headers()["location"], "/#post-1", "{path}");
    }
}

#[tokio::test]
async fn unknown_keys_and_long_texts_are_refused() {
    let trial = start().await;
    let tokens = trial.x().await;
    for (body, wanted) in [
        (json!({ "text": "x", "color": "red" }), 400),
        (json!({ "text": "x", "poll": { "options": ["a", "b"] } }), 400),
        (json!({ "text": "の".repeat(141) }), 403),
        (json!({ "text": "$A and $B" }), 403),
        (json!({ "text": "x", "media": { "media_ids": ["1"] } }), 400),
    ] {
        let (status, answer) = trial.post("/x/2/tweets", access(&tokens), body).await;
        assert_eq!(status, wanted, "{answer}");
    }
}

#[tokio::test]
async fn a_video_is_sent_in_segments_processed_and_attached() {
    let trial = start().await;
    let tokens = trial.x().await;
    let token = access(&tokens);
    let body = json!({ "media_type": "video/mp4", "media_category": "tweet_video",
        "total_bytes": 2_000 });
    let (_, begun) = trial.post("/x/2/media/upload/initialize", token, body).await;
    let id = begun["data"]["id"].as_str().unwrap();
    for (index, part) in mp4().chunks(1_000).enumerate() {
        let form = Form::new()
            .text("segment_index", index.to_string())
            .part("media", Part::bytes(part.to_vec()).file_name("blob"));
        let path = format!("/x/2/media/upload/{id}/append");
        let request = trial.request(Method::POST, &path, token).multipart(form);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let path = format!("/x/2/media/upload/{id}/finalize");
    let request = trial.request(Method::POST, &path, token);
    let (_, done) = read(request.send().await.unwrap()).await;
    assert_eq!(done["data"]["processing_info"]["state"], "pending");
    let post = json!({ "text": "film", "media": { "media_ids": [id] } });
    assert_eq!(trial.post("/x/2/tweets", token, post.clone()).await.0, 400);
    trial.advance(Duration::from_secs(2));
    let path = format!("/x/2/media/upload?command=STATUS&media_id={id}");
    let (_, status) = trial.get(&path, token).await;
    assert_eq!(status["data"]["processing_info"]["state"], "succeeded");
    let (status, answer) = trial.post("/x/2/tweets", token, post).await;
    assert_eq!(status, 201, "{answer}");
}

#[tokio::test]
async fn the_101st_post_is_throttled_without_a_retry_after() {
    let trial = start().await;
    let tokens = trial.x().await;
    for number in 0..100 {
        let body = json!({ "text": format!("n {number}") });
        assert_eq!(trial.post("/x/2/tweets", access(&tokens), body).await.0, 201);
    }
    let request = trial.request(Method::POST, "/x/2/tweets", access(&tokens));
    let response = request.json(&json!({ "text": "more" })).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["x-rate-limit-remaining"], "0");
    assert!(response.headers().get("retry-after").is_none());
}

/// An access token of that client for that handle.
async fn sign_in(trial: &Trial, client: &str, handle: &str) -> String {
    let form = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", BACK),
        ("scope", "tweet.read tweet.write users.read media.write"),
        ("state", "s"),
        ("code_challenge", VERIFIER),
        ("code_challenge_method", "plain"),
        ("handle", handle),
        ("decision", "allow"),
    ];
    let request = trial.request(Method::POST, "/x/i/oauth2/authorize", "").form(&form);
    let response = request.send().await.unwrap();
    let location = url::Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    let request = trial.request(Method::POST, "/x/2/oauth2/token", "");
    let request = request.basic_auth(client, Some("sandbox-secret")).form(&form);
    let (status, tokens) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{tokens}");
    access(&tokens).to_owned()
}

async fn own_id(trial: &Trial, token: &str) -> String {
    let (_, me) = trial.get("/x/2/users/me", token).await;
    me["data"]["id"].as_str().unwrap().to_owned()
}

async fn post(trial: &Trial, token: &str, body: Value) -> String {
    let (status, made) = trial.post("/x/2/tweets", token, body).await;
    assert_eq!(status, 201, "{made}");
    made["data"]["id"].as_str().unwrap().to_owned()
}

async fn lookup(trial: &Trial, token: &str, id: &str, asked: &str) -> Value {
    trial.get(&format!("/x/2/tweets/{id}?{asked}"), token).await.1
}

#[tokio::test]
async fn a_poll_is_shown_told_and_goes_with_nothing_else() {
    let trial = start().await;
    let token = sign_in(&trial, "app", "alice").await;
    let poll = json!({ "options": ["a", "b"], "duration_minutes": 5 });
    let id = post(&trial, &token, json!({ "text": "which?", "poll": poll })).await;
    assert_eq!(trial.sandbox.ledger()[0].face.poll, ["a", "b"]);
    trial.advance(Duration::from_secs(5 * 60));
    let asked = "tweet.fields=attachments&expansions=attachments.poll_ids";
    let seen = lookup(&trial, &token, &id, asked).await;
    let told = &seen["includes"]["polls"][0];
    assert_eq!(seen["data"]["attachments"]["poll_ids"][0], told["id"]);
    assert_eq!(
        (&told["voting_status"], &told["options"][1]["label"]),
        (&json!("closed"), &json!("b"))
    );
    for poll in [
        json!({ "options": ["a"], "duration_minutes": 5 }),
        json!({ "options": ["a", 1], "duration_minutes": 5 }),
        json!({ "options": ["a", "x".repeat(26)], "duration_minutes": 5 }),
        json!({ "options": ["a", "b"], "duration_minutes": 4 }),
        json!({ "options": ["a", "b"], "duration_minutes": 5, "reply_settings": "all" }),
    ] {
        let body = json!({ "text": "x", "poll": poll });
        assert_eq!(trial.post("/x/2/tweets", &token, body).await.0, 400, "{poll}");
    }
    let body = json!({ "text": "x", "poll": { "options": ["a", "b"], "duration_minutes": 5 },
        "card_uri": "card://1" });
    assert_eq!(trial.post("/x/2/tweets", &token, body).await.0, 400);
}

#[tokio::test]
async fn only_enterprise_clients_quote_and_use_several_cashtags() {
    let trial = start().await;
    let token = sign_in(&trial, "app", "alice").await;
    let id = post(&trial, &token, json!({ "text": "one" })).await;
    let quote = json!({ "text": "$A and $B", "quote_tweet_id": id });
    let (status, refused) = trial.post("/x/2/tweets", &token, quote.clone()).await;
    assert_eq!(
        (status, &refused["detail"]),
        (403, &json!("You are not permitted to perform this action."))
    );
    let token = sign_in(&trial, "my-enterprise-app", "bob").await;
    let quoting = post(&trial, &token, quote).await;
    let seen = lookup(&trial, &token, &quoting, "tweet.fields=referenced_tweets").await;
    assert_eq!(seen["data"]["referenced_tweets"], json!([{ "type": "quoted", "id": id }]));
    assert_eq!(trial.sandbox.ledger()[1].face.marks, [format!("quotes {id}")]);
    for (quoted, wanted) in [("7", 403), ("x", 400)] {
        let body = json!({ "text": "x", "quote_tweet_id": quoted });
        assert_eq!(trial.post("/x/2/tweets", &token, body).await.0, wanted);
    }
}

#[tokio::test]
async fn others_are_only_answered_when_they_asked_for_it() {
    let trial = start().await;
    let alice = sign_in(&trial, "app", "alice").await;
    let bob = sign_in(&trial, "app", "bob").await;
    for (text, wanted) in [("hello", 403), ("hello @Bob", 201)] {
        let id = post(&trial, &alice, json!({ "text": text })).await;
        let body = json!({ "text": "hi", "reply": { "in_reply_to_tweet_id": id } });
        assert_eq!(trial.post("/x/2/tweets", &bob, body).await.0, wanted, "{text}");
    }
}

#[tokio::test]
async fn a_retweet_is_made_once_and_can_be_taken_back() {
    let trial = start().await;
    let alice = sign_in(&trial, "app", "alice").await;
    let bob = sign_in(&trial, "app", "bob").await;
    let id = post(&trial, &alice, json!({ "text": "one" })).await;
    let own = own_id(&trial, &bob).await;
    let path = format!("/x/2/users/{own}/retweets");
    let body = json!({ "tweet_id": id });
    for _ in 0..2 {
        let (status, done) = trial.post(&path, &bob, body.clone()).await;
        assert_eq!((status, &done["data"]["retweeted"]), (200, &json!(true)));
    }
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[1].text.as_str()), (2, "RT @alice: one"));
    assert_eq!(trial.post(&path, &alice, body.clone()).await.0, 400);
    assert_eq!(trial.post(&path, &bob, json!({ "tweet_id": id, "x": 1 })).await.0, 400);
    assert_eq!(trial.post(&path, &bob, json!({ "tweet_id": "7" })).await.0, 404);
    let timeline = format!("/x/2/users/{own}/tweets?tweet.fields=referenced_tweets");
    let (_, listed) = trial.get(&timeline, &bob).await;
    assert_eq!(listed["data"][0]["referenced_tweets"], json!([{ "type": "retweeted", "id": id }]));
    let (_, without) = trial.get(&format!("{timeline}&exclude=retweets"), &bob).await;
    assert_eq!(without["meta"]["result_count"], 0);
    let undo = trial.request(Method::DELETE, &format!("{path}/{id}"), &bob);
    let (status, undone) = read(undo.send().await.unwrap()).await;
    assert_eq!((status, &undone["data"]["retweeted"]), (200, &json!(false)));
    assert!(trial.sandbox.ledger()[1].deleted_at.is_some());
    assert!(trial.sandbox.ledger()[0].deleted_at.is_none());
    assert_eq!(trial.post(&path, &bob, body).await.0, 200);
    assert_eq!(trial.sandbox.ledger().len(), 3);
}

#[tokio::test]
async fn an_edit_is_a_new_version_of_the_same_entry() {
    let trial = start().await;
    let token = sign_in(&trial, "app", "alice_premium").await;
    let first = post(&trial, &token, json!({ "text": "one" })).await;
    let edit =
        |text: &str, of: &str| json!({ "text": text, "edit_options": { "previous_post_id": of } });
    let second = post(&trial, &token, edit("two", &first)).await;
    assert_ne!(first, second);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str(), ledger[0].face.edited), (1, "two", true));
    let asked = "tweet.fields=edit_controls,conversation_id";
    let seen = lookup(&trial, &token, &second, asked).await;
    assert_eq!(seen["data"]["edit_history_tweet_ids"], json!([first, second]));
    assert_eq!(seen["data"]["edit_controls"]["edits_remaining"], 4);
    let timeline = format!("/x/2/users/{}/tweets", own_id(&trial, &token).await);
    let (_, listed) = trial.get(&timeline, &token).await;
    assert_eq!(
        (&listed["data"][0]["id"], &listed["meta"]["result_count"]),
        (&json!(second), &json!(1))
    );
    let path = format!("/x/i/web/status/{second}");
    let answer = trial.request(Method::GET, &path, "").send().await.unwrap();
    assert_eq!(answer.headers()["location"], "/#post-1");
    // Only the last version can be edited, five times in all.
    assert_eq!(trial.post("/x/2/tweets", &token, edit("no", &first)).await.0, 403);
    let mut last = second;
    for text in ["three", "four", "five", "six"] {
        last = post(&trial, &token, edit(text, &last)).await;
    }
    assert_eq!(trial.post("/x/2/tweets", &token, edit("seven", &last)).await.0, 403);
    let gone = trial.request(Method::DELETE, &format!("/x/2/tweets/{first}"), &token);
    assert_eq!(gone.send().await.unwrap().status(), 200);
    let seen = lookup(&trial, &token, &last, "").await;
    assert!(seen["data"].is_null());
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
}

#[tokio::test]
async fn edits_need_a_plan_an_hour_and_an_editable_post() {
    let trial = start().await;
    let premium = sign_in(&trial, "app", "premium").await;
    let alice = sign_in(&trial, "app", "alice").await;
    let edit = |of: &str| json!({ "text": "new", "edit_options": { "previous_post_id": of } });
    let plain = post(&trial, &alice, json!({ "text": "x" })).await;
    let poll = json!({ "options": ["a", "b"], "duration_minutes": 5 });
    let poll = post(&trial, &premium, json!({ "text": "p", "poll": poll })).await;
    let group = post(&trial, &premium, json!({ "text": "g", "community_id": "5" })).await;
    let late = post(&trial, &premium, json!({ "text": "late" })).await;
    for (token, id) in [
        (&alice, &plain),
        (&premium, &plain),
        (&premium, &poll),
        (&premium, &group),
        (&premium, &"7".to_owned()),
    ] {
        assert_eq!(trial.post("/x/2/tweets", token, edit(id)).await.0, 403, "{id}");
    }
    trial.advance(Duration::from_secs(60 * 60));
    assert_eq!(trial.post("/x/2/tweets", &premium, edit(&late)).await.0, 403);
    let body = json!({ "text": "x", "edit_options": {} });
    assert_eq!(trial.post("/x/2/tweets", &premium, body).await.0, 400);
    let (_, me) = trial.get("/x/2/users/me?user.fields=subscription_type,verified", &premium).await;
    assert_eq!(
        (&me["data"]["subscription_type"], &me["data"]["verified"]),
        (&json!("Premium"), &json!(true))
    );
}

#[tokio::test]
async fn long_posts_are_for_those_who_pay_and_are_read_as_notes() {
    let trial = start().await;
    let text = "word ".repeat(100);
    let alice = sign_in(&trial, "app", "alice").await;
    assert_eq!(trial.post("/x/2/tweets", &alice, json!({ "text": text })).await.0, 403);
    let premium = sign_in(&trial, "app", "premium").await;
    let id = post(&trial, &premium, json!({ "text": text })).await;
    let seen = lookup(&trial, &premium, &id, "tweet.fields=note_tweet").await;
    assert_eq!(seen["data"]["note_tweet"]["text"], text);
    let short = seen["data"]["text"].as_str().unwrap();
    assert!(short.chars().count() <= 280 && short.ends_with("word…"), "{short}");
    assert_eq!(trial.sandbox.ledger()[0].text, text);
    let long = json!({ "text": "x".repeat(25_001) });
    assert_eq!(trial.post("/x/2/tweets", &premium, long).await.0, 403);
}

#[tokio::test]
async fn disclosures_and_audiences_are_typed_and_shown() {
    let trial = start().await;
    let token = sign_in(&trial, "app", "alice").await;
    let body = json!({ "text": "x", "made_with_ai": true, "paid_partnership": true,
        "nullcast": false, "reply_settings": "following", "community_id": "123" });
    post(&trial, &token, body).await;
    let wanted = ["made with AI", "paid partnership", "replies: following", "in community 123"];
    assert_eq!(trial.sandbox.ledger()[0].face.marks, wanted);
    for (name, value) in [
        ("made_with_ai", json!("true")),
        ("paid_partnership", json!(1)),
        ("reply_settings", json!("everyone")),
        ("community_id", json!("abc")),
        ("community_id", json!(123)),
        ("geo", json!({ "place": "x" })),
        ("geo", json!({})),
        ("card_uri", json!(1)),
        ("media", json!({ "media_ids": [] })),
    ] {
        let mut body = json!({ "text": "y" });
        body[name] = value;
        let (status, refused) = trial.post("/x/2/tweets", &token, body).await;
        assert_eq!(status, 400, "{name}: {refused}");
    }
    assert_eq!(trial.sandbox.ledger().len(), 1);
}

#[test]
fn the_body_has_the_described_fields_and_no_others() {
    let path = "../shared/specs/x/openapi-v2.json";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: the description of X is not beside this repository");
        return;
    };
    let described: Value = serde_json::from_slice(&bytes).unwrap();
    let body = &described["components"]["schemas"]["CreatePostsRequest"]["properties"];
    let mut described: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let mut known = draft::BODY_KEYS.to_vec();
    described.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, described);
}
