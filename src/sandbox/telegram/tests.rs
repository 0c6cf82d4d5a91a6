//! What the simulated Telegram accepts, refuses and records, asked over the wire.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::sandbox::{
    Limits,
    trial::{Trial, mp4, png, png_of, read, serve, start, start_with},
};

const BOT: &str = "/telegram/bot123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

async fn ask(trial: &Trial, method: &str, body: Value) -> (u16, Value) {
    trial.post(&format!("{BOT}/{method}"), "", body).await
}

async fn upload(trial: &Trial, method: &str, form: Form) -> (u16, Value) {
    let request = trial.request(reqwest::Method::POST, &format!("{BOT}/{method}"), "");
    read(request.multipart(form).send().await.unwrap()).await
}

fn words(body: &Value) -> &str {
    body["description"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_token_of_the_right_shape_is_a_bot_that_finds_its_chats() {
    let trial = start().await;
    let (status, me) = trial.get(&format!("{BOT}/getMe"), "").await;
    assert_eq!((status, &me["result"]["id"]), (200, &json!(123_456)));
    assert_eq!(trial.get("/telegram/bot1:short/getMe", "").await.0, 404);
    assert_eq!(trial.get(&format!("{BOT}/getYou"), "").await.0, 404);
    let (_, chat) = ask(&trial, "getChat", json!({ "chat_id": "@kiosk" })).await;
    let id = chat["result"]["id"].clone();
    assert_eq!(chat["result"]["type"], "channel");
    let (_, again) = ask(&trial, "getChat", json!({ "chat_id": id })).await;
    assert_eq!(again["result"]["username"], "kiosk");
    let (_, member) =
        ask(&trial, "getChatMember", json!({ "chat_id": id, "user_id": 123_456 })).await;
    assert_eq!(member["result"]["can_post_messages"], true);
    let guest = json!({ "chat_id": "@guest_house", "user_id": 123_456 });
    assert_eq!(ask(&trial, "getChatMember", guest).await.1["result"]["status"], "left");
    let (status, body) = ask(&trial, "getChat", json!({ "chat_id": "@a b" })).await;
    assert_eq!((status, words(&body)), (400, "Bad Request: chat not found"));
}

#[tokio::test]
async fn every_message_is_one_of_its_own_and_is_read_as_it_was_marked() {
    let trial = start().await;
    let body = json!({ "chat_id": "@kiosk", "text": "<b>1 &lt; 2</b>", "parse_mode": "HTML",
        "disable_notification": true,
        "reply_markup": { "inline_keyboard": [[{ "text": "Open", "url": "https://e.com" }]] } });
    let (status, sent) = ask(&trial, "sendMessage", body.clone()).await;
    assert_eq!((status, &sent["result"]["message_id"]), (200, &json!(1)), "{sent}");
    assert_eq!(sent["result"]["entities"][0]["type"], "bold");
    assert_eq!(ask(&trial, "sendMessage", body).await.1["result"]["message_id"], 2);
    let reply =
        json!({ "chat_id": "@kiosk", "text": "b", "reply_parameters": { "message_id": 1 } });
    assert_eq!(ask(&trial, "sendMessage", reply).await.0, 200);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (3, "1 < 2"));
    assert_eq!(ledger[0].face.marks, ["silent", "button Open: https://e.com"]);
    assert_eq!(ledger[2].reply_to.as_ref(), Some(&ledger[0].id));
    let (status, _) = trial.get("/telegram/kiosk/2", "").await;
    assert_eq!(status, 302);
}

#[tokio::test]
async fn what_telegram_would_refuse_is_refused_and_leaves_nothing() {
    let trial = start().await;
    let reply = json!({ "message_id": 99 });
    let button = json!({ "inline_keyboard": [[{ "text": "x", "url": "nowhere" }]] });
    for (given, status, wanted) in [
        (json!({ "text": "" }), 400, "message text is empty"),
        (json!({ "text": "x".repeat(4_097) }), 400, "message is too long"),
        (json!({ "text": "<b>", "parse_mode": "HTML" }), 400, "can't parse entities"),
        (json!({ "text": "a", "parse_mode": "Markdown" }), 400, "unsupported parse_mode"),
        (json!({ "text": "a", "reply_parameters": reply }), 400, "to be replied not found"),
        (json!({ "text": "a", "reply_markup": button }), 400, "BUTTON_URL_INVALID"),
        (json!({ "text": "a", "colour": "red" }), 400, "does not know colour"),
        (json!({ "text": "a", "message_thread_id": 2 }), 400, "message thread not found"),
        (json!({ "text": "a", "chat_id": "@guests" }), 403, "bot is not a member"),
    ] {
        let mut body = json!({ "chat_id": "@kiosk" });
        body.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        let (found, told) = ask(&trial, "sendMessage", body).await;
        assert_eq!((found, &told["error_code"]), (status, &json!(status)), "{told}");
        assert!(words(&told).contains(wanted), "{told}");
    }
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn files_come_by_upload_by_address_and_by_their_id() {
    let trial = start().await;
    let origin = serve(&[("/a.png", png()), ("/a.txt", b"text".to_vec())]).await;
    let part = |bytes: Vec<u8>| Part::bytes(bytes).file_name("a");
    let form =
        Form::new().text("chat_id", "@kiosk").text("caption", "c").part("photo", part(png()));
    let (status, sent) = upload(&trial, "sendPhoto", form).await;
    assert_eq!(status, 200, "{sent}");
    let id = sent["result"]["photo"][0]["file_id"].clone();
    for (photo, status) in [
        (id, 200),
        (json!(format!("{origin}/a.png")), 200),
        (json!(format!("{origin}/none")), 400),
        (json!(format!("{origin}/a.txt")), 400),
        (json!("unknown"), 400),
    ] {
        let body = json!({ "chat_id": "@kiosk", "photo": photo });
        assert_eq!(ask(&trial, "sendPhoto", body).await.0, status, "{photo}");
    }
    for (bytes, status, wanted) in [
        (png_of(9_000, 1_001, 0), 400, "PHOTO_INVALID_DIMENSIONS"),
        (png_of(2_100, 100, 0), 400, "PHOTO_INVALID_DIMENSIONS"),
        (mp4(), 400, "IMAGE_PROCESS_FAILED"),
        (png_of(1, 1, 10 * 1024 * 1024 + 1), 413, "Request Entity Too Large"),
    ] {
        let form = Form::new().text("chat_id", "@kiosk").part("photo", part(bytes));
        let (found, told) = upload(&trial, "sendPhoto", form).await;
        assert!(found == status && words(&told).contains(wanted), "{told}");
    }
    let form = Form::new().text("chat_id", "@kiosk").part("video", part(mp4()));
    assert_eq!(upload(&trial, "sendVideo", form).await.0, 200);
    let kinds: Vec<_> = trial.sandbox.ledger().iter().map(|it| it.media[0].kind).collect();
    assert_eq!(kinds, ["image", "image", "image", "video"]);
}

fn album(kinds: &[&str]) -> Form {
    let item = |(place, kind): (usize, &&str)| {
        let mut item = json!({ "type": kind, "media": format!("attach://f{place}") });
        if place == 0 {
            item["caption"] = json!("Look");
        }
        item
    };
    let items: Vec<Value> = kinds.iter().enumerate().map(item).collect();
    let mut form = Form::new().text("chat_id", "@kiosk").text("media", json!(items).to_string());
    for (place, kind) in kinds.iter().enumerate() {
        let bytes = if *kind == "video" { mp4() } else { png() };
        form = form.part(format!("f{place}"), Part::bytes(bytes).file_name("a"));
    }
    form
}

#[tokio::test]
async fn an_album_is_several_messages_and_one_publication() {
    let trial = start().await;
    let (status, sent) = upload(&trial, "sendMediaGroup", album(&["photo", "video"])).await;
    assert_eq!(status, 200, "{sent}");
    let ids: Vec<_> =
        sent["result"].as_array().unwrap().iter().map(|it| &it["message_id"]).collect();
    assert_eq!(ids, [1, 2]);
    for wrong in [&["photo"][..], &["photo", "document"], &["photo", "animation"]] {
        assert_eq!(upload(&trial, "sendMediaGroup", album(wrong)).await.0, 400, "{wrong:?}");
    }
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].media.len(), ledger[0].text.as_str()), (1, 2, "Look"));
    let gone = json!({ "chat_id": "@kiosk", "message_ids": [1, 2, 77] });
    assert_eq!(ask(&trial, "deleteMessages", gone).await.0, 200);
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
}

#[tokio::test]
async fn a_message_is_edited_and_deleted_once() {
    let trial = start().await;
    ask(&trial, "sendMessage", json!({ "chat_id": "@kiosk", "text": "one" })).await;
    let edit = json!({ "chat_id": "@kiosk", "message_id": 1, "text": "two" });
    assert_eq!(ask(&trial, "editMessageText", edit.clone()).await.0, 200);
    let (status, same) = ask(&trial, "editMessageText", edit).await;
    assert!(status == 400 && words(&same).contains("message is not modified"), "{same}");
    let caption = json!({ "chat_id": "@kiosk", "message_id": 1, "caption": "two" });
    assert_eq!(ask(&trial, "editMessageCaption", caption).await.0, 400);
    let ledger = trial.sandbox.ledger();
    assert!(ledger[0].text == "two" && ledger[0].face.edited);
    let gone = json!({ "chat_id": "@kiosk", "message_id": 1 });
    assert_eq!(ask(&trial, "deleteMessage", gone.clone()).await.0, 200);
    let (status, twice) = ask(&trial, "deleteMessage", gone).await;
    assert_eq!((status, words(&twice)), (400, "Bad Request: message to delete not found"));
}

#[tokio::test]
async fn a_group_takes_twenty_messages_a_minute_and_says_when_it_takes_more() {
    let trial = start_with(Limits::Published).await;
    let say =
        async || ask(&trial, "sendMessage", json!({ "chat_id": "@group_a", "text": "x" })).await;
    for _ in 0..20 {
        assert_eq!(say().await.0, 200);
    }
    let (status, body) = say().await;
    assert_eq!((status, &body["parameters"]["retry_after"]), (429, &json!(60)));
    trial.advance(Duration::from_secs(60));
    assert_eq!(say().await.0, 200);
    assert_eq!(trial.sandbox.ledger().len(), 21);
}

#[tokio::test]
async fn a_revoked_token_is_nobody() {
    let trial = start().await;
    trial.fault(json!({ "kind": "revoke_token", "platform": "telegram" })).await;
    for _ in 0..2 {
        let (status, body) = ask(&trial, "getMe", json!({})).await;
        assert_eq!((status, words(&body)), (401, "Unauthorized"));
    }
}
