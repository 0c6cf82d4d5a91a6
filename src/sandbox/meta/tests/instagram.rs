//! Containers, publishing, quota, comments: through both doors.

use super::*;
use crate::sandbox::Platform;

/// An Instagram account, through the door that was taken to it.
struct Account {
    trial: Trial,
    token: String,
    door: &'static str,
    id: String,
    files: String,
}

impl Account {
    /// With Instagram's own login.
    async fn start() -> Account {
        let trial = start().await;
        let token = instagram_token(&trial, ALL_OF_INSTAGRAM).await;
        let (_, me) = trial.get("/instagram/v26.0/me?fields=user_id", &token).await;
        let id = me["user_id"].as_str().unwrap().to_owned();
        Account { trial, token, door: "/instagram", id, files: files().await }
    }

    /// With the token of the page that it is linked to.
    async fn of_page() -> Account {
        let Alice { trial, token, profile, .. } = Alice::start().await;
        Account { trial, token, door: "/facebook", id: profile, files: files().await }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.trial.post(&format!("{}/v26.0/{path}", self.door), &self.token, body).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.trial.get(&format!("{}/v26.0/{path}", self.door), &self.token).await
    }

    /// `file` stands for an address at the file server.
    async fn create(&self, mut body: Value) -> (u16, Value) {
        for name in ["image_url", "video_url", "cover_url"] {
            if let Some(file) = body[name].as_str() {
                body[name] = json!(format!("{}/{file}", self.files));
            } else if let Some(object) = body.as_object_mut() {
                object.remove(name);
            }
        }
        self.post(&format!("{}/media", self.id), body).await
    }

    async fn container(&self, body: Value) -> String {
        let (status, made) = self.create(body).await;
        assert_eq!(status, 200, "{made}");
        id(&made)
    }

    async fn publish(&self, container: &str) -> (u16, Value) {
        let body = json!({ "creation_id": container });
        self.post(&format!("{}/media_publish", self.id), body).await
    }

    async fn status(&self, container: &str) -> String {
        let (_, told) = self.get(&format!("{container}?fields=status_code,status")).await;
        told["status_code"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
    }
}

#[tokio::test]
async fn an_image_is_published_through_either_door_and_a_container_only_once() {
    for account in [Account::start().await, Account::of_page().await] {
        let image = json!({ "image_url": "square.jpg", "caption": "bread #1", "alt_text": "loaf" });
        let container = account.container(image).await;
        assert_eq!(account.status(&container).await, "FINISHED");
        assert!(account.trial.sandbox.ledger().is_empty());
        let (status, made) = account.publish(&container).await;
        assert_eq!(status, 200, "{made}");
        assert_eq!(account.status(&container).await, "PUBLISHED");
        let (status, again) = account.publish(&container).await;
        assert_eq!((status, code(&again)), (400, (24, 2_207_008)));

        let ledger = account.trial.sandbox.ledger();
        assert_eq!((ledger.len(), ledger[0].platform), (1, Platform::Instagram));
        assert_eq!((&ledger[0].id, &ledger[0].account), (&id(&made), &account.id));
        assert_eq!((ledger[0].text.as_str(), &*ledger[0].media[0].alt), ("bread #1", "loaf"));
        let path = format!("{}?fields=permalink,media_type,media_product_type,caption", id(&made));
        let (_, media) = account.get(&path).await;
        assert_eq!(
            (&media["media_type"], &media["media_product_type"]),
            (&json!("IMAGE"), &json!("FEED"))
        );
        let permalink = media["permalink"].as_str().unwrap();
        let answer = account.trial.client.get(permalink).send().await.unwrap();
        assert_eq!(answer.headers()["location"], "/#post-1");
        let fields = "id,caption,media_type,media_product_type,permalink,timestamp";
        let (_, listed) = account.get(&format!("{}/media?fields={fields}", account.id)).await;
        assert_eq!(listed["data"][0]["caption"], "bread #1");
    }
}

#[tokio::test]
async fn equal_content_is_published_twice_without_complaint() {
    let account = Account::start().await;
    for _ in 0..2 {
        let image = json!({ "image_url": "square.jpg", "caption": "same" });
        let container = account.container(image).await;
        assert_eq!(account.publish(&container).await.0, 200);
    }
    assert_eq!(account.trial.sandbox.ledger().len(), 2);
}

#[tokio::test]
async fn images_are_fetched_and_checked_when_their_container_is_made() {
    let account = Account::start().await;
    for (file, wanted) in [
        ("image.png", (36_001, 2_207_005)),
        ("text.txt", (36_001, 2_207_005)),
        ("wide.jpg", (36_003, 2_207_009)),
        ("tall.jpg", (36_003, 2_207_009)),
        ("huge.jpg", (36_000, 2_207_004)),
        ("gone.jpg", (9_004, 2_207_052)),
    ] {
        let (status, body) = account.create(json!({ "image_url": file })).await;
        assert_eq!((status, code(&body)), (400, wanted), "{file}");
        assert!(body["error"]["error_user_msg"].is_string(), "{file}");
    }
    let story = json!({ "media_type": "STORIES", "image_url": "tall.jpg" });
    assert_eq!(account.create(story).await.0, 200);
}

#[tokio::test]
async fn what_a_container_may_not_say_is_refused() {
    let account = Account::start().await;
    let image = |name: &str, value: Value| json!({ "image_url": "square.jpg", name: value });
    let reel = |name: &str, value: Value| {
        let mut body = json!({ "media_type": "REELS", "video_url": "film.mp4" });
        body[name] = value;
        body
    };
    let tags: Vec<Value> =
        (0..21).map(|_| json!({ "username": "u", "x": 0.5, "y": 0.5 })).collect();
    for (body, wanted) in [
        (json!({}), (100, 0)),
        (image("color", json!("red")), (100, 0)),
        (image("media_type", json!("SONG")), (100, 2_207_023)),
        (image("caption", json!("ü".repeat(2_201))), (36_004, 2_207_010)),
        (image("caption", json!("🍞".repeat(1_101))), (36_004, 2_207_010)),
        (image("caption", json!("#a ".repeat(31))), (36_004, 2_207_010)),
        (image("caption", json!("#a".repeat(31))), (36_004, 2_207_010)),
        (image("caption", json!("@a ".repeat(21))), (36_004, 2_207_010)),
        (image("caption", json!("a@b.example ".repeat(21))), (0, 0)),
        (image("caption", json!(7)), (100, 0)),
        (image("user_tags", json!(tags)), (100, 2_207_040)),
        (image("user_tags", json!([{ "username": "u" }])), (100, 2_207_035)),
        (image("collaborators", json!(["a", "b", "c", "d"])), (100, 0)),
        (image("cover_url", json!("square.jpg")), (100, 0)),
        (image("upload_type", json!("resumable")), (100, 0)),
        (image("children", json!("1,2")), (100, 0)),
        (reel("alt_text", json!("x")), (100, 0)),
        (reel("audio_configuration", json!({ "audio_id": "1" })), (100, 0)),
        (reel("trial_params", json!({ "graduation_strategy": "LATER" })), (100, 0)),
        (reel("cover_url", json!("image.png")), (36_001, 2_207_005)),
        (reel("media_type", json!("VIDEO")), (100, 2_207_067)),
        (reel("media_type", json!("STORIES")), (0, 0)),
        (json!({ "media_type": "STORIES", "image_url": "tall.jpg", "caption": "x" }), (100, 0)),
        (json!({ "media_type": "CAROUSEL", "children": "1" }), (100, 2_207_028)),
        (json!({ "media_type": "CAROUSEL", "children": "1,2" }), (24, 2_207_008)),
    ] {
        let (_, answer) = account.create(body.clone()).await;
        assert_eq!(code(&answer), wanted, "{body} {answer}");
    }
}

#[tokio::test]
async fn a_reel_is_processed_before_it_can_be_published() {
    let account = Account::start().await;
    let reel = json!({ "media_type": "REELS", "video_url": "film.mp4", "caption": "film",
        "cover_url": "tall.jpg", "share_to_feed": true });
    let container = account.container(reel).await;
    assert_eq!(account.status(&container).await, "IN_PROGRESS");
    let (status, early) = account.publish(&container).await;
    assert_eq!((status, code(&early)), (400, (9_007, 2_207_027)));
    account.trial.advance(Duration::from_secs(8));
    assert_eq!(account.status(&container).await, "FINISHED");
    let (_, made) = account.publish(&container).await;
    let (_, media) =
        account.get(&format!("{}?fields=permalink,media_product_type", id(&made))).await;
    assert_eq!(media["media_product_type"], "REELS");
    assert!(media["permalink"].as_str().unwrap().contains("/instagram/reel/"));
    assert_eq!(account.trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn a_bad_video_fails_while_it_is_processed() {
    let account = Account::start().await;
    for (file, wanted) in
        [("text.txt", "2207026"), ("second.mp4", "2207026"), ("gone.mp4", "2207077")]
    {
        let container =
            account.container(json!({ "media_type": "REELS", "video_url": file })).await;
        assert_eq!(account.status(&container).await, "IN_PROGRESS");
        account.trial.advance(Duration::from_secs(8));
        let (_, told) = account.get(&format!("{container}?fields=status_code,status")).await;
        assert_eq!(told["status_code"], "ERROR");
        assert!(told["status"].as_str().unwrap().contains(wanted), "{told}");
        let (_, refused) = account.publish(&container).await;
        assert_eq!(code(&refused), (-1, wanted.parse().unwrap()));
    }
    assert!(account.trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn bytes_go_to_the_address_that_the_container_names() {
    for account in [Account::start().await, Account::of_page().await] {
        let body = json!({ "media_type": "REELS", "upload_type": "resumable" });
        let (_, made) = account.create(body).await;
        let container = id(&made);
        let wanted = format!("{}/facebook/ig-api-upload/v26.0/{container}", account.trial.origin);
        assert_eq!(made["uri"], json!(wanted));
        let authorization = format!("OAuth {}", account.token);
        let film = mp4();
        let send = async |from: usize, to: usize| {
            let span = (from, film.len());
            rupload(&account.trial, &wanted, &authorization, span, &film[from..to]).await
        };
        assert_eq!(send(0, 700).await.0, 200);
        assert_eq!(account.status(&container).await, "IN_PROGRESS");
        assert_eq!(send(900, film.len()).await.1["debug_info"]["retriable"], false);
        let (status, sent) = send(700, film.len()).await;
        assert_eq!((status, &sent["message"]), (200, &json!("Upload successful.")));
        assert_eq!(code(&account.publish(&container).await.1), (9_007, 2_207_027));
        account.trial.advance(Duration::from_secs(8));
        assert_eq!(account.publish(&container).await.0, 200);
        let ledger = account.trial.sandbox.ledger();
        assert_eq!((ledger.len(), ledger[0].media[0].bytes), (1, film.len()));
    }
}

#[tokio::test]
async fn a_carousel_needs_finished_children_and_counts_once() {
    let account = Account::start().await;
    let image = json!({ "image_url": "square.jpg", "is_carousel_item": true, "alt_text": "one" });
    let film = json!({ "media_type": "VIDEO", "video_url": "film.mp4", "is_carousel_item": true });
    let children = [account.container(image).await, account.container(film).await];
    let carousel = json!({ "media_type": "CAROUSEL", "children": children, "caption": "both" });
    assert_eq!(code(&account.create(carousel.clone()).await.1), (9_007, 2_207_027));
    account.trial.advance(Duration::from_secs(8));
    let container = account.container(carousel.clone()).await;
    assert_eq!(code(&account.publish(&children[0]).await.1), (100, 0));
    let (status, made) = account.publish(&container).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(code(&account.create(carousel).await.1), (24, 2_207_008), "they are used up");
    let (_, media) = account.get(&format!("{}?fields=media_type,children{{id}}", id(&made))).await;
    assert_eq!(media["media_type"], "CAROUSEL_ALBUM");
    assert_eq!(media["children"]["data"].as_array().unwrap().len(), 2);
    let ledger = account.trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].media.len()), (1, 2));
    let (_, quota) = account.get("me/content_publishing_limit?fields=quota_usage,config").await;
    assert_eq!(
        quota["data"][0],
        json!({ "quota_usage": 1,
        "config": { "quota_total": 100, "quota_duration": 86_400 } })
    );
}

#[tokio::test]
async fn a_container_expires_after_a_day() {
    let account = Account::start().await;
    let container = account.container(json!({ "image_url": "square.jpg" })).await;
    account.trial.advance(DAY);
    assert_eq!(account.status(&container).await, "EXPIRED");
    assert_eq!(code(&account.publish(&container).await.1), (-2, 2_207_020));
}

#[tokio::test]
async fn the_101st_publication_of_a_day_is_refused() {
    let account = Account::start().await;
    for number in 0..100 {
        let image = json!({ "image_url": "square.jpg", "caption": number.to_string() });
        let container = account.container(image).await;
        assert_eq!(account.publish(&container).await.0, 200);
    }
    let container = account.container(json!({ "image_url": "square.jpg" })).await;
    assert_eq!(code(&account.publish(&container).await.1), (9, 2_207_042));
    let (_, quota) = account.get("me/content_publishing_limit").await;
    assert_eq!(quota["data"][0]["quota_usage"], 100);
    account.trial.advance(DAY - MINUTE);
    assert_eq!(code(&account.publish(&container).await.1), (9, 2_207_042));
    account.trial.advance(MINUTE);
    let container = account.container(json!({ "image_url": "square.jpg" })).await;
    assert_eq!(account.publish(&container).await.0, 200);
    assert_eq!(account.trial.sandbox.ledger().len(), 101);
}

#[tokio::test]
async fn the_401st_container_of_a_day_is_throttled() {
    let account = Account::start().await;
    let body = json!({ "media_type": "REELS", "upload_type": "resumable" });
    for _ in 0..400 {
        assert_eq!(account.create(body.clone()).await.0, 200);
    }
    let (_, refused) = account.create(body.clone()).await;
    assert_eq!((code(&refused).0, &refused["error"]["is_transient"]), (80_002, &json!(true)));
    account.trial.advance(DAY);
    assert_eq!(account.create(body).await.0, 200);
}

#[tokio::test]
async fn music_and_views_are_only_behind_facebooks_door() {
    for (account, wanted) in [(Account::start().await, 400), (Account::of_page().await, 200)] {
        let reel = json!({ "media_type": "REELS", "video_url": "film.mp4",
            "audio_configuration": { "audio_id": "1", "audio_volume": 50 } });
        assert_eq!(account.create(reel).await.0, wanted);
        let container = account.container(json!({ "image_url": "square.jpg" })).await;
        let media = id(&account.publish(&container).await.1);
        assert_eq!(account.get(&format!("{media}?fields=view_count")).await.0, wanted);
        assert_eq!(account.get(&format!("{media}?fields=like_count")).await.0, 200);
    }
}

#[tokio::test]
async fn a_story_is_only_among_the_stories_and_for_a_day() {
    let account = Account::start().await;
    let story = json!({ "media_type": "STORIES", "image_url": "tall.jpg" });
    let container = account.container(story).await;
    let (_, made) = account.publish(&container).await;
    let (_, stories) = account.get("me/stories?fields=id,media_type,permalink,timestamp").await;
    assert_eq!(stories["data"][0]["id"], made["id"]);
    assert_eq!(account.get("me/media").await.1["data"], json!([]));
    account.trial.advance(DAY);
    assert_eq!(account.get("me/stories").await.1["data"], json!([]));
}

#[tokio::test]
async fn comments_and_their_replies_are_recorded_and_listed() {
    let account = Account::start().await;
    let container = account.container(json!({ "image_url": "square.jpg" })).await;
    let media = id(&account.publish(&container).await.1);
    let comments = format!("{media}/comments");
    let (status, first) = account.post(&comments, json!({ "message": "first" })).await;
    assert_eq!(status, 200, "{first}");
    let replies = format!("{}/replies", id(&first));
    assert_eq!(account.post(&replies, json!({ "message": "second" })).await.0, 200);
    let (_, listed) = account.get(&format!("{comments}?fields=id,text,username,timestamp")).await;
    assert_eq!(
        (&listed["data"][0]["text"], &listed["data"][0]["username"]),
        (&json!("first"), &json!("alice"))
    );
    let (_, answers) = account.get(&format!("{replies}?fields=text")).await;
    assert_eq!(answers["data"][0]["text"], "second");
    let ledger = account.trial.sandbox.ledger();
    assert_eq!(ledger[1].reply_to, Some(media.clone()));
    assert_eq!(ledger[2].reply_to, Some(id(&first)));
    let (_, trap) = account.post(&format!("{comments}?fields=id"), json!({ "message": "x" })).await;
    assert_eq!(code(&trap), (20, 1_772_107));
    assert_eq!(account.trial.sandbox.ledger().len(), 4);
    assert_eq!(account.post(&media, json!({ "comment_enabled": false })).await.0, 200);
    assert_eq!(code(&account.post(&comments, json!({ "message": "x" })).await.1), (200, 0));
}

#[tokio::test]
async fn only_facebooks_door_deletes_and_captions_cannot_be_changed() {
    for (account, wanted) in [(Account::start().await, 400), (Account::of_page().await, 200)] {
        let container = account.container(json!({ "image_url": "square.jpg" })).await;
        let media = id(&account.publish(&container).await.1);
        assert_eq!(code(&account.post(&media, json!({ "caption": "x" })).await.1), (100, 0));
        let path = format!("{}/v26.0/{media}", account.door);
        let request = account.trial.request(Method::DELETE, &path, &account.token);
        let (status, body) = read(request.send().await.unwrap()).await;
        assert_eq!(status, wanted, "{body}");
        let deleted = account.trial.sandbox.ledger()[0].deleted_at.is_some();
        assert_eq!(deleted, wanted == 200);
    }
}

#[tokio::test]
async fn scopes_and_ids_of_the_other_door_do_not_serve() {
    let trial = start().await;
    let token = instagram_token(&trial, "instagram_business_basic").await;
    let body = json!({ "image_url": "https://e.com/x.jpg" });
    let (status, refused) = trial.post("/instagram/v26.0/me/media", &token, body).await;
    assert_eq!((status, code(&refused)), (403, (10, 0)));

    let page = Account::of_page().await;
    let container = page.container(json!({ "image_url": "square.jpg" })).await;
    let path = format!(
        "/instagram/oauth/authorize?client_id=app&redirect_uri={BACK}&response_type=code\
         &scope={ALL_OF_INSTAGRAM}"
    );
    let (code_text, fragment) = allow_as(&page.trial, &path, "alice.bakery", &[]).await;
    assert_eq!(fragment, "_");
    let (_, body) = instagram_short(&page.trial, &code_text).await;
    let token = body["data"][0]["access_token"].as_str().unwrap();
    let (_, me) = page.trial.get("/instagram/v26.0/me?fields=username,user_id", token).await;
    assert_eq!(me["username"], "alice.bakery");
    assert_ne!(me["user_id"], json!(page.id));
    for path in [format!("/instagram/v26.0/{}", page.id), format!("/instagram/v26.0/{container}")] {
        assert_eq!(code(&page.trial.get(&path, token).await.1), (100, 33), "{path}");
    }
}

#[tokio::test]
async fn a_fault_finds_the_instagram_account_of_a_page_by_its_own_name() {
    let account = Account::of_page().await;
    let fault = json!({ "kind": "unavailable", "operation": "publish", "platform": "instagram",
        "account": "alice.bakery" });
    account.trial.fault(fault).await;
    let container = account.container(json!({ "image_url": "square.jpg" })).await;
    let (status, body) = account.publish(&container).await;
    assert_eq!((status, code(&body)), (500, (2, 0)));
    assert_eq!(account.status(&container).await, "FINISHED");
    assert_eq!(account.publish(&container).await.0, 200);
    assert_eq!(account.trial.sandbox.ledger().len(), 1);
}
