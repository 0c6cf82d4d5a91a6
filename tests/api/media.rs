//! Files: uploaded in both forms, looked at, made to fit, fetched by whoever has an address.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fanfare::{
    domain::{
        ids::{MediaId, OrganizationId},
        time::Timestamp,
    },
    store::{MasterKey, Vault},
};
use image::{ImageEncoder, Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use serde_json::{Value, json};

use crate::world::{Told, World, told};

const BOUNDARY: &str = "----edge";

pub(crate) fn png(bytes: usize) -> Vec<u8> {
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

pub(crate) async fn upload(world: &World, name: &str, bytes: &[u8]) -> Told {
    let path = format!("/api/v1/media?name={name}");
    let made = told(world.request("POST", &path).body(bytes.to_vec())).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made
}

const FILM: &[u8] = include_bytes!("../../src/cli/demo/waves.mp4");

/// A JPEG that is stored on its side, and says where it was taken.
fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"48.858 N, 2.294 E");
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 99]));
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(image.as_raw(), width, height, image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[tokio::test]
async fn film_is_shown_with_its_length_its_size_and_its_codec() {
    let world = World::new().await;
    let made = upload(&world, "waves.mp4", FILM).await;
    let shown = world.get(&format!("/media/{}", made.text("/id"))).await.json;
    for seen in [&made.json, &shown] {
        assert_eq!((&seen["kind"], &seen["mime"]), (&json!("video"), &json!("video/mp4")));
        assert_eq!((&seen["width"], &seen["height"]), (&json!(160), &json!(90)));
        assert_eq!((&seen["length_seconds"], &seen["codec"]), (&json!(1.0), &json!("h264")));
    }
    let image = upload(&world, "a.png", &png(100)).await.json;
    assert_eq!((image.get("length_seconds"), image.get("codec")), (None, None));
}

#[tokio::test]
async fn film_that_is_cut_off_is_refused_with_what_is_wrong_and_what_to_do() {
    let world = World::new().await;
    for (bytes, said) in [
        (FILM[..FILM.len() - 100].to_vec(), "cut off"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x0cmdatwave".to_vec(), "`moov`"),
    ] {
        let refused = told(world.request("POST", "/api/v1/media").body(bytes)).await;
        assert_eq!(refused.code(), "media-format");
        assert!(refused.text("/detail").contains(said), "{}", refused.body);
        assert!(refused.text("/remedy").contains("H.264"), "{}", refused.body);
    }
    assert_eq!(world.get("/media").await.json["items"], json!([]));
}

#[tokio::test]
async fn document_is_kept_as_one() {
    let world = World::new().await;
    let made = upload(&world, "a.pdf", b"%PDF-1.7\n%...").await;
    assert_eq!(
        (made.text("/kind"), made.text("/mime")),
        ("document".into(), "application/pdf".into())
    );
}

async fn fit(world: &World, id: &str, body: &Value) -> Told {
    world.post(&format!("/media/{id}/fit"), body).await
}

#[tokio::test]
async fn photo_is_made_to_fit_upright_and_silent_and_the_copy_stands_alone() {
    let world = World::new().await;
    let original = upload(&world, "party.jpeg", &photo(200, 100)).await;
    assert_eq!((&original.json["width"], &original.json["height"]), (&json!(100), &json!(200)));
    let id = original.text("/id");
    let made = fit(&world, &id, &json!({ "platform": "mastodon" })).await;
    assert_eq!((made.status.as_u16(), &made.json["changed"]), (201, &json!(true)), "{}", made.body);
    let copy = made.text("/media/id");
    assert_ne!(copy, id);
    assert_eq!(made.text("/media/name"), "party.jpg");
    assert_eq!(
        (&made.json["media"]["width"], &made.json["media"]["height"]),
        (&json!(100), &json!(200))
    );
    let gone = told(world.request("DELETE", &format!("/api/v1/media/{id}"))).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    let fetched = told(world.bare("GET", &address(&world, &copy, "jpg", DAY).await)).await;
    assert_eq!(fetched.status, 200);
    assert!(!fetched.body.contains("48.858") && !fetched.body.contains("Exif"));
    let again = fit(&world, &copy, &json!({ "platform": "mastodon" })).await;
    assert_eq!((again.status.as_u16(), &again.json["changed"]), (200, &json!(false)));
    assert_eq!(again.text("/media/id"), copy);
}

#[tokio::test]
async fn fitting_that_is_asked_for_twice_is_done_once() {
    let world = World::new().await;
    let id = upload(&world, "a.jpg", &photo(20, 10)).await.text("/id");
    let send = |body: Value| {
        let path = format!("/api/v1/media/{id}/fit");
        told(world.request("POST", &path).header("idempotency-key", "k").json(&body))
    };
    let first = send(json!({ "platform": "x" })).await;
    let again = send(json!({ "platform": "x" })).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200), "{}", again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.json, again.json);
    assert_eq!(send(json!({ "platform": "mastodon" })).await.code(), "idempotency-conflict");
    assert_eq!(world.get("/media").await.json["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn account_stands_for_its_platform() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let id = upload(&world, "a.jpg", &photo(20, 10)).await.text("/id");
    let made = fit(&world, &id, &json!({ "account": account, "shape": "crop" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let body = json!({ "account": account, "platform": "x" });
    assert_eq!(fit(&world, &id, &body).await.code(), "invalid");
}

#[tokio::test]
async fn what_cannot_be_fitted_is_refused_in_words() {
    let world = World::new().await;
    let id = upload(&world, "a.jpg", &photo(20, 10)).await.text("/id");
    let head_only = upload(&world, "a.png", &png(100)).await.text("/id");
    let film = upload(&world, "waves.mp4", FILM).await.text("/id");
    let nowhere = "med_00000000000000000000000000";
    let nobody = "acc_00000000000000000000000000";
    for (id, body, code) in [
        (id.as_str(), json!({}), "invalid"),
        (&id, json!({ "platform": "nowhere" }), "unknown-platform"),
        (&id, json!({ "platform": "x", "format": "story" }), "unknown-option"),
        (&id, json!({ "account": nobody }), "unknown-account"),
        (&id, json!({ "platform": "x", "shape": "star" }), "invalid"),
        (&id, json!({ "platform": "x", "size": 3 }), "invalid"),
        (&head_only, json!({ "platform": "x" }), "media-format"),
        (&film, json!({ "platform": "x" }), "media-format"),
        (nowhere, json!({ "platform": "x" }), "not-found"),
    ] {
        let refused = fit(&world, id, &body).await;
        assert_eq!(refused.code(), code, "{body}: {}", refused.body);
    }
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// As a delivery would give it to a platform, with the key that a store in memory has.
async fn address(world: &World, id: &str, extension: &str, lasts: Duration) -> String {
    let organizations = world.get("/organizations").await;
    let organization: OrganizationId = organizations.text("/items/0/id").parse().unwrap();
    let token = token(organization, id.parse().unwrap(), world.clock.now().after(lasts));
    format!("/files/{token}/{id}.{extension}")
}

fn token(organization: OrganizationId, media: MediaId, until: Timestamp) -> String {
    let vault = Vault::new(MasterKey::from_bytes([7; 32]), Vec::new());
    let claim = [&organization.0.to_be_bytes()[..], &media.0.to_be_bytes(), &until.0.to_be_bytes()]
        .concat();
    let signature = vault.sign("fanfare addresses of files", &claim);
    URL_SAFE_NO_PAD.encode([claim.as_slice(), &signature].concat())
}

#[tokio::test]
async fn file_is_fetched_whole_and_in_ranges_by_whoever_has_its_address() {
    let world = World::new().await;
    let id = upload(&world, "waves.mp4", FILM).await.text("/id");
    let address = address(&world, &id, "mp4", DAY).await;
    let whole = world.bare("GET", &address).send().await.unwrap();
    let head = |name: &str| whole.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(whole.status(), 200);
    assert_eq!(head("content-type"), "video/mp4");
    assert_eq!(head("content-length"), FILM.len().to_string());
    assert_eq!(head("cache-control"), "private");
    assert_eq!(head("x-content-type-options"), "nosniff");
    assert_eq!(head("accept-ranges"), "bytes");
    let etag = head("etag");
    assert_eq!(whole.bytes().await.unwrap(), FILM);

    let looked = world.bare("HEAD", &address).send().await.unwrap();
    assert_eq!(
        (looked.status().as_u16(), &looked.headers()["content-type"]),
        (200, &"video/mp4".parse().unwrap())
    );
    assert_eq!(looked.headers()["content-length"], FILM.len().to_string());
    assert!(looked.bytes().await.unwrap().is_empty());

    for (range, expected) in [("bytes=4-7", &FILM[4..8]), ("bytes=-5", &FILM[FILM.len() - 5..])] {
        let request = world.bare("GET", &address).header("range", range).header("if-range", &etag);
        let part = request.send().await.unwrap();
        assert_eq!(part.status(), 206, "{range}");
        assert_eq!(part.headers()["content-length"], expected.len().to_string());
        let told = part.headers()["content-range"].to_str().unwrap().to_owned();
        assert!(told.ends_with(&format!("/{}", FILM.len())), "{told}");
        assert_eq!(part.bytes().await.unwrap(), expected, "{range}");
    }
    let beyond = told(world.bare("GET", &address).header("range", "bytes=99999-")).await;
    assert_eq!((beyond.status.as_u16(), beyond.code()), (416, "bad-request"));
    assert_eq!(beyond.headers["content-range"], format!("bytes */{}", FILM.len()));
    assert_eq!(told(world.bare("POST", &address)).await.code(), "method-not-allowed");
}

#[tokio::test]
async fn address_that_is_wrong_in_any_way_is_answered_alike() {
    let world = World::new().await;
    let id = upload(&world, "a.png", &png(100)).await.text("/id");
    let good = address(&world, &id, "png", DAY).await;
    let (path, name) = good.rsplit_once('/').unwrap();
    let stranger = token(OrganizationId(1), id.parse().unwrap(), world.clock.now().after(DAY));
    let ended = address(&world, &id, "png", Duration::ZERO).await;
    let other = address(&world, "med_00000000000000000000000000", "png", DAY).await;
    assert_eq!(told(world.bare("GET", &good)).await.status, 200);
    let mut answers = Vec::new();
    for wrong in [
        format!("{path}/other.png"),
        format!("{}A/{name}", &path[..path.len() - 1]),
        format!("{}B/{name}", &path[..path.len() - 1]),
        format!("/files/{stranger}/{name}"),
        format!("/files/short/{name}"),
        format!("/files/%ff%fe/{name}"),
        ended,
        other,
    ] {
        if wrong == good {
            continue;
        }
        let refused = told(world.bare("GET", &wrong)).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (404, "not-found"), "{wrong}");
        assert!(!refused.body.contains("/files/"), "{}", refused.body);
        answers.push((refused.text("/detail"), refused.text("/remedy")));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let gone = told(world.request("DELETE", &format!("/api/v1/media/{id}"))).await;
    assert_eq!(gone.status, 204);
    assert_eq!(told(world.bare("GET", &good)).await.code(), "not-found");
}

#[tokio::test]
async fn file_that_a_planned_post_needs_is_not_deleted() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let original = upload(&world, "a.jpg", &photo(20, 10)).await.text("/id");
    let copy = fit(&world, &original, &json!({ "platform": "mastodon" })).await.text("/media/id");
    let mut post = world.post_in_an_hour(&account, "Look");
    post["content"]["parts"][0]["media"] = json!([{ "id": copy, "alt": "a gradient" }]);
    let made = world.post("/posts", &post).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let delete = |id: &str| told(world.request("DELETE", &format!("/api/v1/media/{id}")));
    assert_eq!(delete(&copy).await.code(), "wrong-state");
    assert_eq!(delete(&original).await.status, 204);
    let cancelled = world.post(&format!("/posts/{}/cancel", made.text("/id")), &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    assert_eq!(delete(&copy).await.status, 204);
}
