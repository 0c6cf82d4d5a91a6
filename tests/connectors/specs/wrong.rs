//! Requests that each of the validators has to refuse.

use fanfare::connectors::{Body, Request};
use serde_json::{Value, json};

use super::samples::{bytes, delete, form, get, linkedin_post, multipart, post, with_headers};

/// Each with words of the complaint that it has to meet.
pub(crate) fn requests() -> Vec<(&'static str, Request, &'static str)> {
    let mut wrong = Vec::new();
    wrong.extend(wrong_by_openapi());
    wrong.extend(wrong_by_lexicon());
    wrong.extend(wrong_by_graph());
    wrong.extend(wrong_by_collection());
    wrong.extend(wrong_by_discovery());
    wrong.extend(wrong_by_bot_api());
    wrong.extend(wrong_by_slack_methods());
    wrong.extend(wrong_by_discord());
    wrong
}

const UNKNOWN: &str = "is not in the description";

fn wrong_by_openapi() -> Vec<(&'static str, Request, &'static str)> {
    let tweet = |body: Value| post("api.x.com/2/tweets", Body::Json(body));
    let status = |body: Value| post("social.example/api/v1/statuses", Body::Json(body));
    let film = |information: Value| {
        let source = json!({
            "source": "FILE_UPLOAD", "video_size": 1, "chunk_size": 1, "total_chunk_count": 1,
        });
        let body = json!({ "post_info": information, "source_info": source });
        post("open.tiktokapis.com/v2/post/publish/video/init/", Body::Json(body))
    };
    let append = "api.x.com/2/media/upload/7/append";
    let pin = |board: &str, source: Value| {
        let body = json!({ "board_id": board, "media_source": source });
        post("api.pinterest.com/v5/pins", Body::Json(body))
    };
    let message = |to: &str, kind: &str, body: Value| {
        let mut message =
            json!({ "messaging_product": "whatsapp", "recipient_type": "individual" });
        message["to"] = json!(to);
        message["type"] = json!(kind);
        message[kind] = body;
        post("graph.facebook.com/v26.0/1/messages", Body::Json(message))
    };
    let mut unversioned = linkedin_post(Value::Null);
    unversioned.headers.remove(0);
    let mut dated = linkedin_post(Value::Null);
    dated.headers[0].1 = "2026-06".to_owned();
    vec![
        ("x", tweet(json!({ "txt": "Hi" })), "the body does not know `txt`"),
        ("x", tweet(json!({ "text": 7 })), "the body.text is not string"),
        ("x", tweet(json!({ "text": "Hi", "reply": {} })), "the body.reply lacks"),
        ("x", tweet(json!({ "reply_settings": "everyone" })), "which is none of"),
        ("x", tweet(json!({ "media": { "media_ids": [] } })), "has 0 items"),
        ("x", tweet(json!({ "media": { "media_ids": ["a"] } })), "which is not like"),
        ("x", form("api.x.com/2/tweets", &[("text", "Hi")]), "no body of application/x-www"),
        ("x", post("api.x.com/2/tweets", Body::Empty), "a body is missing"),
        ("x", get("api.x.com/2/tweets/a"), "the parameter id is `a`"),
        ("x", get("api.x.com/2/media/upload"), "the parameter media_id is missing"),
        ("x", get("api.x.com/2/users/1/tweets?max_results=1"), "max_results is 1"),
        ("x", get("api.x.com/2/users/1/tweets?exclude=all"), "exclude[0] is \"all\""),
        ("x", get("api.x.com/2/users/1/tweets?count=5"), "there is no parameter `count`"),
        ("x", multipart(append, &[("segment_index", "one")], "media"), "is not integer"),
        ("x", multipart(append, &[("segment_index", "1")], "file"), "lacks \"media\""),
        ("x", delete("api.x.com/2/tweets"), UNKNOWN),
        ("x", get("api.x.com/2/tweet"), UNKNOWN),
        ("x", get("api.twitter.com/2/tweets/1"), UNKNOWN),
        ("mastodon", status(json!({ "status": "Hi", "spoiler": "x" })), "know `spoiler`"),
        ("mastodon", status(json!({ "visibility": "public" })), "the body lacks"),
        ("mastodon", status(json!({ "status": "Hi", "sensitive": "yes" })), "is not boolean"),
        ("mastodon", multipart("social.example/api/v2/media", &[], "files"), "lacks \"file\""),
        ("mastodon", form("social.example/api/v1/apps", &[("scopes", "read")]), "the body lacks"),
        ("mastodon", post("social.example/api/v1/status", Body::Empty), UNKNOWN),
        ("pinterest", pin("12", json!({ "source_type": "image_base64" })), "media_source lacks"),
        ("pinterest", pin("Cats", json!({ "source_type": "pin_url" })), "which is not like"),
        ("pinterest", pin("12", json!({ "source_type": "text" })), "which is none of"),
        ("pinterest", get("api.pinterest.com/v5/boards?page_size=251"), "is out of range"),
        ("pinterest", get("api.pinterest.com/v5/board"), UNKNOWN),
        ("pinterest", get("api.pinterest.com/boards"), UNKNOWN),
        ("whatsapp", message("+1", "text", json!({ "txt": "Hi" })), "does not know `txt`"),
        ("whatsapp", message("+1", "text", json!("Hi")), "the body.text is not object"),
        ("whatsapp", message("+1", "template", json!({ "name": "a" })), "the body.template lacks"),
        ("linkedin", unversioned, "the parameter LinkedIn-Version is missing"),
        ("linkedin", dated, "the parameter LinkedIn-Version is `2026-06`"),
        ("linkedin", linkedin_post(json!({ "media": { "id": "1" } })), "which is not like"),
        ("linkedin", linkedin_post(json!({})), "the body.content has 0 fields"),
        ("linkedin", linkedin_post(json!({ "article": {} })), "the body.content.article lacks"),
        ("linkedin", linkedin_post(json!({ "document": {} })), "does not know `document`"),
        ("tiktok", film(json!({ "title": "Hi" })), "the body.post_info lacks"),
        ("tiktok", film(json!({ "privacy_level": "PUBLIC" })), "which is none of"),
        (
            "tiktok",
            film(json!({ "privacy_level": "SELF_ONLY", "is_ai": true })),
            "does not know `is_ai`",
        ),
        ("tiktok", post("open.tiktokapis.com/v2/video/list/", Body::Empty), "fields is missing"),
        ("tiktok", get("open.tiktokapis.com/v2/post/publish/status/fetch/"), UNKNOWN),
    ]
}

fn wrong_by_lexicon() -> Vec<(&'static str, Request, &'static str)> {
    let call = |call: &str| format!("pds.example/xrpc/com.atproto.{call}");
    let create = |record: Value| {
        let body = json!({
            "repo": "did:plc:a", "collection": "app.bsky.feed.post", "rkey": "a", "record": record,
        });
        post(&call("repo.createRecord"), Body::Json(body))
    };
    let post_of = |name: &str, value: Value| {
        let mut record = json!({
            "$type": "app.bsky.feed.post", "text": "Hi", "createdAt": "2026-11-21T09:00:00.000Z",
        });
        record[name] = value;
        create(record)
    };
    let images = |image: Value| {
        let image = json!({ "image": image, "alt": "" });
        post_of("embed", json!({ "$type": "app.bsky.embed.images", "images": [image] }))
    };
    let blob = |mime: &str, size: u32| {
        let link = json!({ "$link": "bafkrei" });
        json!({ "$type": "blob", "mimeType": mime, "size": size, "ref": link })
    };
    let session = json!({ "identifier": "alice.test" });
    vec![
        ("bluesky", post_of("txt", json!("Hi")), "the record does not know `txt`"),
        ("bluesky", post_of("text", json!(7)), "the record.text is 7, not string"),
        ("bluesky", post_of("text", json!("x".repeat(301))), "the record.text is too long"),
        ("bluesky", post_of("createdAt", json!("today")), "which is no \"datetime\""),
        ("bluesky", post_of("langs", json!(["a", "b", "c", "d"])), "has too many"),
        ("bluesky", post_of("embed", json!({ "$type": "app.bsky.embed.film" })), "cannot be"),
        ("bluesky", post_of("reply", json!({ "root": {} })), "lacks \"parent\""),
        ("bluesky", post_of("$type", json!("app.bsky.feed.like")), "not a app.bsky.feed.post"),
        ("bluesky", images(blob("video/mp4", 9)), "cannot be video/mp4"),
        ("bluesky", images(blob("image/png", 9_000_000)), "is too large"),
        ("bluesky", create(json!({ "$type": "app.bsky.feed.post" })), "the record lacks"),
        ("bluesky", post(&call("server.createSession"), Body::Json(session)), "lacks"),
        ("bluesky", post(&call("repo.createRecord"), Body::Empty), "the body is not"),
        ("bluesky", get(&call("repo.getRecord?repo=did:plc:a")), "the query lacks"),
        ("bluesky", get(&call("identity.resolveHandle?handle=a.b&name=a")), "does not know `name`"),
        ("bluesky", get(&call("repo.createRecord")), UNKNOWN),
        ("bluesky", get(&call("repo.findRecord")), UNKNOWN),
    ]
}

fn wrong_by_graph() -> Vec<(&'static str, Request, &'static str)> {
    let page = |edge: &str, fields: &[(&str, &str)]| {
        form(&format!("graph.facebook.com/v26.0/77/{edge}"), fields)
    };
    let at = |path: &str| format!("graph.facebook.com/v26.0/{path}");
    let uploads = "rupload.facebook.com/video-upload/v26.0/99";
    let media = |fields: &[(&str, &str)]| form("graph.instagram.com/v26.0/17/media", fields);
    let truth = Body::Json(json!({ "message": true }));
    vec![
        ("facebook", page("feed", &[("mesage", "Hi")]), "there is no parameter `mesage`"),
        ("facebook", page("feed", &[("published", "yes")]), "published is \"yes\", not bool"),
        ("facebook", page("feed", &[("attached_media", "1,2")]), "not list<Object>"),
        ("facebook", post(&at("77/feed"), truth), "message is true, not string"),
        ("facebook", page("feed", &[("scheduled_publish_time", "soon")]), "not datetime"),
        ("facebook", page("video_reels", &[("video_id", "9")]), "upload_phase is missing"),
        (
            "facebook",
            page("video_reels", &[("upload_phase", "begin")]),
            "upload_phase is \"begin\"",
        ),
        ("facebook", page("video_reel", &[("upload_phase", "start")]), UNKNOWN),
        ("facebook", delete(&at("77/feed")), UNKNOWN),
        ("facebook", multipart(&at("77/photos"), &[], "picture"), "no parameter `picture`"),
        ("facebook", get(&at("77/feed?limit=many")), "limit is \"many\""),
        ("facebook", get(&at("99?fields=status,permalink")), "there is no field `permalink`"),
        ("facebook", get(&at("me/accounts?fields=id,name{first}")), "has nothing inside"),
        (
            "facebook",
            get(&at("me/accounts?fields=instagram_business_account{handle}")),
            "there is no field `handle`",
        ),
        ("facebook", bytes(uploads, &[("offset", "0")]), "no example has the headers offset"),
        ("facebook", post(uploads, Body::Empty), "no example has the headers"),
        ("facebook", post("graph.example/77/feed", Body::Empty), UNKNOWN),
        ("instagram", media(&[("image", "https://e.com/1.jpg")]), "there is no parameter `image`"),
        ("instagram", media(&[("is_carousel_item", "1")]), "is_carousel_item is \"1\""),
        ("instagram", media(&[("trial_params", "MANUAL")]), "trial_params is \"MANUAL\""),
        ("instagram", form("graph.instagram.com/17/media_publish", &[]), "creation_id is missing"),
        ("instagram", get("graph.instagram.com/refresh_access_token"), "grant_type is missing"),
        ("instagram", get("graph.instagram.com/17/media?fields=text"), "no field `text`"),
    ]
}

fn wrong_by_collection() -> Vec<(&'static str, Request, &'static str)> {
    let create = |fields: &[(&str, &str)]| form("graph.threads.net/v1.0/12/threads", fields);
    let text = |name: &str, value: &str| create(&[("media_type", "TEXT"), (name, value)]);
    let publish = "graph.threads.net/v1.0/12/threads_publish";
    let with_odd_header = with_headers(form(publish, &[("creation_id", "1")]), &[("x-odd", "1")]);
    let reading = "graph.threads.net/v1.0/5?fields=id,link";
    let exchange = "graph.threads.net/access_token?grant_type=th_exchange_token";
    vec![
        ("threads", text("txt", "Hi"), "there is no parameter `txt`"),
        ("threads", create(&[("text", "Hi")]), "the parameter media_type is missing"),
        ("threads", create(&[("media_type", "GIF")]), "media_type is `GIF`"),
        ("threads", text("reply_control", "nobody"), "reply_control is `nobody`"),
        ("threads", text("auto_publish_text", "yes"), "neither true nor false"),
        ("threads", text("poll_attachment", "one, two"), "poll_attachment is no JSON"),
        ("threads", text("poll_attachment", "[]"), "poll_attachment is not like"),
        ("threads", text("poll_attachment", r#"{"option_1":"a"}"#), "does not know `option_1`"),
        ("threads", text("text_entities", r#"[{"type":"SPOILER"}]"#), "does not know `type`"),
        ("threads", form(publish, &[]), "the parameter creation_id is missing"),
        ("threads", with_odd_header, "no example has the headers x-odd"),
        ("threads", get(reading), "no field `link`"),
        ("threads", get(exchange), "the parameter client_secret is missing"),
        ("threads", get(publish), UNKNOWN),
        ("threads", form("graph.threads.net/v1.0/12/thread", &[]), UNKNOWN),
        ("threads", get("graph.threads.com/v1.0/me"), UNKNOWN),
    ]
}

fn wrong_by_discovery() -> Vec<(&'static str, Request, &'static str)> {
    let videos = "www.googleapis.com/youtube/v3/videos";
    let comment = |body: Value| {
        post("www.googleapis.com/youtube/v3/commentThreads?part=snippet", Body::Json(body))
    };
    let open = "www.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&part=snippet";
    let snippet = |snippet: Value| post(open, Body::Json(json!({ "snippet": snippet })));
    let picture = "www.googleapis.com/upload/youtube/v3/thumbnails/set?videoId=1&uploadType=media";
    let location = "mybusiness.googleapis.com/v4/accounts/1/locations/2";
    let local = |body: Value| post(&format!("{location}/localPosts"), Body::Json(body));
    let listed = format!("{location}/localPosts?pageSize=many");
    vec![
        ("youtube", get(videos), "the parameter part is missing"),
        ("youtube", get(&format!("{videos}?part=status&ids=1")), "there is no parameter `ids`"),
        ("youtube", get(&format!("{videos}?part=status&maxResults=51")), "is out of range"),
        ("youtube", delete(&format!("{videos}?id=1&id=2")), "the parameter id is there twice"),
        ("youtube", snippet(json!({ "titel": "Hi" })), "the body.snippet does not know `titel`"),
        ("youtube", snippet(json!({ "tags": "a,b" })), "the body.snippet.tags is not array"),
        ("youtube", post(open, Body::Empty), "a body is missing"),
        ("youtube", comment(json!({ "snippet": { "text": "Hi" } })), "does not know `text`"),
        ("youtube", bytes(picture, &[("x-odd", "1")]), "there is no header `x-odd`"),
        ("youtube", form(picture, &[("a", "b")]), "no form is described"),
        ("youtube", get("www.googleapis.com/youtube/v3/films?part=status"), UNKNOWN),
        ("youtube", get("youtube.example/youtube/v3/videos?part=status"), UNKNOWN),
        ("googlebusiness", local(json!({ "text": "Hi" })), "the body does not know `text`"),
        ("googlebusiness", local(json!({ "topicType": "NEWS" })), "which is none of"),
        (
            "googlebusiness",
            local(json!({ "event": { "schedule": { "startDate": { "year": "2026" } } } })),
            "startDate.year is not integer",
        ),
        ("googlebusiness", get(&listed), "is not integer"),
        ("googlebusiness", get(&format!("{location}/localPost")), UNKNOWN),
        ("googlebusiness", get("mybusinessverifications.googleapis.com/v1/locations/1"), UNKNOWN),
    ]
}

fn wrong_by_bot_api() -> Vec<(&'static str, Request, &'static str)> {
    let at = |method: &str| format!("api.telegram.org/bot123/{method}");
    let message = |body: Value| post(&at("sendMessage"), Body::Json(body));
    let with = |name: &str, value: Value| {
        let mut body = json!({ "chat_id": "@news_desk", "text": "Hi" });
        body[name] = value;
        message(body)
    };
    let keyboard = |button: Value| with("reply_markup", json!({ "inline_keyboard": [[button]] }));
    let album = |media: &str| {
        multipart(&at("sendMediaGroup"), &[("chat_id", "-100"), ("media", media)], "file0")
    };
    let chat = [("chat_id", "-100")];
    vec![
        ("telegram", message(json!({ "chat_id": "@a" })), "sendMessage lacks `text`"),
        ("telegram", with("txt", json!("Hi")), "does not know `txt`"),
        ("telegram", with("text", json!(7)), "sendMessage.text is no String: 7"),
        ("telegram", with("disable_notification", json!("yes")), "is no Boolean"),
        ("telegram", with("reply_parameters", json!({})), "lacks `message_id`"),
        ("telegram", with("link_preview_options", json!({ "off": true })), "does not know `off`"),
        ("telegram", keyboard(json!({ "url": "https://e.com" })), "lacks `text`"),
        ("telegram", multipart(&at("sendPhoto"), &chat, "picture"), "lacks `photo`"),
        ("telegram", form(&at("sendPhoto"), &[("chat_id", "-100")]), "lacks `photo`"),
        ("telegram", album(r#"[{"type":"photo","media":"attach://0"}]"#), "names the file file0"),
        (
            "telegram",
            album(r#"[{"type":"photo","media":"attach://file0","alt":""}]"#),
            "know `alt`",
        ),
        ("telegram", album(r#"{"media":"attach://file0"}"#), "media is no list"),
        ("telegram", post(&at("sendStory"), Body::Empty), UNKNOWN),
        ("telegram", post("api.telegram.org/sendMessage", Body::Empty), UNKNOWN),
    ]
}

fn wrong_by_slack_methods() -> Vec<(&'static str, Request, &'static str)> {
    let at = |method: &str| format!("slack.com/api/{method}");
    let message = |name: &str, value: Value| {
        let mut body = json!({ "channel": "C1", "text": "Hi" });
        body[name] = value;
        post(&at("chat.postMessage"), Body::Json(body))
    };
    let upload = |fields: &[(&str, &str)]| form(&at("files.getUploadURLExternal"), fields);
    let history = |query: &str| get(&at(&format!("conversations.history?channel=C1&{query}")));
    let edit = json!({ "channel": "C1", "ts": 1_503_435_956.000_247, "text": "Hi" });
    vec![
        ("slack", message("txt", json!("Hi")), "does not know `txt`"),
        ("slack", message("channel", json!("#news")), "which is no \"channel\""),
        ("slack", message("unfurl_links", json!("yes")), "which is no \"boolean\""),
        ("slack", message("thread_ts", json!(1.5)), "which is no \"string\""),
        ("slack", message("metadata", json!(true)), "which is no \"string\""),
        ("slack", post(&at("chat.postMessage"), Body::Json(json!({}))), "lacks `channel`"),
        ("slack", post(&at("chat.update"), Body::Json(edit)), "which is no \"timestamp\""),
        ("slack", upload(&[("filename", "a.png")]), "lacks `length`"),
        ("slack", upload(&[("filename", "a.png"), ("length", "many")]), "no \"integer\""),
        ("slack", history("oldest=1503435956"), "which is no \"timestamp\""),
        ("slack", history("before=1"), "does not know `before`"),
        ("slack", multipart(&at("files.info"), &[], "file"), "neither an object nor a form"),
        ("slack", post(&at("chat.post"), Body::Empty), UNKNOWN),
        ("slack", post("slack.example/api/chat.postMessage", Body::Empty), UNKNOWN),
    ]
}

/// A form with everything in one field, and a server that is a part of its host.
fn wrong_by_discord() -> Vec<(&'static str, Request, &'static str)> {
    let at = |path: &str| format!("discord.com/api/v10/{path}");
    let message = |body: Value| post(&at("channels/1/messages"), Body::Json(body));
    let files =
        |json: &str| multipart(&at("channels/1/messages"), &[("payload_json", json)], "files[0]");
    let row =
        |button: Value| message(json!({ "components": [{ "type": 1, "components": [button] }] }));
    vec![
        ("discord", message(json!({ "text": "Hi" })), "the body does not know `text`"),
        ("discord", message(json!({ "nonce": true })), "the body.nonce is not"),
        ("discord", message(json!({ "poll": { "answers": [] } })), "the body.poll"),
        ("discord", row(json!({ "style": 5 })), "lacks"),
        ("discord", files(r#"{"text":"Hi"}"#), "the body does not know `text`"),
        ("discord", files(r#"{"attachments":[{"filename":"a"}]}"#), "lacks \"id\""),
        ("discord", multipart(&at("channels/1/messages"), &[], "file"), "does not know `file`"),
        ("discord", get(&at("channels/x1/messages")), "which is not like"),
        ("discord", get("discord.com/channels/1/messages"), UNKNOWN),
        ("discord", get("discord.example/api/v10/channels/1/messages"), UNKNOWN),
    ]
}
