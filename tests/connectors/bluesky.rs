//! Bluesky: a server that keeps records by key, and what only Bluesky does.

use std::{collections::BTreeMap, path::Path, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Fill, Grant, Job, Method, Outcome, Progress, Repeat, Reply,
        Request, SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        ids::DeliveryId,
        media::MediaKind,
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play,
    query_of, reply, run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "bluesky",
    site: &[
        ("entry", "https://entry.example"),
        ("pds", "https://pds.example"),
        ("plc", "https://plc.example"),
        ("app", "https://app.example"),
    ],
    author,
    answer,
    prepares: Prepares::Ahead,
    specialities: Vec::new,
    golden: include_str!("golden/bluesky.json"),
};

const DID: &str = "did:plc:z72i7hdynmk6r22z27h6tvur";
const CID: &str = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a";

fn author() -> Identity {
    Identity { remote_id: DID.to_owned(), handle: "alice.test".to_owned(), ..Identity::default() }
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    let path = path_of(request);
    match (request.method, path.as_str()) {
        (Method::Get, "/xrpc/com.atproto.identity.resolveHandle") => {
            match query_of(request, "handle").unwrap().as_str() {
                "bob.test" => reply(200, json!({ "did": "did:plc:bob" })),
                _ => refuse("InvalidRequest", "Unable to resolve handle"),
            }
        }
        (Method::Post, "/xrpc/com.atproto.repo.uploadBlob") => {
            let Body::File { media, range: None, content_type } = &request.body else {
                panic!("not a whole file: {request:?}");
            };
            reply(
                200,
                json!({ "blob": {
                "$type": "blob", "mimeType": content_type, "size": 20_000,
                "ref": { "$link": format!("bafkrei{:02}", media.0) },
            } }),
            )
        }
        (Method::Post, "/xrpc/com.atproto.repo.createRecord") => create(memory, json_of(request)),
        (Method::Get, "/xrpc/com.atproto.repo.getRecord") => {
            let key = query_of(request, "rkey").unwrap();
            match memory.posts.iter().find(|post| post["rkey"] == key.as_str()) {
                Some(post) => {
                    let mut body = answer_of(post);
                    body["value"] = post["record"].clone();
                    reply(200, body)
                }
                None => refuse("RecordNotFound", "Could not locate record"),
            }
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn create(memory: &mut Memory, asked: &Value) -> Reply {
    assert_eq!(asked["repo"], DID);
    let is_taken = memory.posts.iter().any(|post| post["rkey"] == asked["rkey"]);
    if is_taken {
        return reply(500, json!({ "error": "InternalServerError" }));
    }
    memory.posts.push(asked.clone());
    reply(200, answer_of(asked))
}

fn answer_of(post: &Value) -> Value {
    let key = post["rkey"].as_str().unwrap();
    json!({ "uri": format!("at://{DID}/app.bsky.feed.post/{key}"), "cid": CID })
}

fn refuse(error: &str, message: &str) -> Reply {
    reply(400, json!({ "error": error, "message": message }))
}

fn connector() -> &'static dyn AnyConnector {
    find("bluesky").unwrap()
}

fn plain(text: &str) -> Job {
    job(connector(), &FAKE, vec![part(text, Vec::new())])
}

fn publish_step() -> Value {
    json!({ "Publish": { "known": {}, "blobs": [], "sent": [] } })
}

/// The bodies of what is created, in order.
fn created(job: &Job) -> Vec<Value> {
    let sent = play(connector(), &FAKE, job).sent;
    let creations =
        sent.iter().filter(|request| path_of(request) == "/xrpc/com.atproto.repo.createRecord");
    creations.map(|request| json_of(request).clone()).collect()
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Throttled, Unauthorized, Unavailable};
    let row = |status, error: &str, kind| Row {
        status,
        header: None,
        body: json!({ "error": error, "message": "as the server says" }),
        kind,
    };
    let until = Some(NOW.after(Duration::from_secs(300)));
    let full = |header| Row {
        header: Some(header),
        ..row(429, "RateLimitExceeded", Throttled { until, scope: PaceScope::Account })
    };
    let upload = json!({ "Upload": { "known": {}, "blobs": [] } });
    for step in [&publish_step(), &upload] {
        let rows = vec![
            row(400, "ExpiredToken", Unauthorized),
            row(400, "InvalidToken", Unauthorized),
            row(401, "AuthMissing", Unauthorized),
            row(401, "AuthenticationRequired", Unauthorized),
            row(401, "invalid_token", Unauthorized),
            row(401, "AuthFactorTokenRequired", Rejected),
            row(401, "AccountTakedown", Revoked),
            row(401, "AccountDeactivated", Revoked),
            row(403, "AccountNotFound", Revoked),
            row(403, "ScopeMissingError", Revoked),
            row(403, "insufficient_scope", Revoked),
            full(("ratelimit-reset", "1795251900")),
            full(("retry-after", "300")),
            row(400, "InvalidRequest", Rejected),
            row(400, "InvalidSwap", Duplicate),
            row(400, "BlobNotFound", Media),
            row(400, "InvalidMimeType", Media),
            row(400, "InvalidSize", Media),
            row(413, "PayloadTooLarge", Media),
            row(400, "RecordNotFound", Rejected),
            row(400, "RepoNotFound", Revoked),
            row(400, "HandleNotFound", Rejected),
            row(500, "InternalServerError", Unavailable),
            row(502, "UpstreamFailure", Unavailable),
            row(503, "NotEnoughResources", Unavailable),
            row(504, "UpstreamTimeout", Unavailable),
            row(400, "invalid_grant", Revoked),
        ];
        check_rows(connector(), &with_picture(), step, rows);
    }
}

fn with_picture() -> Job {
    let picture = media(1, MediaKind::Image, "image/png");
    job(connector(), &FAKE, vec![part("one", vec![picture]), part("two", Vec::new())])
}

#[test]
fn a_lost_file_does_not_begin_a_thread_anew() {
    let half = json!({ "Publish": {
        "known": {}, "blobs": [{}], "sent": [{ "uri": "at://a/b/c", "cid": CID }],
    } });
    let refused = connector().accept(&half, &with_picture(), &refuse("BlobNotFound", "")).unwrap();
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Rejected);
}

#[test]
fn a_taken_key_is_told_from_a_post_of_somebody_else() {
    let (job, step) = (plain("ours"), publish_step());
    let mut memory = Memory::default();
    let request = connector().request(&step, &job).unwrap();
    assert_eq!(request.repeat, Repeat::Probed { settle: Duration::from_secs(1) });
    assert_eq!(answer(&mut memory, &request).status, 200);
    assert_eq!(answer(&mut memory, &request).status, 500, "and no second post");
    assert_eq!(memory.posts.len(), 1);

    let probe = connector().probe(&step, &job).unwrap().unwrap();
    memory.posts[0]["record"]["text"] = json!("theirs");
    let seen = connector().recognise(&step, &job, &answer(&mut memory, &probe)).unwrap();
    assert!(matches!(seen, Sighting::Unsure(why) if why.contains("at://")));
}

#[test]
fn mentions_are_looked_up_once_and_unknown_names_stay_text() {
    let job = job(
        connector(),
        &FAKE,
        vec![
            part("🦋 @Bob.test and @nobody.test", Vec::new()),
            part("again @bob.test #tag", Vec::new()),
        ],
    );
    let sent = play(connector(), &FAKE, &job).sent;
    let asked: Vec<_> = sent.iter().filter_map(|request| query_of(request, "handle")).collect();
    assert_eq!(asked, ["bob.test", "nobody.test"]);
    let mention = |start: u32, end: u32| {
        json!({
            "index": { "byteStart": start, "byteEnd": end },
            "features": [{ "$type": "app.bsky.richtext.facet#mention", "did": "did:plc:bob" }],
        })
    };
    let bodies = created(&job);
    assert_eq!(bodies[0]["record"]["facets"], json!([mention(5, 14)]));
    assert_eq!(bodies[1]["record"]["facets"][0], mention(6, 15));
    assert_eq!(bodies[1]["record"]["facets"][1]["features"][0]["tag"], "tag");
}

#[test]
fn a_thread_hangs_together_and_every_part_has_its_own_time_and_key() {
    let parts = ["one", "two", "three"].map(|text| part(text, Vec::new())).to_vec();
    let job = job(connector(), &FAKE, parts);
    let bodies = created(&job);
    let key = |number: usize| bodies[number]["rkey"].as_str().unwrap();
    let uri = |number: usize| format!("at://{DID}/app.bsky.feed.post/{}", key(number));
    assert!(key(0) < key(1) && key(1) < key(2));
    assert_eq!(bodies[0]["record"]["createdAt"], "2026-11-21T08:59:40.000Z");
    assert_eq!(bodies[2]["record"]["createdAt"], "2026-11-21T08:59:40.002Z");
    assert_eq!(bodies[0]["record"].get("reply"), None);
    assert_eq!(
        bodies[2]["record"]["reply"],
        json!({ "root": { "uri": uri(0), "cid": CID }, "parent": { "uri": uri(1), "cid": CID } })
    );
    let live = play(connector(), &FAKE, &job).live;
    assert_eq!(live[1].id, uri(1));
    assert_eq!(live[1].url, format!("https://app.example/profile/{DID}/post/{}", key(1)));
}

#[test]
fn keys_differ_between_deliveries_of_one_minute() {
    let first = plain("one");
    let mut second = first.clone();
    second.delivery = DeliveryId(first.delivery.0 + 1);
    assert_ne!(created(&first)[0]["rkey"], created(&second)[0]["rkey"]);
}

#[test]
fn descriptions_and_shapes_are_always_there() {
    let mut tall = media(2, MediaKind::Image, "image/jpeg");
    tall.size = None;
    let images = vec![media(1, MediaKind::Image, "image/png"), tall];
    let body = &created(&job(connector(), &FAKE, vec![part("", images)]))[0];
    let blob = |mime: &str, name: &str| {
        let link = json!({ "$link": name });
        json!({ "$type": "blob", "mimeType": mime, "size": 20_000, "ref": link })
    };
    assert_eq!(
        body["record"]["embed"],
        json!({ "$type": "app.bsky.embed.images", "images": [
            {
                "image": blob("image/png", "bafkrei01"), "alt": "What picture 1 shows",
                "aspectRatio": { "width": 640, "height": 480 },
            },
            { "image": blob("image/jpeg", "bafkrei02"), "alt": "" },
        ] })
    );
    let film = vec![media(3, MediaKind::Video, "video/mp4")];
    let body = &created(&job(connector(), &FAKE, vec![part("film", film)]))[0];
    assert_eq!(body["record"]["embed"]["$type"], "app.bsky.embed.video");
    assert_eq!(body["record"]["embed"]["alt"], "What picture 3 shows");
}

#[test]
fn languages_are_said_and_what_bluesky_cannot_do_is_refused() {
    let mut job = plain("Hallo");
    job.options.insert("language".to_owned(), "de".to_owned());
    assert_eq!(created(&job)[0]["record"]["langs"], json!(["de"]));
    job.options.insert("langs".to_owned(), "de, en-GB".to_owned());
    assert_eq!(created(&job)[0]["record"]["langs"], json!(["de", "en-GB"]));
    for (name, value, is_fine) in [
        ("langs", "de, en-GB", true),
        ("langs", "de en fr it", false),
        ("langs", "", false),
        ("langs", "German", false),
        ("visibility", "public", true),
        ("visibility", "private", false),
        ("sensitive", "false", true),
        ("sensitive", "true", false),
        ("spoiler", "soup", false),
    ] {
        assert_eq!(takes(connector(), name, value), is_fine, "{name}={value}");
    }
}

fn specs(path: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/specs/atproto").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no description of the AT Protocol at {}", path.display());
    None
}

/// As <https://atproto.com/specs/tid> says, checked on its own vectors below.
fn is_tid(text: &str) -> bool {
    let is_letter = |letter: u8| matches!(letter, b'2'..=b'7' | b'a'..=b'z');
    text.len() == 13
        && text.bytes().all(is_letter)
        && text.starts_with(|first: char| matches!(first, '2'..='7' | 'a'..='j'))
}

#[test]
fn keys_are_timestamps_by_the_published_vectors() {
    let Some(folder) = specs("interop-test-files/syntax") else { return };
    let vectors = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    assert!(vectors("tid_syntax_valid.txt").iter().all(|text| is_tid(text)));
    assert!(!vectors("tid_syntax_invalid.txt").iter().any(|text| is_tid(text)));
    for due in [0, 1, NOW.0, u64::MAX / 4] {
        let mut job = plain("one");
        job.due.0 = due;
        let request = connector().request(&publish_step(), &job).unwrap();
        let body = json_of(&request);
        assert!(is_tid(body["rkey"].as_str().unwrap()), "{body}");
    }
}

#[test]
fn texts_with_links_and_tags_are_records_of_the_lexicon() {
    let mut job = plain("@bob.test see example.com, https://e.com/ä #größe");
    job.options.insert("langs".to_owned(), "de, en".to_owned());
    let body = created(&job).remove(0);
    assert_eq!(body["record"]["facets"].as_array().map(Vec::len), Some(4));
}

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    signing_in_goes_where_the_account_lives,
    signing_in_believes_nobody_alone,
    a_refused_refresh_is_the_end_of_the_session,
    identifying_asks_only_the_account_s_own_server,
    records_are_taken_down_last_first,
];

/// Answers an errand's requests from a list, and returns the requests with the outcome.
fn errand(task: &Task, answers: &[(u16, Value)]) -> (Vec<Request>, Result<Outcome, Refusal>) {
    let mut answers = answers.iter();
    let ran = run_errand(connector(), task, site(&FAKE), |request| {
        assert_eq!(request.repeat, Repeat::Harmless);
        let answer = answers.next();
        let (status, body) = answer.unwrap_or_else(|| panic!("{task:?} wants more answers"));
        reply(*status, body.clone())
    });
    (ran.sent, ran.outcome)
}

fn document(server: &str) -> Value {
    json!({
        "id": DID,
        "alsoKnownAs": ["at://alice.test"],
        "service": [
            { "id": "#other", "serviceEndpoint": "https://other.example" },
            { "id": "#atproto_pds", "serviceEndpoint": server },
        ],
    })
}

fn session() -> Value {
    json!({ "did": DID, "handle": "alice.test", "accessJwt": "access", "refreshJwt": "refresh" })
}

fn sign_in(identifier: &str, answers: &[(u16, Value)]) -> (Vec<Request>, Result<Outcome, Refusal>) {
    errand(&Task::SignIn { identifier: identifier.to_owned() }, answers)
}

fn is_expected(grant: &Grant) -> bool {
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3_600));
    let refresh = grant.refresh.as_ref().map(|secret| secret.expose());
    grant.access.expose() == "access"
        && refresh == Some("refresh")
        && (grant.access_lasts, grant.refresh_lasts) == (hours(2), hours(90 * 24))
}

#[test]
fn signing_in_goes_where_the_account_lives() {
    let found = (200, json!({ "did": DID }));
    let home = (200, document("https://new.example/"));
    let (sent, outcome) = sign_in("@Alice.test", &[found, home.clone(), (200, session())]);
    let urls: Vec<&str> = sent.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://entry.example/xrpc/com.atproto.identity.resolveHandle?handle=alice.test",
            &format!("https://plc.example/{DID}"),
            "https://new.example/xrpc/com.atproto.server.createSession",
        ]
    );
    assert_eq!(*json_of(&sent[2]), json!({ "identifier": DID, "password": "" }));
    let fill = Fill { place: "/password".to_owned(), secret: SecretName::Password };
    assert_eq!(sent[2].fills, [fill]);
    assert!(sent.iter().all(|request| request.auth == Auth::None));
    assert!(matches!(outcome, Ok(Outcome::Granted(grant)) if is_expected(&grant)));

    let (sent, outcome) = sign_in(DID, &[home, (200, session())]);
    assert_eq!(sent.len(), 2);
    assert!(outcome.is_ok());
    let mut elsewhere = document("https://pds.example");
    elsewhere["id"] = json!("did:web:alice.example");
    let mut other = session();
    other["did"] = json!("did:web:alice.example");
    let (sent, outcome) = sign_in("did:web:alice.example", &[(200, elsewhere), (200, other)]);
    assert_eq!(sent[0].url, "https://alice.example/.well-known/did.json");
    assert!(outcome.is_ok());
}

#[test]
fn signing_in_believes_nobody_alone() {
    let found = (200, json!({ "did": DID }));
    let refused = |answers: &[(u16, Value)]| sign_in("alice.test", answers).1.unwrap_err();

    let mut unclaimed = document("https://pds.example");
    unclaimed["alsoKnownAs"] = json!(["at://mallory.test"]);
    assert_eq!(refused(&[found.clone(), (200, unclaimed)]).code, "HandleMismatch");

    let mut other = document("https://pds.example");
    other["id"] = json!("did:plc:other");
    assert_eq!(refused(&[found.clone(), (200, other)]).code, "WrongDocument");

    let homeless = (200, document(""));
    assert_eq!(refused(&[found.clone(), homeless]).code, "NoServer");
    assert_eq!(refused(&[(200, json!({ "did": "did:key:x" }))]).code, "UnsupportedDid");

    let home = (200, document("https://pds.example"));
    let mut stranger = session();
    stranger["did"] = json!("did:plc:other");
    assert_eq!(refused(&[found.clone(), home.clone(), (200, stranger)]).code, "WrongAccount");

    let mut inactive = session();
    inactive["active"] = json!(false);
    inactive["status"] = json!("suspended");
    let refusal = refused(&[found.clone(), home.clone(), (200, inactive)]);
    assert_eq!(
        (refusal.kind, refusal.words.as_str()),
        (RefusalKind::Revoked, "the account is suspended",)
    );
    let wrong = json!({ "error": "AuthenticationRequired", "message": "Invalid password" });
    assert_eq!(refused(&[found, home, (401, wrong)]).kind, RefusalKind::Unauthorized);
}

#[test]
fn a_refused_refresh_is_the_end_of_the_session() {
    let (sent, outcome) = errand(&Task::Refresh, &[(200, session())]);
    assert_eq!((sent[0].auth, &sent[0].body), (Auth::Refresh, &Body::Empty));
    assert!(matches!(outcome, Ok(Outcome::Granted(grant)) if is_expected(&grant)));
    let over = json!({ "error": "ExpiredToken", "message": "Token has expired" });
    let (_, refused) = errand(&Task::Refresh, &[(400, over.clone())]);
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Revoked);
    let (_, refused) = errand(&Task::Refresh, &[(503, Value::Null)]);
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Unavailable);
    let (_, left) = errand(&Task::Revoke, &[(400, over)]);
    assert_eq!(left, Ok(Outcome::Finished));
}

#[test]
fn identifying_asks_only_the_account_s_own_server() {
    let who = (200, json!({ "did": DID, "handle": "alice.test" }));
    let portrait = json!({ "value": {
        "displayName": "Alice", "avatar": { "ref": { "$link": "bafkreia" } },
    } });
    let server = (200, json!({ "did": "did:web:pds.example", "blobUploadLimit": 5_242_880 }));
    let (sent, outcome) = errand(&Task::Identify, &[who.clone(), (200, portrait), server]);
    assert!(sent.iter().all(|request| request.url.starts_with("https://pds.example/xrpc/")));
    match outcome.unwrap() {
        Outcome::Identified(who) => {
            assert_eq!((who.remote_id.as_str(), who.handle.as_str()), (DID, "alice.test"));
            assert_eq!(
                (who.name.as_str(), who.url),
                ("Alice", format!("https://app.example/profile/{DID}"),)
            );
            assert!(who.picture.ends_with("&cid=bafkreia"));
            assert_eq!(who.limits.image_bytes_max, Some(1_000_000));
            assert_eq!(who.limits.video_bytes_max, Some(5_242_880));
        }
        other => panic!("{other:?}"),
    }
    let missing = json!({ "error": "RecordNotFound" });
    let (_, outcome) = errand(&Task::Identify, &[who, (400, missing), (200, json!({}))]);
    assert!(matches!(outcome, Ok(Outcome::Identified(who)) if who.name == "alice.test"));
}

#[test]
fn bluesky_s_own_servers_take_larger_images() {
    let task = json!({ "Server": {
        "did": DID, "handle": "alice.test", "name": "", "picture": "",
    } });
    for (server, image, video) in [
        ("https://morel.us-east.host.bsky.network", 2_000_000, 52_428_800),
        ("https://notbsky.network.example", 1_000_000, 5_242_880),
    ] {
        let endpoints = BTreeMap::from([("pds".to_owned(), server.to_owned())]);
        let answer = reply(200, json!({ "did": "did:web:x" }));
        match connector()
            .errand_accept(&task, &Site { endpoints, ..Site::default() }, &answer)
            .unwrap()
            .unwrap()
        {
            Progress::Done(Outcome::Identified(who)) => {
                assert_eq!(who.limits.image_bytes_max, Some(image), "{server}");
                assert_eq!(who.limits.video_bytes_max, Some(video), "{server}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn records_are_taken_down_last_first() {
    let live =
        |key: &str| Live { id: format!("at://{DID}/app.bsky.feed.post/{key}"), url: "".into() };
    let task = Task::Remove { live: vec![live("first"), live("second")] };
    let (sent, outcome) = errand(&task, &[(200, json!({})), (200, json!({}))]);
    assert_eq!(outcome, Ok(Outcome::Finished));
    let place = |key: &str| json!({ "repo": DID, "collection": "app.bsky.feed.post", "rkey": key });
    assert_eq!(*json_of(&sent[0]), place("second"));
    assert_eq!(*json_of(&sent[1]), place("first"));
    assert_eq!(
        connector().errand(&Task::Prepare { redirect_uri: "".into() }, &Site::default()),
        None
    );
}
