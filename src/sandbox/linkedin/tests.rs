//! LinkedIn as a client meets it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::sandbox::trial::{BACK, Trial, mp4, png, read, start};

const MEMBER: &str = "openid profile w_member_social";
const ORGANIZATION: &str = "r_basicprofile w_member_social w_organization_social \
    r_organization_social rw_organization_admin w_organization_social_feed \
    r_organization_social_feed";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn token_form(trial: &Trial, client: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![("client_id", client), ("client_secret", "sandbox-secret")];
    form.extend(more);
    trial.form("/linkedin/oauth/v2/accessToken", &form).await
}

/// The whole answer of the token endpoint.
async fn sign_in(trial: &Trial, client: &str, scope: &str) -> Value {
    let code = trial.allow("/linkedin/oauth/v2/authorization", client, scope).await;
    let form =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK)];
    let (status, tokens) = token_form(trial, client, &form).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn access(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// A token of the kind of app, and the URN that it may post as.
async fn member(trial: &Trial) -> (String, String) {
    let token = access(&sign_in(trial, "app", MEMBER).await);
    let (_, me) = trial.get("/linkedin/v2/userinfo", &token).await;
    (token, format!("urn:li:person:{}", me["sub"].as_str().unwrap()))
}

async fn organization(trial: &Trial) -> (String, String) {
    let token = access(&sign_in(trial, "organization-app", ORGANIZATION).await);
    let path = "organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED";
    let (_, listed) = get(trial, path, &token).await;
    (token, listed["elements"][0]["organization"].as_str().unwrap().to_owned())
}

fn rest(trial: &Trial, method: Method, path: &str, token: &str) -> RequestBuilder {
    trial
        .request(method, &format!("/linkedin/rest/{path}"), token)
        .header("LinkedIn-Version", "202609")
        .header("X-Restli-Protocol-Version", "2.0.0")
}

async fn get(trial: &Trial, path: &str, token: &str) -> (u16, Value) {
    read(rest(trial, Method::GET, path, token).send().await.unwrap()).await
}

async fn send(trial: &Trial, path: &str, token: &str, body: &Value) -> (u16, Value) {
    read(rest(trial, Method::POST, path, token).json(body).send().await.unwrap()).await
}

fn post(author: &str, commentary: &str) -> Value {
    json!({
        "author": author, "commentary": commentary, "visibility": "PUBLIC",
        "distribution": { "feedDistribution": "MAIN_FEED", "targetEntities": [],
            "thirdPartyDistributionChannels": [] },
        "lifecycleState": "PUBLISHED", "isReshareDisabledByAuthor": false,
    })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// The URN of a new post, from where alone it is told.
async fn create(trial: &Trial, token: &str, body: &Value) -> String {
    let response = rest(trial, Method::POST, "posts", token).json(body).send().await.unwrap();
    let urn = response.headers().get("x-restli-id").map(|urn| urn.to_str().unwrap().to_owned());
    let (status, answer) = read(response).await;
    assert_eq!((status, &answer), (201, &json!("")), "{answer}");
    urn.unwrap()
}

fn encoded(urn: &str) -> String {
    urn.replace(':', "%3A").replace('(', "%28").replace(')', "%29").replace(',', "%2C")
}

fn code(answer: &(u16, Value)) -> (u16, String) {
    let inner = &answer.1["errorDetails"]["inputErrors"][0]["code"];
    let code = inner.as_str().or(answer.1["code"].as_str()).unwrap_or_default();
    (answer.0, code.to_owned())
}

/// Sends one file, and gives its URN. It is still being processed.
async fn upload(trial: &Trial, token: &str, owner: &str, kind: &str, bytes: Vec<u8>) -> String {
    let body = json!({ "initializeUploadRequest": { "owner": owner } });
    let path = format!("{kind}s?action=initializeUpload");
    let (status, begun) = send(trial, &path, token, &body).await;
    assert_eq!(status, 200, "{begun}");
    let url = begun["value"]["uploadUrl"].as_str().unwrap();
    let unsigned = trial.client.put(url).body(bytes.clone()).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    let put = trial.client.put(url).bearer_auth(token).body(bytes).send().await.unwrap();
    assert_eq!(put.status(), 201);
    begun["value"][kind].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn self_serve_apps_get_no_refresh_token_and_no_other_scopes() {
    let trial = start().await;
    let tokens = sign_in(&trial, "app", MEMBER).await;
    assert_eq!(tokens["expires_in"], 5_184_000);
    assert!(tokens["refresh_token"].is_null());
    for (client, scope) in [("app", "w_organization_social"), ("organization", "openid")] {
        let query = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", BACK),
            ("scope", scope),
            ("state", "s"),
        ];
        let path = "/linkedin/oauth/v2/authorization";
        let response = trial.request(Method::GET, path, "").query(&query).send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        assert!(location.contains("error=unauthorized_scope_error"), "{location}");
    }
    trial.advance(60 * DAY);
    let expired = trial.get("/linkedin/v2/userinfo", &access(&tokens)).await;
    assert_eq!(code(&expired), (401, "EXPIRED_ACCESS_TOKEN".to_owned()));
}

#[tokio::test]
async fn the_same_refresh_token_comes_back_with_a_shrinking_life() {
    let trial = start().await;
    let first = sign_in(&trial, "organization", ORGANIZATION).await;
    assert_eq!(first["refresh_token_expires_in"], 31_536_000);
    trial.advance(100 * DAY);
    let refresh = first["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, second) = token_form(&trial, "organization", &form).await;
    assert_eq!((status, &second["refresh_token"]), (200, &first["refresh_token"]));
    assert_eq!(second["refresh_token_expires_in"], 31_536_000 - 100 * 86_400);
    assert_eq!(trial.get("/linkedin/v2/me", &access(&second)).await.0, 200);
    // Another client cannot use it, and nobody can after a year.
    assert_eq!(token_form(&trial, "organization-2", &form).await.0, 400);
    trial.advance(265 * DAY);
    assert_eq!(token_form(&trial, "organization", &form).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn other_scopes_and_revocation_end_older_tokens() {
    let trial = start().await;
    let first = access(&sign_in(&trial, "app", MEMBER).await);
    let same = access(&sign_in(&trial, "app", "profile openid w_member_social").await);
    assert_eq!(trial.get("/linkedin/v2/userinfo", &first).await.0, 200);
    let more = access(&sign_in(&trial, "app", "openid profile email").await);
    let ended = trial.get("/linkedin/v2/userinfo", &same).await;
    assert_eq!(code(&ended), (401, "REVOKED_ACCESS_TOKEN".to_owned()));
    let (_, me) = trial.get("/linkedin/v2/userinfo", &more).await;
    assert_eq!((&me["given_name"], &me["email_verified"]), (&json!("alice"), &json!(true)));
    let form = [("client_id", "app"), ("client_secret", "sandbox-secret"), ("token", &more)];
    assert_eq!(trial.form("/linkedin/oauth/v2/revoke", &form).await.0, 200);
    assert_eq!(trial.get("/linkedin/v2/userinfo", &more).await.0, 401);
}

#[tokio::test]
async fn versions_and_headers_are_mandatory() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    let body = post(&author, "x");
    let ask = |version: &'static str, protocol: &'static str| {
        let request = trial.request(Method::POST, "/linkedin/rest/posts", &token).json(&body);
        let request =
            if version.is_empty() { request } else { request.header("linkedin-version", version) };
        if protocol.is_empty() {
            return request;
        }
        request.header("x-restli-protocol-version", protocol)
    };
    for (version, protocol, wanted) in [
        ("", "2.0.0", (400, "VERSION_MISSING")),
        ("202511", "2.0.0", (426, "NONEXISTENT_VERSION")),
        ("202512", "2.0.0", (426, "NONEXISTENT_VERSION")),
        ("2026-09", "2.0.0", (426, "NONEXISTENT_VERSION")),
        ("202609", "", (400, "ILLEGAL_ARGUMENT")),
        ("202609", "1.0.0", (400, "ILLEGAL_ARGUMENT")),
    ] {
        let answer = read(ask(version, protocol).send().await.unwrap()).await;
        assert_eq!(code(&answer), (wanted.0, wanted.1.to_owned()), "{version} {protocol}");
    }
    // A version ends on its day.
    assert_eq!(read(ask("202601", "2.0.0").send().await.unwrap()).await.0, 201);
    trial.advance(59 * DAY);
    assert_eq!(read(ask("202601", "2.0.0").send().await.unwrap()).await.0, 426);
    let raw = get(&trial, "posts/urn:li:share:1", &token).await;
    assert_eq!((raw.0, raw.1["message"].as_str().unwrap().contains("Syntax")), (400, true));
}

#[tokio::test]
async fn people_administer_two_organizations_and_only_watch_a_third() {
    let trial = start().await;
    let (token, _) = organization(&trial).await;
    let path = "organizationAcls?q=roleAssignee&start=0&count=2";
    let (_, first) = get(&trial, path, &token).await;
    assert_eq!(
        (&first["paging"]["total"], first["elements"].as_array().unwrap().len()),
        (&json!(3), 2)
    );
    let next = first["paging"]["links"][0]["href"].as_str().unwrap();
    let (_, second) = get(&trial, next.strip_prefix("/rest/").unwrap(), &token).await;
    let third = &second["elements"][0];
    assert_eq!(third["role"], "ANALYST");
    assert!(second["paging"]["links"].as_array().unwrap().is_empty());
    let urn = third["organization"].as_str().unwrap();
    let path = format!("organizations/{}", urn.rsplit(':').next().unwrap());
    let (_, seen) = get(&trial, &path, &token).await;
    assert_eq!(
        (&seen["localizedName"], &seen["vanityName"]),
        (&json!("alice Partners"), &json!("alice-partners"))
    );
    let refused = send(&trial, "posts", &token, &post(urn, "x")).await;
    assert_eq!(code(&refused), (403, "ACCESS_DENIED".to_owned()));
    // Self-serve apps know nothing of organizations.
    let (token, _) = member(&trial).await;
    assert_eq!(get(&trial, "organizationAcls?q=roleAssignee", &token).await.0, 403);
}

#[tokio::test]
async fn the_ledger_shows_what_readers_see_and_an_unescaped_character_cuts() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    for (commentary, wanted) in [
        (r"\(a\) @[Works](urn:li:organization:1) {hashtag|\#|news}", "(a) Works #news"),
        ("before (after)", "before "),
    ] {
        let urn = create(&trial, &token, &post(&author, commentary)).await;
        let ledger = trial.sandbox.ledger();
        let entry = ledger.last().unwrap();
        assert_eq!((entry.text.as_str(), &entry.id), (wanted, &urn));
        let answer = trial.client.get(&entry.url).send().await.unwrap();
        let place = format!("/#post-{}", entry.sequence);
        assert_eq!(answer.headers()["location"].to_str().unwrap(), place);
    }
}

#[tokio::test]
async fn a_duplicate_is_refused_with_the_urn_of_the_first_even_when_that_is_gone() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    let body = post(&author, "again");
    let urn = create(&trial, &token, &body).await;
    let answer = send(&trial, "posts", &token, &body).await;
    assert_eq!(code(&answer), (422, "DUPLICATE_POST".to_owned()));
    assert!(answer.1["message"].as_str().unwrap().contains(&urn));
    let delete =
        || rest(&trial, Method::DELETE, &format!("posts/{}", encoded(&urn)), &token).send();
    assert_eq!(delete().await.unwrap().status(), 204);
    assert_eq!(delete().await.unwrap().status(), 204);
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
    assert_eq!(send(&trial, "posts", &token, &body).await.0, 422);
    trial.advance(DAY);
    create(&trial, &token, &body).await;
    assert_eq!(trial.sandbox.ledger().len(), 2);
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    let fine = || post(&author, "x");
    let mut without = fine();
    without.as_object_mut().unwrap().remove("visibility");
    let poll = |options: Value| {
        json!({ "poll": { "question": "q", "options": options,
            "settings": { "duration": "THREE_DAYS" } } })
    };
    let options = |texts: &[&str]| poll(texts.iter().map(|text| json!({ "text": text })).collect());
    for (body, wanted) in [
        (without, (422, "field is required")),
        (with(fine(), "color", json!(1)), (422, "unrecognized field")),
        (with(fine(), "author", json!("urn:li:person:x")), (403, "posts.CREATE.202609")),
        (with(fine(), "commentary", json!(1)), (422, "not a string")),
        (with(fine(), "commentary", json!("x".repeat(3_001))), (400, "at most 3000")),
        (with(fine(), "commentary", json!("")), (400, "must have commentary")),
        (with(fine(), "visibility", json!("FRIENDS")), (422, "/visibility")),
        (with(fine(), "lifecycleState", json!("DRAFT")), (422, "/lifecycleState")),
        (with(fine(), "distribution", json!({})), (422, "/distribution/feedDistribution")),
        (with(fine(), "content", json!({})), (422, "exactly one")),
        (with(fine(), "content", json!({ "media": { "id": "urn:li:image:1" } })), (400, "Invalid")),
        (
            with(fine(), "content", json!({ "article": { "source": "https://e.com" } })),
            (422, "/content/article/title"),
        ),
        (with(fine(), "content", options(&["a"])), (422, "2 to 4")),
        (with(fine(), "content", options(&["a", &"b".repeat(31)])), (400, "at most 30")),
        (with(fine(), "content", json!({ "multiImage": { "images": [] } })), (422, "2 to 20")),
        (with(fine(), "reshareContext", json!({ "parent": "urn:li:share:1" })), (404, "Could not")),
    ] {
        let (status, answer) = send(&trial, "posts", &token, &body).await;
        let message = answer["message"].as_str().unwrap_or_default();
        assert!((status, message.contains(wanted.1)) == (wanted.0, true), "{wanted:?} {answer}");
    }
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn articles_polls_and_reshares_are_shown() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    let image = upload(&trial, &token, &author, "image", png()).await;
    trial.advance(Duration::from_secs(1));
    let article = json!({ "article": { "source": "https://e.com/a", "title": "T",
        "description": "D", "thumbnail": image } });
    let first = create(&trial, &token, &with(post(&author, "read"), "content", article)).await;
    let poll = json!({ "poll": { "question": "Which?",
        "options": [{ "text": "a" }, { "text": "b" }],
        "settings": { "duration": "SEVEN_DAYS" } } });
    let poll = create(&trial, &token, &with(post(&author, "vote"), "content", poll)).await;
    assert!(first.starts_with("urn:li:share:7") && poll.starts_with("urn:li:ugcPost:7"));
    let mut again = with(post(&author, "see"), "reshareContext", json!({ "parent": first }));
    again["visibility"] = json!("CONNECTIONS");
    create(&trial, &token, &again).await;
    let ledger = trial.sandbox.ledger();
    assert_eq!(ledger[0].face.card.as_ref().unwrap().title, "T");
    assert_eq!((ledger[0].media.len(), ledger[1].face.poll.len()), (1, 2));
    assert_eq!(ledger[1].face.marks, ["poll for SEVEN_DAYS: Which?"]);
    assert_eq!(
        ledger[2].face.marks,
        [format!("reshares {first}"), "visible to CONNECTIONS".into()]
    );
}

#[tokio::test]
async fn images_are_processed_first_and_members_cannot_ask_for_them() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    let one = upload(&trial, &token, &author, "image", png()).await;
    let two = upload(&trial, &token, &author, "image", png()).await;
    assert_eq!(get(&trial, &format!("images/{}", encoded(&one)), &token).await.0, 403);
    let images =
        json!({ "multiImage": { "images": [{ "id": one, "altText": "A" }, { "id": two }] } });
    let body = with(post(&author, ""), "content", images);
    let early = send(&trial, "posts", &token, &body).await;
    assert_eq!(code(&early), (400, "MEDIA_ASSET_WAITING_UPLOAD".to_owned()));
    trial.advance(Duration::from_secs(1));
    create(&trial, &token, &body).await;
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger[0].media.len(), ledger[0].media[0].alt.as_str()), (2, "A"));
    // An organization's token may ask for what the organization owns, and posts nobody else's.
    let (token, owner) = organization(&trial).await;
    let own = upload(&trial, &token, &owner, "image", png()).await;
    let path = format!("images/{}", encoded(&own));
    assert_eq!(get(&trial, &path, &token).await.1["status"], "PROCESSING");
    trial.advance(Duration::from_secs(1));
    assert_eq!(get(&trial, &path, &token).await.1["status"], "AVAILABLE");
    let theirs = json!({ "media": { "id": one } });
    let refused = send(&trial, "posts", &token, &with(post(&owner, "x"), "content", theirs)).await;
    assert_eq!(code(&refused), (400, "INVALID_OWNER".to_owned()));
}

#[tokio::test]
async fn a_document_needs_a_title_and_a_format_that_can_be_shown() {
    let trial = start().await;
    let (token, owner) = organization(&trial).await;
    let fine = upload(&trial, &token, &owner, "document", b"%PDF-1.7 pages".to_vec()).await;
    let broken = upload(&trial, &token, &owner, "document", b"words".to_vec()).await;
    trial.advance(Duration::from_secs(3));
    let (_, state) = get(&trial, &format!("documents/{}", encoded(&broken)), &token).await;
    assert_eq!(state["status"], "PROCESSING_FAILED");
    assert!(state["processingFailureReason"].is_string());
    let media = |urn: &str, title: &str| {
        with(post(&owner, "paper"), "content", json!({ "media": { "id": urn, "title": title } }))
    };
    let refused = send(&trial, "posts", &token, &media(&broken, "a.pdf")).await;
    assert_eq!(code(&refused), (400, "MEDIA_ASSET_PROCESSING_FAILED".to_owned()));
    assert_eq!(send(&trial, "posts", &token, &media(&fine, "")).await.0, 422);
    create(&trial, &token, &media(&fine, "a.pdf")).await;
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger[0].media[0].kind, ledger[0].media[0].mime), ("document", "application/pdf"));
    let (_, page) = trial.get("/", "").await;
    let page = page.as_str().unwrap();
    assert!(page.contains("card document") && page.contains("<strong>a.pdf</strong>"), "{page}");
}

#[tokio::test]
async fn a_video_goes_up_in_parts_with_an_address_and_an_etag_each() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    let mut film = mp4();
    film.resize(5_000_000, 0);
    let asked = json!({ "initializeUploadRequest": { "owner": author,
        "fileSizeBytes": film.len(), "uploadCaptions": false, "uploadThumbnail": false } });
    let (_, begun) = send(&trial, "videos?action=initializeUpload", &token, &asked).await;
    let value = &begun["value"];
    let (urn, parts) = (value["video"].as_str().unwrap(), value["uploadInstructions"].clone());
    let mut etags = Vec::new();
    for part in parts.as_array().unwrap() {
        let number = |name: &str| part[name].as_u64().unwrap() as usize;
        let bytes = &film[number("firstByte")..=number("lastByte")];
        let put = |bytes: &[u8]| {
            trial.client.put(part["uploadUrl"].as_str().unwrap()).body(bytes.to_vec()).send()
        };
        assert_eq!(put(&bytes[1..]).await.unwrap().status(), 400);
        let response = put(bytes).await.unwrap();
        let etag = response.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
        etags.push(etag);
    }
    assert_eq!(etags.len(), 2);
    let finalize = |ids: Vec<&str>, upload: &Value| {
        let body = json!({ "finalizeUploadRequest": { "video": urn, "uploadToken": upload,
            "uploadedPartIds": ids } });
        let request = rest(&trial, Method::POST, "videos?action=finalizeUpload", &token);
        request.json(&body).send()
    };
    let order = vec![etags[0].as_str(), etags[1].as_str()];
    let wrong = vec![etags[1].as_str(), etags[0].as_str()];
    assert_eq!(finalize(wrong, &value["uploadToken"]).await.unwrap().status(), 400);
    assert_eq!(finalize(order.clone(), &json!("")).await.unwrap().status(), 400);
    assert_eq!(finalize(order.clone(), &value["uploadToken"]).await.unwrap().status(), 200);
    assert_eq!(finalize(order, &value["uploadToken"]).await.unwrap().status(), 200);
    let path = format!("videos/{}", encoded(urn));
    assert_eq!(get(&trial, &path, &token).await.1["status"], "PROCESSING");
    trial.advance(Duration::from_secs(6));
    assert_eq!(get(&trial, &path, &token).await.1["status"], "AVAILABLE");
    let media = json!({ "media": { "id": urn, "title": "film" } });
    create(&trial, &token, &with(post(&author, "look"), "content", media)).await;
    assert_eq!(trial.sandbox.ledger()[0].media[0].bytes, 5_000_000);
}

#[tokio::test]
async fn an_upload_address_ends_and_small_films_are_refused() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    let asked = |size: usize| {
        let request = json!({ "owner": author, "fileSizeBytes": size });
        json!({ "initializeUploadRequest": request })
    };
    let path = "videos?action=initializeUpload";
    assert_eq!(send(&trial, path, &token, &asked(2_000)).await.0, 400);
    let (_, begun) = send(&trial, path, &token, &asked(80_000)).await;
    trial.advance(Duration::from_secs(60 * 60));
    let url = begun["value"]["uploadInstructions"][0]["uploadUrl"].as_str().unwrap();
    let late = trial.client.put(url).body(vec![0; 80_000]).send().await.unwrap();
    assert_eq!(late.status(), 403);
}

#[tokio::test]
async fn organizations_find_read_and_change_their_posts_and_members_cannot() {
    let trial = start().await;
    let (token, author) = organization(&trial).await;
    let first = create(&trial, &token, &post(&author, "one")).await;
    trial.advance(Duration::from_secs(5));
    let second = create(&trial, &token, &post(&author, "two")).await;
    trial.advance(Duration::from_secs(5));
    let change = json!({ "patch": { "$set": { "commentary": r"one \(new\)" } } });
    let path = format!("posts/{}", encoded(&first));
    assert_eq!(send(&trial, &path, &token, &change).await.0, 400);
    let request = rest(&trial, Method::POST, &path, &token);
    let request = request.header("X-RestLi-Method", "PARTIAL_UPDATE").json(&change);
    assert_eq!(request.send().await.unwrap().status(), 204);
    let entry = &trial.sandbox.ledger()[0];
    assert!(entry.text == "one (new)" && entry.face.edited);
    let find = format!("posts?q=author&author={}&count=1", encoded(&author));
    assert_eq!(get(&trial, &find, &token).await.0, 400);
    let finder = rest(&trial, Method::GET, &find, &token).header("X-RestLi-Method", "FINDER");
    let (_, found) = read(finder.send().await.unwrap()).await;
    assert_eq!(
        (&found["elements"][0]["id"], &found["elements"][0]["commentary"]),
        (&json!(first), &json!(r"one \(new\)"))
    );
    assert_eq!(found["paging"]["total"], 2);
    let path = format!("posts/{}", encoded(&second));
    let (_, seen) = get(&trial, &path, &token).await;
    assert!(seen["createdAt"].is_u64() && seen["author"] == author.as_str());
    assert_eq!(get(&trial, "posts/urn%3Ali%3Ashare%3A1", &token).await.0, 404);
    let (token, me) = member(&trial).await;
    let own = create(&trial, &token, &post(&me, "mine")).await;
    for urn in [own.as_str(), &second, "urn:li:share:1"] {
        assert_eq!(get(&trial, &format!("posts/{}", encoded(urn)), &token).await.0, 403, "{urn}");
    }
}

#[tokio::test]
async fn comments_stand_below_their_post_and_self_serve_apps_write_none() {
    let trial = start().await;
    let (token, author) = organization(&trial).await;
    let urn = create(&trial, &token, &post(&author, "one")).await;
    let path = format!("socialActions/{}/comments", encoded(&urn));
    let body = json!({ "actor": author, "object": urn, "message": { "text": "first (plain)" } });
    let response = rest(&trial, Method::POST, &path, &token).json(&body).send().await.unwrap();
    let id = response.headers()["x-restli-id"].to_str().unwrap().to_owned();
    let (status, made) = read(response).await;
    assert_eq!((status, &made["id"]), (201, &json!(id)), "{made}");
    let mut answer = body.clone();
    answer["parentComment"] = made["$URN"].clone();
    assert_eq!(send(&trial, &path, &token, &answer).await.0, 201);
    let ledger = trial.sandbox.ledger();
    assert_eq!(
        (ledger[1].reply_to.as_ref(), ledger[1].text.as_str()),
        (Some(&urn), "first (plain)")
    );
    assert_eq!(ledger[2].reply_to.as_ref(), Some(&id));
    let (_, listed) = get(&trial, &path, &token).await;
    assert_eq!(listed["paging"]["total"], 2);
    let mut long = body.clone();
    long["message"]["text"] = json!("x".repeat(1_251));
    let long = send(&trial, &path, &token, &long).await;
    assert_eq!(code(&long), (400, "FIELD_LENGTH_TOO_LONG".to_owned()));
    let gone = format!("{path}/{id}?actor={}", encoded(&author));
    let gone = rest(&trial, Method::DELETE, &gone, &token).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert!(trial.sandbox.ledger()[1].deleted_at.is_some());
    let (token, me) = member(&trial).await;
    let body = json!({ "actor": me, "object": urn, "message": { "text": "x" } });
    assert_eq!(send(&trial, &path, &token, &body).await.0, 403);
}

#[tokio::test]
async fn the_151st_call_of_a_member_is_throttled_without_any_header_until_midnight() {
    let trial = start().await;
    let (token, _) = member(&trial).await;
    for _ in 1..150 {
        assert_eq!(trial.get("/linkedin/v2/userinfo", &token).await.0, 200);
    }
    let request = trial.request(Method::GET, "/linkedin/v2/userinfo", &token);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 429);
    let limits = |name: &str| name.contains("rate") || name == "retry-after";
    assert!(!response.headers().keys().any(|name| limits(name.as_str())));
    // The trial begins at 11:06:40 on a day.
    trial.advance(Duration::from_secs((12 * 60 + 53) * 60 + 19));
    assert_eq!(trial.get("/linkedin/v2/userinfo", &token).await.0, 429);
    trial.advance(Duration::from_secs(1));
    assert_eq!(trial.get("/linkedin/v2/userinfo", &token).await.0, 200);
}

#[tokio::test]
async fn faults_are_told_in_linkedins_words() {
    let trial = start().await;
    let (token, author) = member(&trial).await;
    for (fault, wanted) in [
        (json!({ "kind": "throttle" }), (429, "")),
        (json!({ "kind": "refuse" }), (403, "ACCESS_DENIED")),
        (json!({ "kind": "unavailable" }), (503, "INTERNAL_SERVER_ERROR")),
        (json!({ "kind": "refuse", "status": 426 }), (426, "NONEXISTENT_VERSION")),
    ] {
        let mut fault = fault;
        fault["platform"] = json!("linkedin");
        fault["account"] = json!("alice");
        trial.fault(fault).await;
        let answer = send(&trial, "posts", &token, &post(&author, "x")).await;
        assert_eq!(code(&answer), (wanted.0, wanted.1.to_owned()));
    }
    trial.fault(json!({ "kind": "drop_answer", "operation": "publish" })).await;
    let lost = rest(&trial, Method::POST, "posts", &token).json(&post(&author, "x")).send().await;
    assert!(lost.is_err());
    // The repeat tells that it is there.
    assert_eq!(send(&trial, "posts", &token, &post(&author, "x")).await.0, 422);
    assert_eq!(trial.sandbox.ledger().len(), 1);
}

/// The body of each published example of a post, by its name.
fn published_examples() -> Option<serde_json::Map<String, Value>> {
    let path = "../shared/specs/linkedin/linkedin.transcribed-openapi.json";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let described: Value = serde_json::from_slice(&std::fs::read(path).ok()?).unwrap();
    let post = &described["paths"]["/rest/posts"]["post"];
    post["requestBody"]["content"]["application/json"]["examples"].as_object().cloned()
}

#[tokio::test]
async fn the_published_examples_are_accepted() {
    let Some(examples) = published_examples() else {
        eprintln!("skipped: the description of LinkedIn is not beside this repository");
        return;
    };
    let trial = start().await;
    let (token, author) = organization(&trial).await;
    let image = upload(&trial, &token, &author, "image", png()).await;
    let document = upload(&trial, &token, &author, "document", b"%PDF-1.7 pages".to_vec()).await;
    let mut film = mp4();
    film.resize(80_000, 0);
    let asked = json!({ "initializeUploadRequest": { "owner": author, "fileSizeBytes": 80_000 } });
    let (_, begun) = send(&trial, "videos?action=initializeUpload", &token, &asked).await;
    let (video, url) = (&begun["value"]["video"], &begun["value"]["uploadInstructions"][0]);
    let put = trial.client.put(url["uploadUrl"].as_str().unwrap()).body(film).send().await.unwrap();
    let etag = put.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
    let asked = json!({ "finalizeUploadRequest": { "video": video, "uploadToken": "",
        "uploadedPartIds": [etag] } });
    assert_eq!(send(&trial, "videos?action=finalizeUpload", &token, &asked).await.0, 200);
    trial.advance(Duration::from_secs(6));
    assert!(!examples.is_empty());
    for (name, example) in examples {
        let mut body = example["value"].clone();
        body["author"] = json!(author);
        match name.as_str() {
            "image" => body["content"]["media"]["id"] = json!(image),
            "video" => body["content"]["media"]["id"] = video.clone(),
            "document" => body["content"]["media"]["id"] = json!(document),
            "article" => body["content"]["article"]["thumbnail"] = json!(image),
            _ => {}
        }
        create(&trial, &token, &body).await;
    }
}
