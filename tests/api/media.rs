//! Uploads in both forms.

use serde_json::Value;

use crate::world::{Told, World, told};

const BOUNDARY: &str = "----edge";

fn png(bytes: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x02\0\0\0".to_vec();
    png.resize(bytes.max(png.len()), 0);
    png
}

fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, value) in fields {
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(value);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    form
}

async fn send_form(world: &World, body: Vec<u8>) -> Told {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    told(world.request("POST", "/api/v1/media").header("content-type", kind).body(body)).await
}

#[tokio::test]
async fn a_file_arrives_alike_as_a_form_and_as_itself() {
    let world = World::new().await;
    let raw = world.request("POST", "/api/v1/media?name=a.png").body(png(100));
    let raw = told(raw).await;
    let form = send_form(&world, form(&[("file", &png(100))])).await;
    for made in [&raw, &form] {
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(
            (made.text("/mime").as_str(), made.text("/name").as_str()),
            ("image/png", "a.png")
        );
        assert_eq!((&made.json["width"], &made.json["height"]), (&2.into(), &3.into()));
        assert_eq!(made.json["bytes"], 100);
    }
    assert_eq!(raw.text("/sha256"), form.text("/sha256"));
    let path = format!("/media/{}", raw.text("/id"));
    let gone = told(world.request("DELETE", &format!("/api/v1{path}"))).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert_eq!(world.get(&path).await.code(), "not-found");
    assert_eq!(world.get("/media").await.json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_upload_that_arrives_twice_is_one_file() {
    let world = World::new().await;
    let send = |bytes| {
        let request = world.request("POST", "/api/v1/media").header("idempotency-key", "k");
        told(request.body(png(bytes)))
    };
    let (first, again) = (send(100).await, send(100).await);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200), "{}", again.body);
    assert_eq!(first.text("/id"), again.text("/id"));
    assert_eq!(send(101).await.code(), "idempotency-conflict");
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_in_words() {
    let world = World::new().await;
    let limit = 1 << 16;
    let raw = |bytes: Vec<u8>| told(world.request("POST", "/api/v1/media").body(bytes));
    assert_eq!(raw(png(limit + 1)).await.status, 413);
    assert_eq!(raw(b"a text".to_vec()).await.code(), "media-format");
    assert_eq!(raw(Vec::new()).await.code(), "media-format");
    for wrong in [
        form(&[("picture", &png(100))]),
        form(&[("file", &png(100)), ("file", &png(100))]),
        form(&[]),
        b"no form at all".to_vec(),
    ] {
        assert_eq!(send_form(&world, wrong).await.code(), "bad-request");
    }
    let cut = form(&[("file", &png(100))]);
    assert_eq!(send_form(&world, cut[..cut.len() - 20].to_vec()).await.code(), "bad-request");
    assert_eq!(world.get("/media").await.json["items"], Value::Array(Vec::new()));
}
