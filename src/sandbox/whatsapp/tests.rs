//! Messages, files and templates as a business would send them, and what is refused.

use std::time::Duration;

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::sandbox::trial::{Trial, png, read, start};

const PHONE: &str = "/whatsapp/v26.0/106540352242922";
const TOKEN: &str = "EAAabcdefghijklmnopqrstuvwxyz";

async fn send(trial: &Trial, to: &str, kind: &str, content: Value) -> (u16, Value) {
    let mut body = json!({ "messaging_product": "whatsapp", "recipient_type": "individual",
        "to": to, "type": kind });
    body[kind] = content;
    trial.post(&format!("{PHONE}/messages"), TOKEN, body).await
}

async fn say(trial: &Trial, to: &str) -> (u16, Value) {
    send(trial, to, "text", json!({ "body": "Hello" })).await
}

async fn upload(trial: &Trial, mime: &str, bytes: Vec<u8>) -> (u16, Value) {
    let file = Part::bytes(bytes).file_name("file").mime_str(mime).unwrap();
    let form = Form::new().text("messaging_product", "whatsapp").text("type", mime.to_owned());
    let request = trial.request(Method::POST, &format!("{PHONE}/media"), TOKEN);
    read(request.multipart(form.part("file", file)).send().await.unwrap()).await
}

#[tokio::test]
async fn a_message_goes_to_one_recipient_and_a_repeated_one_goes_twice() {
    let trial = start().await;
    let (status, answer) = say(&trial, "+49 151 12345678").await;
    assert_eq!((status, &answer["contacts"][0]["wa_id"]), (200, &json!("4915112345678")));
    assert_eq!(say(&trial, "4915112345678").await.0, 200);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (2, "Hello"));
    assert_eq!(json!(ledger[0].id), answer["messages"][0]["id"]);
}

#[tokio::test]
async fn who_cannot_be_reached_is_refused_by_number_and_by_time() {
    let trial = start().await;
    assert_eq!(say(&trial, "4915112340000").await.1["error"]["code"], 131_026);
    assert_eq!(say(&trial, "4915112340024").await.1["error"]["code"], 131_047);
    assert_eq!(say(&trial, "15552242922").await.1["error"]["code"], 131_021);
    let hello = json!({ "name": "hello_world", "language": { "code": "en_US" } });
    assert_eq!(send(&trial, "4915112340024", "template", hello).await.0, 200);
    assert_eq!(trial.sandbox.ledger().len(), 1);
    assert_eq!(trial.post("/_sandbox/whatsapp/4915112340024", "", json!({})).await.0, 201);
    assert_eq!(say(&trial, "4915112340024").await.0, 200);
    trial.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(say(&trial, "4915112340024").await.1["error"]["code"], 131_047);
}

#[tokio::test]
async fn files_are_uploaded_first_and_are_of_the_kind_that_is_sent() {
    let trial = start().await;
    let (status, made) = upload(&trial, "image/png", png()).await;
    assert_eq!(status, 200, "{made}");
    let image = json!({ "id": made["id"], "caption": "Look" });
    assert_eq!(send(&trial, "4915112345678", "image", image.clone()).await.0, 200);
    let entry = &trial.sandbox.ledger()[0];
    assert_eq!((entry.text.as_str(), entry.media[0].mime), ("Look", "image/png"));
    let wrong = send(&trial, "4915112345678", "video", image.clone()).await.1;
    assert_eq!(wrong["error"]["code"], 131_009);
    assert_eq!(upload(&trial, "image/jpeg", png()).await.1["error"]["code"], 131_053);
    assert_eq!(upload(&trial, "image/webp", png()).await.1["error"]["code"], 100);
    trial.advance(Duration::from_secs(30 * 24 * 60 * 60));
    assert_eq!(send(&trial, "4915112345678", "image", image).await.0, 400);
    assert_eq!(trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn templates_want_what_was_approved() {
    let trial = start().await;
    let template = |name: &str, texts: &[&str]| {
        let parameters: Vec<Value> =
            texts.iter().map(|text| json!({ "type": "text", "text": text })).collect();
        json!({ "name": name, "language": { "code": "en_US" },
            "components": [{ "type": "body", "parameters": parameters }] })
    };
    for (name, texts, code) in [
        ("reminder", vec!["Ada"], None),
        ("reminder", vec![], Some(132_000)),
        ("autumn_sale", vec!["Ada", "20 %"], Some(132_012)),
        ("spring_sale", vec![], Some(132_001)),
        ("paused_offer", vec![], Some(132_015)),
    ] {
        let answer = send(&trial, "4915112345678", "template", template(name, &texts)).await.1;
        assert_eq!(answer["error"]["code"].as_i64(), code, "{name} {texts:?}: {answer}");
    }
    assert_eq!(trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn what_is_not_as_documented_is_refused() {
    let trial = start().await;
    let good = json!({ "messaging_product": "whatsapp", "to": "4915112345678", "type": "text",
        "text": { "body": "Hello" } });
    for (name, value, code) in [
        ("messaging_product", json!("x"), 131_008),
        ("to", Value::Null, 131_008),
        ("to", json!("Ada"), 131_009),
        ("type", json!("poll"), 131_051),
        ("recipient_type", json!("group"), 131_009),
        ("colour", json!("red"), 100),
        ("text", json!({ "body": "x".repeat(4_097) }), 100),
        ("image", json!({ "id": "1" }), 131_009),
    ] {
        let mut body = good.clone();
        body[name] = value;
        let (status, answer) = trial.post(&format!("{PHONE}/messages"), TOKEN, body).await;
        assert_eq!((status, answer["error"]["code"].as_i64()), (400, Some(code)), "{name}");
    }
    let (_, old) = trial.get("/whatsapp/v12.0/106540352242922", TOKEN).await;
    assert_eq!(old["error"]["code"], 2_500);
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn a_number_tells_of_itself_to_its_own_token_alone() {
    let trial = start().await;
    let (_, number) = trial.get(&format!("{PHONE}?fields=verified_name,id"), TOKEN).await;
    assert_eq!(number, json!({ "id": "106540352242922", "verified_name": "Harbour Bakery" }));
    let (_, other) = trial.get("/whatsapp/v26.0/106540352242923", TOKEN).await;
    assert_eq!(other["error"]["error_subcode"], 33);
    assert_eq!(trial.get(&format!("{PHONE}?fields=colour"), TOKEN).await.0, 400);
    assert_eq!(trial.get(PHONE, "nonsense").await.1["error"]["code"], 190);
    for (kind, subcode) in [("expire_token", 463), ("revoke_token", 458)] {
        trial.fault(json!({ "kind": kind, "platform": "whatsapp" })).await;
        let (status, ended) = trial.get(PHONE, TOKEN).await;
        assert_eq!((status, &ended["error"]["error_subcode"]), (401, &json!(subcode)));
    }
}

#[tokio::test]
async fn too_many_messages_to_one_recipient_are_refused() {
    let trial = start().await;
    for _ in 0..45 {
        assert_eq!(say(&trial, "4915112345678").await.0, 200);
    }
    assert_eq!(say(&trial, "4915112345678").await.1["error"]["code"], 131_056);
    assert_eq!(say(&trial, "4915112345679").await.0, 200);
    assert_eq!(trial.sandbox.ledger().len(), 46);
}
