//! YouTube as a client meets it.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::sandbox::trial::{BACK, Trial, VERIFIER, mp4, png, read, start, told};

const SCOPE: &str = "https://www.googleapis.com/auth/youtube \
    https://www.googleapis.com/auth/youtube.force-ssl \
    https://www.googleapis.com/auth/youtube.upload";
const OPEN: &str = "/youtube/upload/youtube/v3/videos?uploadType=resumable&part=snippet,status";
const VIDEOS: &str = "/youtube/youtube/v3/videos";
const PIECE: usize = 256 * 1024;

async fn back(trial: &Trial, client: &str, handle: &str, more: &[(&str, &str)]) -> url::Url {
    let mut form = vec![
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", SCOPE),
        ("state", "s1"),
        ("access_type", "offline"),
        ("handle", handle),
        ("decision", "allow"),
    ];
    form.extend_from_slice(more);
    trial.answer_consent("/youtube/o/oauth2/v2/auth", &form).await
}

async fn token(trial: &Trial, client: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let mut whole = vec![("client_id", client), ("client_secret", "sandbox-secret")];
    whole.extend_from_slice(form);
    trial.form("/youtube/token", &whole).await
}

async fn redeem(trial: &Trial, client: &str, url: &url::Url) -> (u16, Value) {
    let code = told(url, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    token(trial, client, &form).await
}

async fn sign_in_as(trial: &Trial, client: &str, handle: &str) -> String {
    let url = back(trial, client, handle, &[]).await;
    let (status, tokens) = redeem(trial, client, &url).await;
    assert_eq!(status, 200, "{tokens}");
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn sign_in(trial: &Trial) -> String {
    sign_in_as(trial, "app", "alice").await
}

fn film(title: &str) -> Value {
    json!({ "snippet": { "title": title, "description": "See https://e.com", "tags": ["a", "b c"],
            "categoryId": "22" },
        "status": { "privacyStatus": "public", "selfDeclaredMadeForKids": false } })
}

async fn open(trial: &Trial, token: &str, body: &Value, size: usize) -> Response {
    let request = trial.request(Method::POST, OPEN, token).json(body);
    let request = request.header("x-upload-content-length", size.to_string());
    request.header("x-upload-content-type", "video/*").send().await.unwrap()
}

async fn session(trial: &Trial, token: &str, body: &Value, size: usize) -> String {
    let response = open(trial, token, body, size).await;
    let location = response.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
    match location {
        Some(location) => location,
        None => panic!("{}", response.text().await.unwrap()),
    }
}

async fn put(trial: &Trial, url: &str, range: &str, bytes: &[u8]) -> Response {
    let request = trial.client.put(url).header("content-type", "video/mp4");
    let request = match range {
        "" => request,
        range => request.header("content-range", range),
    };
    request.body(bytes.to_vec()).send().await.unwrap()
}

async fn upload(trial: &Trial, token: &str, body: &Value) -> String {
    let url = session(trial, token, body, 2_000).await;
    let (status, video) = read(put(trial, &url, "", &mp4()).await).await;
    assert_eq!(status, 201, "{video}");
    video["id"].as_str().unwrap().to_owned()
}

async fn status(trial: &Trial, token: &str, id: &str) -> Value {
    let path = format!("{VIDEOS}?part=status,processingDetails&id={id}");
    trial.get(&path, token).await.1["items"][0].clone()
}

fn reason(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["errors"][0]["reason"].as_str().unwrap_or_default())
}

fn range(response: &Response) -> Option<&str> {
    response.headers().get("range").map(|range| range.to_str().unwrap())
}

#[tokio::test]
async fn a_refresh_token_comes_once_stays_and_ends_with_the_grant() {
    let trial = start().await;
    let first = redeem(&trial, "app", &back(&trial, "app", "alice", &[]).await).await.1;
    let refresh = first["refresh_token"].as_str().unwrap();
    assert_eq!(first["expires_in"], 3_599);
    let again = redeem(&trial, "app", &back(&trial, "app", "alice", &[]).await).await.1;
    assert!(again["refresh_token"].is_null(), "{again}");
    let asked = back(&trial, "app", "alice", &[("prompt", "consent")]).await;
    assert!(redeem(&trial, "app", &asked).await.1["refresh_token"].is_string());
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    for _ in 0..2 {
        let (status, renewed) = token(&trial, "app", &form).await;
        assert!(status == 200 && renewed["refresh_token"].is_null(), "{renewed}");
    }
    assert_eq!(trial.form("/youtube/revoke", &[("token", refresh)]).await.0, 200);
    let (status, refused) = token(&trial, "app", &form).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
    let access = first["access_token"].as_str().unwrap();
    let path = "/youtube/youtube/v3/channels?part=snippet&mine=true";
    assert_eq!(reason(&trial.get(path, access).await), (401, "authError"));
}

#[tokio::test]
async fn scopes_can_be_refused_one_by_one_and_are_told() {
    let trial = start().await;
    let force = "https://www.googleapis.com/auth/youtube.force-ssl";
    let url = back(&trial, "app", "alice", &[("refused[]", force)]).await;
    assert!(!told(&url, "scope").unwrap().contains(force));
    let (_, tokens) = redeem(&trial, "app", &url).await;
    let access = tokens["access_token"].as_str().unwrap();
    let id = upload(&trial, access, &film("Walk")).await;
    let body = json!({ "snippet": { "videoId": id,
        "topLevelComment": { "snippet": { "textOriginal": "First" } } } });
    let path = "/youtube/youtube/v3/commentThreads?part=snippet";
    let refused = trial.post(path, access, body).await;
    assert_eq!(reason(&refused), (403, "insufficientPermissions"));
}

#[tokio::test]
async fn a_channel_is_found_and_some_have_none() {
    let trial = start().await;
    let path = "/youtube/youtube/v3/channels?part=snippet,contentDetails,statistics&mine=true";
    let (_, found) = trial.get(path, &sign_in(&trial).await).await;
    let channel = &found["items"][0];
    let uploads = &channel["contentDetails"]["relatedPlaylists"]["uploads"];
    assert_eq!(uploads.as_str().unwrap()[2..], channel["id"].as_str().unwrap()[2..]);
    let nobody = sign_in_as(&trial, "app", "nochannel").await;
    assert!(trial.get(path, &nobody).await.1["items"].is_null());
    let refused = read(open(&trial, &nobody, &film("Walk"), 2_000).await).await;
    assert_eq!(reason(&refused), (401, "youtubeSignupRequired"));
}

#[tokio::test]
async fn a_film_goes_up_in_pieces_and_becomes_one_video() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let mut bytes = mp4();
    bytes.resize(PIECE + 100, 0);
    let total = bytes.len();
    let url = session(&trial, &token, &film("Walk"), total).await;
    let probe = put(&trial, &url, &format!("bytes */{total}"), b"").await;
    assert_eq!((probe.status().as_u16(), range(&probe)), (308, None));
    let first = format!("bytes 0-{}/{total}", PIECE - 1);
    let sent = put(&trial, &url, &first, &bytes[..PIECE]).await;
    assert_eq!((sent.status().as_u16(), range(&sent)), (308, Some("bytes=0-262143")));
    assert!(trial.sandbox.ledger().is_empty());
    let last = format!("bytes {PIECE}-{}/{total}", total - 1);
    let (done, video) = read(put(&trial, &url, &last, &bytes[PIECE..]).await).await;
    assert_eq!(done, 201);
    let (known, again) = read(put(&trial, &url, &format!("bytes */{total}"), b"").await).await;
    assert_eq!((known, &again["id"]), (200, &video["id"]));
    assert_eq!(read(put(&trial, &url, &last, &bytes[PIECE..]).await).await.0, 200);
    let ledger = trial.sandbox.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].text, "Walk\n\nSee https://e.com");
    assert_eq!(video["id"], ledger[0].id);
    let id = ledger[0].id.as_str();
    let found = status(&trial, &token, id).await;
    assert_eq!(found["status"]["uploadStatus"], "uploaded");
    assert_eq!(found["processingDetails"]["processingStatus"], "processing");
    trial.advance(Duration::from_secs(20));
    assert_eq!(status(&trial, &token, id).await["status"]["uploadStatus"], "processed");
}

#[tokio::test]
async fn pieces_that_do_not_fit_are_refused() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let total = 2 * PIECE;
    let url = session(&trial, &token, &film("Walk"), total).await;
    let bytes = vec![0; total];
    for (range, length, wanted) in [
        ("bytes 0-99/524288", 100, 400),
        ("bytes 0-262143/999999", PIECE, 400),
        ("bytes 262144-524287/524288", PIECE, 400),
        ("bytes 0-262142/524288", PIECE, 400),
        ("bytes */524288", 5, 400),
        ("", 100, 400),
    ] {
        let answer = put(&trial, &url, range, &bytes[..length]).await;
        assert_eq!(answer.status(), wanted, "{range}");
    }
    let unknown = url.replace("upload_id=", "upload_id=x");
    assert_eq!(put(&trial, &unknown, "bytes */524288", b"").await.status(), 404);
    trial.advance(Duration::from_secs(7 * 24 * 60 * 60));
    assert_eq!(put(&trial, &url, "bytes */524288", b"").await.status(), 410);
}

#[tokio::test]
async fn a_failing_server_keeps_half_of_a_piece_and_the_rest_completes_it() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let url = session(&trial, &token, &film("Walk"), 2_000).await;
    trial
        .fault(json!({ "kind": "refuse", "status": 503, "operation": "publish",
            "account": "alice" }))
        .await;
    assert_eq!(put(&trial, &url, "", &mp4()).await.status(), 503);
    let probe = put(&trial, &url, "bytes */2000", b"").await;
    assert_eq!((probe.status().as_u16(), range(&probe)), (308, Some("bytes=0-999")));
    let rest = put(&trial, &url, "bytes 1000-1999/2000", &mp4()[1_000..]).await;
    assert_eq!(rest.status(), 201);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].media[0].bytes), (1, 2_000));
    // A front door that is closed keeps nothing.
    let url = session(&trial, &token, &film("Walk"), 2_000).await;
    trial.fault(json!({ "kind": "unavailable", "operation": "publish" })).await;
    assert_eq!(put(&trial, &url, "", &mp4()).await.status(), 503);
    assert_eq!(range(&put(&trial, &url, "bytes */2000", b"").await), None);
}

#[tokio::test]
async fn metadata_is_judged_before_any_byte_is_sent() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let with = |pointer: &str, value: Value| {
        let mut body = film("Walk");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    for (body, wanted) in [
        (with("/snippet/title", json!("a".repeat(101))), "invalidTitle"),
        (with("/snippet/title", json!("<b>")), "invalidTitle"),
        (with("/snippet/title", json!("")), "invalidTitle"),
        (with("/snippet/description", json!("ä".repeat(2_501))), "invalidDescription"),
        (with("/snippet/tags", json!(["a".repeat(501)])), "invalidTags"),
        (with("/snippet/categoryId", json!("3")), "invalidCategoryId"),
        (with("/status/publishAt", json!("2030-01-01T00:00:00Z")), "invalidPublishAt"),
        (with("/status/privacyStatus", json!("hidden")), "invalidVideoMetadata"),
        (with("/status/embeddable", json!("yes")), "invalidVideoMetadata"),
        (with("/snippet/colour", json!("red")), "invalidVideoMetadata"),
    ] {
        let answer = read(open(&trial, &token, &body, 2_000).await).await;
        assert_eq!(reason(&answer), (400, wanted), "{body}");
    }
    let request = trial.request(Method::POST, OPEN, &token).json(&film("Walk"));
    let unsized_film = read(request.send().await.unwrap()).await;
    assert_eq!(reason(&unsized_film), (400, "mediaBodyRequired"));
}

#[tokio::test]
async fn a_planned_video_is_private_until_its_time() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let mut body = film("Walk");
    // The trial begins on 2026-11-18.
    body["status"] = json!({ "privacyStatus": "private", "publishAt": "2026-12-01T09:00:00Z" });
    let id = upload(&trial, &token, &body).await;
    let found = status(&trial, &token, &id).await;
    assert_eq!(found["status"]["privacyStatus"], "private");
    assert!(found["status"]["publishAt"].is_string());
    trial.advance(Duration::from_secs(20 * 24 * 60 * 60));
    let token = sign_in(&trial).await;
    let found = status(&trial, &token, &id).await;
    assert_eq!(found["status"]["privacyStatus"], "public");
    assert!(found["status"]["publishAt"].is_null());
}

#[tokio::test]
async fn what_is_rejected_or_no_film_is_never_seen_and_some_projects_are_locked() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let rejected = upload(&trial, &token, &film("Reject me")).await;
    let url = session(&trial, &token, &film("Words"), 5).await;
    let failed = read(put(&trial, &url, "", b"words").await).await.1["id"].clone();
    trial.advance(Duration::from_secs(20));
    let found = status(&trial, &token, &rejected).await;
    assert_eq!(found["status"]["uploadStatus"], "rejected");
    assert_eq!(found["status"]["rejectionReason"], "inappropriate");
    let found = status(&trial, &token, failed.as_str().unwrap()).await;
    assert_eq!(found["status"]["failureReason"], "invalidFile");
    assert!(trial.sandbox.ledger().is_empty());
    let locked = sign_in_as(&trial, "locked", "alice").await;
    let id = upload(&trial, &locked, &film("Walk")).await;
    assert_eq!(status(&trial, &locked, &id).await["status"]["privacyStatus"], "private");
}

#[tokio::test]
async fn a_part_that_is_sent_is_replaced_as_a_whole() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let id = upload(&trial, &token, &film("Walk")).await;
    let change = async |body: Value, part: &str| {
        let path = format!("{VIDEOS}?part={part}");
        let request = trial.request(Method::PUT, &path, &token).json(&body);
        read(request.send().await.unwrap()).await
    };
    let body = json!({ "id": id, "snippet": { "title": "Run" } });
    assert_eq!(reason(&change(body, "snippet").await), (400, "invalidCategoryId"));
    let body = json!({ "id": id, "snippet": { "title": "Run", "categoryId": "22" } });
    let (changed, video) = change(body, "snippet").await;
    assert_eq!(changed, 200);
    assert_eq!(
        (&video["snippet"]["title"], &video["snippet"]["description"]),
        (&json!("Run"), &json!(""))
    );
    let body = json!({ "id": id, "status": { "privacyStatus": "private",
        "publishAt": "2027-01-01T00:00:00Z" } });
    assert_eq!(reason(&change(body, "status").await), (400, "invalidPublishAt"));
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (1, "Run"));
    let path = format!("{VIDEOS}?id={id}");
    let delete = async || {
        let request = trial.request(Method::DELETE, &path, &token);
        read(request.send().await.unwrap()).await
    };
    assert_eq!(delete().await.0, 204);
    assert_eq!(reason(&delete().await), (404, "videoNotFound"));
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
}

#[tokio::test]
async fn thumbnails_are_pictures_of_those_who_may() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let id = upload(&trial, &token, &film("Walk")).await;
    let set = async |token: &str, id: &str, mime: &str, bytes: Vec<u8>| {
        let path =
            format!("/youtube/upload/youtube/v3/thumbnails/set?videoId={id}&uploadType=media");
        let request = trial.request(Method::POST, &path, token).header("content-type", mime);
        read(request.body(bytes).send().await.unwrap()).await
    };
    assert_eq!(set(&token, &id, "image/png", png()).await.0, 200);
    let words = set(&token, &id, "image/png", b"words".to_vec()).await;
    assert_eq!(reason(&words), (400, "invalidImage"));
    assert_eq!(reason(&set(&token, "x", "image/png", png()).await), (404, "videoNotFound"));
    let unverified = sign_in_as(&trial, "app", "unverified").await;
    let own = upload(&trial, &unverified, &film("Walk")).await;
    let refused = set(&unverified, &own, "image/png", png()).await;
    assert_eq!(reason(&refused), (403, "forbidden"));
}

#[tokio::test]
async fn uploads_are_listed_late_and_playlists_hold_what_was_added() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let id = upload(&trial, &token, &film("Walk")).await;
    let get = async |path: &str| trial.get(&format!("/youtube/youtube/v3/{path}"), &token).await.1;
    let channel = get("channels?part=contentDetails&mine=true").await;
    let uploads = &channel["items"][0]["contentDetails"]["relatedPlaylists"]["uploads"];
    let path = format!(
        "playlistItems?part=snippet,contentDetails,status&maxResults=50&playlistId={}",
        uploads.as_str().unwrap()
    );
    assert_eq!(get(&path).await["items"], json!([]));
    trial.advance(Duration::from_secs(8));
    let listed = get(&path).await;
    assert_eq!(listed["items"][0]["contentDetails"]["videoId"], id);
    let lists = get("playlists?part=snippet&mine=true").await;
    let list = lists["items"][0]["id"].as_str().unwrap();
    let add = "/youtube/youtube/v3/playlistItems?part=snippet";
    let body = |list: &str| {
        json!({ "snippet": { "playlistId": list,
        "resourceId": { "kind": "youtube#video", "videoId": id } } })
    };
    for _ in 0..2 {
        assert_eq!(trial.post(add, &token, body(list)).await.0, 200);
    }
    let refused = trial.post(add, &token, body("PLx")).await;
    assert_eq!(reason(&refused), (404, "playlistNotFound"));
    let held = get(&format!("playlistItems?part=snippet&maxResults=1&playlistId={list}")).await;
    assert_eq!(
        (&held["pageInfo"]["totalResults"], &held["nextPageToken"]),
        (&json!(2), &json!("1"))
    );
}

#[tokio::test]
async fn a_comment_stands_below_its_video() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let id = upload(&trial, &token, &film("Walk")).await;
    let path = "/youtube/youtube/v3/commentThreads?part=snippet";
    let comment = |id: &str, text: &str| {
        json!({ "snippet": { "videoId": id,
        "topLevelComment": { "snippet": { "textOriginal": text } } } })
    };
    let (status, posted) = trial.post(path, &token, comment(&id, "First")).await;
    assert_eq!(status, 200, "{posted}");
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[1].reply_to.as_ref()), (2, Some(&id)));
    let (_, listed) = trial.get(&format!("{path}&videoId={id}"), &token).await;
    assert_eq!(listed["items"][0]["id"], posted["id"]);
    let long = trial.post(path, &token, comment(&id, &"a".repeat(10_001))).await;
    assert_eq!(reason(&long), (400, "commentTextTooLong"));
    let mut kids = film("Toys");
    kids["status"]["selfDeclaredMadeForKids"] = json!(true);
    let toys = upload(&trial, &token, &kids).await;
    let closed = trial.post(path, &token, comment(&toys, "First")).await;
    assert_eq!(reason(&closed), (403, "commentsDisabled"));
}

#[tokio::test]
async fn the_hundredth_upload_of_a_day_is_the_last() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    for _ in 0..100 {
        assert_eq!(open(&trial, &token, &film("Walk"), 2_000).await.status(), 200);
    }
    let refused = read(open(&trial, &token, &film("Walk"), 2_000).await).await;
    assert_eq!(reason(&refused), (403, "quotaExceeded"));
    let path = "/youtube/youtube/v3/channels?part=snippet&mine=true";
    assert_eq!(trial.get(path, &token).await.0, 200);
    trial.advance(Duration::from_secs(24 * 60 * 60));
    let token = sign_in(&trial).await;
    assert_eq!(open(&trial, &token, &film("Walk"), 2_000).await.status(), 200);
}
