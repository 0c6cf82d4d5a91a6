//! Requests by hand, of every kind that the pages of a platform show.

use fanfare::{
    connectors::{Body, FilePart, Fill, Method, Repeat, Request, SecretName, Task},
    domain::{delivery::Live, ids::MediaId},
};
use serde_json::{Value, json};

/// One of every kind.
pub(crate) fn tasks() -> Vec<Task> {
    let live = vec![Live { id: "1".to_owned(), url: String::new() }];
    let redirect_uri = "https://fanfare.example/back".to_owned();
    vec![
        Task::Prepare { redirect_uri },
        Task::SignIn { identifier: "alice.test".to_owned() },
        Task::Lengthen,
        Task::Identify,
        Task::Discover,
        Task::Refresh,
        Task::Revoke,
        Task::Remove { live: live.clone() },
        Task::Edit { live, index: 0, text: "new".to_owned() },
    ]
}

/// By platform.
pub(crate) fn right() -> Vec<(&'static str, Vec<Request>)> {
    vec![
        ("facebook", facebook()),
        ("instagram", instagram_of_facebook()),
        ("instagram", instagram()),
        ("linkedin", linkedin()),
        ("threads", threads()),
    ]
}

pub(super) fn get(url: &str) -> Request {
    Request::get(format!("https://{url}"))
}

pub(super) fn delete(url: &str) -> Request {
    Request::delete(format!("https://{url}"))
}

pub(super) fn post(url: &str, body: Body) -> Request {
    Request::post(format!("https://{url}"), body, Repeat::Harmless)
}

pub(super) fn form(url: &str, fields: &[(&str, &str)]) -> Request {
    post(url, Body::Form(owned(fields)))
}

pub(super) fn multipart(url: &str, fields: &[(&str, &str)], field: &'static str) -> Request {
    let file = FilePart {
        field: field.to_owned(),
        media: MediaId(1),
        range: None,
        cipher: None,
        file_name: "file.jpg".to_owned(),
        content_type: "image/jpeg".to_owned(),
    };
    post(url, Body::Multipart { fields: owned(fields), files: vec![file] })
}

pub(super) fn bytes(url: &str, headers: &[(&'static str, &str)]) -> Request {
    let content_type = "application/octet-stream".to_owned();
    let body = Body::File { media: MediaId(1), range: None, content_type };
    with_headers(post(url, body), headers)
}

pub(super) fn with_headers(request: Request, headers: &[(&'static str, &str)]) -> Request {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
    Request { headers: headers.collect(), ..request }
}

fn with_secret(request: Request, place: &str, secret: SecretName) -> Request {
    let mut fills = request.fills.clone();
    fills.push(Fill { place: place.to_owned(), secret });
    Request { fills, ..request }
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// <https://developers.facebook.com/docs/pages-api/posts>,
/// <https://developers.facebook.com/docs/video-api/guides/reels-publishing> and the references of
/// the nodes, read 2026-11-21.
fn facebook() -> Vec<Request> {
    const HOST: &str = "graph.facebook.com/v26.0";
    let at = |path: &str| format!("{HOST}/{path}");
    let exchange = "oauth/access_token?grant_type=fb_exchange_token";
    vec![
        with_secret(get(&at(exchange)), "client_secret", SecretName::ClientSecret),
        with_secret(get(&at("debug_token")), "input_token", SecretName::Access),
        get(&at("me/permissions")),
        get(&at("me?fields=id,name,picture")),
        get(&at("me/accounts?fields=id,name,username,category,tasks,access_token,\
                 picture.type(large),link,fan_count&limit=100&after=abc")),
        get(&at("me/businesses")),
        get(&at("55/owned_pages?fields=id,name,access_token")),
        delete(&at("12/permissions")),
        form(&at("77/feed"), &[("message", "Hi"), ("link", "https://example.com")]),
        form(&at("77/feed"), &[("message", "Hi"), ("attached_media", r#"[{"media_fbid":"1"}]"#)]),
        form(&at("77/feed"), &[("attached_media[0]", r#"{"media_fbid":"1"}"#)]),
        post(
            &at("77/feed"),
            Body::Json(json!({
                "message": "Hi", "attached_media": [{ "media_fbid": "1" }], "published": true,
            })),
        ),
        form(
            &at("77/photos"),
            &[("url", "https://example.com/1.jpg"), ("published", "false"), ("temporary", "true")],
        ),
        multipart(
            &at("77/photos"),
            &[("published", "false"), ("alt_text_custom", "A cat")],
            "source",
        ),
        multipart(
            "graph-video.facebook.com/v26.0/77/videos",
            &[("description", "A film"), ("title", "Film")],
            "source",
        ),
        form(
            "graph-video.facebook.com/v26.0/77/videos",
            &[("upload_phase", "start"), ("file_size", "9000")],
        ),
        multipart(
            "graph-video.facebook.com/v26.0/77/videos",
            &[("upload_phase", "transfer"), ("upload_session_id", "9"), ("start_offset", "0")],
            "video_file_chunk",
        ),
        form(&at("77/videos"), &[("file_url", "https://example.com/1.mp4")]),
        form(&at("77/video_reels"), &[("upload_phase", "start")]),
        bytes(
            "rupload.facebook.com/video-upload/v26.0/99",
            &[("offset", "0"), ("file_size", "20000")],
        ),
        with_headers(
            post("rupload.facebook.com/video-upload/v26.0/99", Body::Empty),
            &[("file_url", "https://example.com/1.mp4")],
        ),
        get(&at("99?fields=status,post_id,permalink_url,published")),
        form(
            &at("77/video_reels"),
            &[
                ("upload_phase", "finish"),
                ("video_id", "99"),
                ("video_state", "PUBLISHED"),
                ("description", "A reel"),
            ],
        ),
        form(&at("77/video_stories"), &[("upload_phase", "finish"), ("video_id", "99")]),
        form(&at("77/photo_stories"), &[("photo_id", "12")]),
        get(&at("77/stories?status=[\"PUBLISHED\"]&since=1795251600")),
        get(&at("77/published_posts?fields=id,message,created_time,permalink_url,\
                 attachments{media_type,target{id},subattachments{target{id}}}&limit=25")),
        get(&at("77/videos?fields=id,created_time,description,title,status")),
        get(&at("77_88/comments?filter=stream&fields=id,message,from,created_time")),
        form(&at("77_88/comments"), &[("message", "And a comment")]),
        get(&at("77_88?fields=id,permalink_url")),
        form(&at("77_88"), &[("message", "Better")]),
        delete(&at("77_88")),
    ]
}

/// With Facebook Login: <https://developers.facebook.com/docs/instagram-platform/content-publishing>,
/// read 2026-11-21.
fn instagram_of_facebook() -> Vec<Request> {
    const HOST: &str = "graph.facebook.com/v26.0";
    let at = |path: &str| format!("{HOST}/{path}");
    vec![
        get(&at("oauth/access_token?grant_type=fb_exchange_token")),
        get(&at("me/accounts?fields=id,name,access_token,instagram_business_account{id,username,\
                 name,profile_picture_url,followers_count}")),
        form(
            &at("17/media"),
            &[
                ("image_url", "https://example.com/1.jpg"),
                ("caption", "A picture"),
                ("alt_text", "A cat"),
                ("user_tags", r#"[{"username":"bob","x":0.5,"y":0.5}]"#),
                ("collaborators", r#"["bob"]"#),
            ],
        ),
        form(
            &at("17/media"),
            &[
                ("media_type", "REELS"),
                ("video_url", "https://example.com/1.mp4"),
                ("share_to_feed", "true"),
                ("thumb_offset", "1500"),
                ("trial_params", r#"{"graduation_strategy":"MANUAL"}"#),
            ],
        ),
        form(&at("17/media"), &[("media_type", "REELS"), ("upload_type", "resumable")]),
        bytes(
            "rupload.facebook.com/ig-api-upload/v26.0/18",
            &[("offset", "0"), ("file_size", "20000")],
        ),
        form(&at("17/media"), &[("media_type", "CAROUSEL"), ("children", "1,2,3")]),
        get(&at("18?fields=status_code,status")),
        form(&at("17/media_publish"), &[("creation_id", "18")]),
        get(&at("19?fields=permalink,shortcode,timestamp,media_type,media_product_type")),
        get(&at("17/media?fields=id,caption,media_type,permalink,timestamp&limit=25")),
        get(&at("17/stories?fields=id,media_type,permalink,timestamp")),
        form(&at("19/comments"), &[("message", "And a comment")]),
        get(&at("19/comments?fields=id,text,username,timestamp")),
        get(&at("17/content_publishing_limit?fields=quota_usage,config")),
        delete(&at("19")),
    ]
}

/// With Instagram Login.
fn instagram() -> Vec<Request> {
    const HOST: &str = "graph.instagram.com";
    let at = |path: &str| format!("{HOST}/v26.0/{path}");
    let exchange = get(&format!("{HOST}/access_token?grant_type=ig_exchange_token"));
    let refresh = get(&format!("{HOST}/refresh_access_token?grant_type=ig_refresh_token"));
    vec![
        with_secret(
            with_secret(exchange, "client_secret", SecretName::ClientSecret),
            "access_token",
            SecretName::Access,
        ),
        with_secret(refresh, "access_token", SecretName::Access),
        get(&at("me?fields=user_id,username,name,profile_picture_url,account_type")),
        form(&at("17/media"), &[("image_url", "https://example.com/1.jpg"), ("caption", "Hi")]),
        form(&at("17/media"), &[("media_type", "STORIES"), ("video_url", "https://e.com/1.mp4")]),
        get(&at("18?fields=status_code,status")),
        form(&at("17/media_publish"), &[("creation_id", "18")]),
        get(&at("17/media?fields=id,caption,media_type,permalink,timestamp&limit=25")),
        get(&at("17/content_publishing_limit?fields=quota_usage,config")),
        form(&at("19/comments"), &[("message", "And a comment")]),
    ]
}

/// <https://developers.facebook.com/docs/threads/posts>, read 2026-11-21.
fn threads() -> Vec<Request> {
    const HOST: &str = "graph.threads.net";
    let at = |path: &str| format!("{HOST}/v1.0/{path}");
    let exchange = get(&format!("{HOST}/access_token?grant_type=th_exchange_token"));
    let refresh = get(&format!("{HOST}/refresh_access_token?grant_type=th_refresh_token"));
    vec![
        with_secret(
            with_secret(exchange, "client_secret", SecretName::ClientSecret),
            "access_token",
            SecretName::Access,
        ),
        with_secret(refresh, "access_token", SecretName::Access),
        get(&at("me?fields=id,username,name,threads_profile_picture_url,is_verified")),
        form(
            &at("12/threads"),
            &[
                ("media_type", "TEXT"),
                ("text", "Hi"),
                ("link_attachment", "https://example.com"),
                ("reply_control", "accounts_you_follow"),
                ("topic_tag", "cats"),
            ],
        ),
        form(
            &at("12/threads"),
            &[
                ("media_type", "TEXT"),
                ("text", "Which?"),
                ("poll_attachment", r#"{"option_a":"one","option_b":"two"}"#),
                ("text_entities", r#"[{"entity_type":"SPOILER","offset":0,"length":2}]"#),
            ],
        ),
        form(
            &at("12/threads"),
            &[
                ("media_type", "IMAGE"),
                ("image_url", "https://example.com/1.jpg"),
                ("alt_text", "A cat"),
                ("is_carousel_item", "true"),
            ],
        ),
        form(&at("12/threads"), &[("media_type", "VIDEO"), ("video_url", "https://e.com/1.mp4")]),
        form(
            &at("me/threads"),
            &[("media_type", "CAROUSEL"), ("children", "1,2"), ("text", "To swipe through")],
        ),
        form(&at("12/threads"), &[("media_type", "TEXT"), ("text", "!"), ("reply_to_id", "5")]),
        form(&at("12/threads"), &[("media_type", "TEXT"), ("quote_post_id", "5"), ("text", "")]),
        get(&at("18?fields=status,error_message")),
        form(&at("12/threads_publish"), &[("creation_id", "18")]),
        post(&at("5/repost"), Body::Empty),
        get(&at("5?fields=id,permalink,shortcode,timestamp,username,media_type,text")),
        get(&at("me/threads?fields=id,text,timestamp,permalink&since=1795251600&limit=25")),
        get(&at("me/replies?fields=id,text,timestamp,permalink,replied_to&limit=25")),
        get(&at("me/threads_publishing_limit?fields=quota_usage,config")),
        delete(&at("5")),
    ]
}

const LINKEDIN: &[(&str, &str)] =
    &[("linkedin-version", "202606"), ("x-restli-protocol-version", "2.0.0")];

pub(super) fn linkedin_post(content: Value) -> Request {
    let mut body = json!({
        "author": "urn:li:organization:1", "commentary": "Hi", "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED", "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED", "isReshareDisabledByAuthor": false,
    });
    if !content.is_null() {
        body["content"] = content;
    }
    with_headers(post("api.linkedin.com/rest/posts", Body::Json(body)), LINKEDIN)
}

/// <https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api> and
/// its neighbours, read 2026-09-16.
fn linkedin() -> Vec<Request> {
    let at = |path: &str| format!("api.linkedin.com/rest/{path}");
    let read = |path: &str| with_headers(get(&at(path)), LINKEDIN);
    let ask = |path: &str, body| with_headers(post(&at(path), Body::Json(body)), LINKEDIN);
    let as_method = |request: Request, method: &str| {
        let mut headers = request.headers.clone();
        headers.push(("x-restli-method", method.to_owned()));
        Request { headers, ..request }
    };
    let initialize = || json!({ "initializeUploadRequest": { "owner": "urn:li:person:a" } });
    let image = json!({ "id": "urn:li:image:1", "altText": "A cat" });
    let upload = bytes("www.linkedin.com/dms-uploads/abc/uploaded-image/0?ca=vector", &[]);
    vec![
        get("api.linkedin.com/v2/userinfo"),
        read("organizationAcls?q=roleAssignee&state=APPROVED&start=0&count=100"),
        with_secret(
            form("www.linkedin.com/oauth/v2/introspectToken", &[]),
            "token",
            SecretName::Access,
        ),
        with_secret(form("www.linkedin.com/oauth/v2/revoke", &[]), "token", SecretName::Access),
        read("organizations/1"),
        linkedin_post(Value::Null),
        linkedin_post(json!({ "media": image })),
        linkedin_post(json!({ "multiImage": { "images": [image, image] } })),
        linkedin_post(json!({ "media": { "id": "urn:li:document:1", "title": "report.pdf" } })),
        linkedin_post(json!({ "article": {
            "source": "https://example.com", "title": "Title", "thumbnail": "urn:li:image:1",
        } })),
        linkedin_post(json!({ "poll": {
            "question": "Which?", "options": [{ "text": "one" }, { "text": "two" }],
            "settings": { "duration": "SEVEN_DAYS" },
        } })),
        ask("images?action=initializeUpload", initialize()),
        ask("documents?action=initializeUpload", initialize()),
        ask(
            "videos?action=initializeUpload",
            json!({ "initializeUploadRequest": {
            "owner": "urn:li:person:a", "fileSizeBytes": 20_000, "uploadCaptions": false,
            "uploadThumbnail": false,
        } }),
        ),
        ask(
            "videos?action=finalizeUpload",
            json!({ "finalizeUploadRequest": {
            "video": "urn:li:video:1", "uploadToken": "", "uploadedPartIds": ["etag"],
        } }),
        ),
        Request { method: Method::Put, ..upload },
        read("images/urn%3Ali%3Aimage%3A1"),
        read("documents/urn%3Ali%3Adocument%3A1"),
        read("videos/urn%3Ali%3Avideo%3A1"),
        read("socialActions/urn%3Ali%3Ashare%3A1/comments?start=0&count=100"),
        as_method(
            read("posts?q=author&author=urn%3Ali%3Aorganization%3A1&count=10&sortBy=LAST_MODIFIED"),
            "FINDER",
        ),
        read("posts/urn%3Ali%3Ashare%3A1"),
        as_method(
            ask(
                "posts/urn%3Ali%3Ashare%3A1",
                json!({ "patch": { "$set": { "commentary": "!" } } }),
            ),
            "PARTIAL_UPDATE",
        ),
        ask(
            "socialActions/urn%3Ali%3Ashare%3A1/comments",
            json!({
                "actor": "urn:li:person:a", "object": "urn:li:share:1", "message": { "text": "Hi" },
            }),
        ),
        with_headers(delete(&at("posts/urn%3Ali%3Ashare%3A1")), LINKEDIN),
    ]
}
