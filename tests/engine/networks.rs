//! Every kind of post on every network, planned as people plan and read as readers read.

use std::collections::BTreeMap;

use fanfare::{
    domain::{
        account::Account,
        delivery::Delivery,
        ids::MediaId,
        post::{Attachment, Content, Part},
    },
    engine::{Settings, facade::PlanRequest},
};
use futures_util::future::join_all;
use serde_json::Value;

use crate::world::{World, part, published, settled, text_content, upload};

/// One post, and what readers see of it.
struct Row {
    name: &'static str,
    /// Of each part: its text, its files.
    parts: &'static [(&'static str, &'static [File])],
    /// `{first}` stands for the id of what the account published first.
    options: &'static [(&'static str, &'static str)],
    seen: &'static [Seen],
}

struct Seen {
    text: &'static str,
    /// Of each file: what it is, and its description.
    media: &'static [(&'static str, &'static str)],
    label: &'static str,
    poll: &'static [&'static str],
    marks: &'static [&'static str],
    warning: &'static str,
    known: Known,
}

/// Whether our id of it is the one that the ledger has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    ByItsOwn,
    /// A film of Facebook's is known by the film's id, a repost by what it passes on.
    Otherwise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum File {
    Photo,
    Other,
    Gif,
    Film,
    Paper,
}

impl File {
    const ALL: [File; 5] = [File::Photo, File::Other, File::Gif, File::Film, File::Paper];

    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            File::Photo => picture(image::ImageFormat::Jpeg, 80),
            File::Other => picture(image::ImageFormat::Jpeg, 81),
            File::Gif => picture(image::ImageFormat::Gif, 80),
            File::Film => film(),
            File::Paper => b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n".to_vec(),
        }
    }
}

fn picture(format: image::ImageFormat, width: u32) -> Vec<u8> {
    let pixels = image::RgbImage::from_pixel(width, 64, image::Rgb([200, 80, 20]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::from(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Four seconds, upright, and with the padding that makes it large enough for LinkedIn.
fn film() -> Vec<u8> {
    const PADDING: u32 = 80_000;
    let mut film = include_bytes!("networks/upright.mp4").to_vec();
    film.extend_from_slice(&PADDING.to_be_bytes());
    film.extend_from_slice(b"free");
    film.resize(film.len() + PADDING as usize - 8, 0);
    film
}

const fn seen(text: &'static str) -> Seen {
    let known = Known::ByItsOwn;
    Seen { text, media: &[], label: "", poll: &[], marks: &[], warning: "", known }
}

const ALT: &str = "what it shows";
const IMAGE: (&str, &str) = ("image", ALT);
const UNTOLD: (&str, &str) = ("image", "");
const FILM: (&str, &str) = ("video", "");

const FACEBOOK: &[Row] = &[
    Row {
        name: "text",
        parts: &[("Hello, readers: 1 < 2 & “so on”", &[])],
        options: &[],
        seen: &[seen("Hello, readers: 1 < 2 & “so on”")],
    },
    Row {
        name: "link",
        parts: &[("Read https://example.com/a?b=1", &[])],
        options: &[],
        seen: &[seen("Read https://example.com/a?b=1")],
    },
    Row {
        name: "link of its own",
        parts: &[("Read this", &[])],
        options: &[("link", "https://example.com/b")],
        seen: &[seen("Read this")],
    },
    Row {
        name: "photo",
        parts: &[("A photo", &[File::Photo])],
        options: &[],
        seen: &[Seen { media: &[IMAGE], ..seen("A photo") }],
    },
    Row {
        name: "photos without a word",
        parts: &[("", &[File::Photo, File::Other])],
        options: &[],
        seen: &[Seen { media: &[IMAGE, IMAGE], ..seen("") }],
    },
    Row {
        name: "photo with a comment",
        parts: &[("Two photos", &[File::Other, File::Photo]), ("And a comment", &[])],
        options: &[],
        seen: &[
            Seen { media: &[IMAGE, IMAGE], ..seen("Two photos") },
            Seen { label: "comment", ..seen("And a comment") },
        ],
    },
    Row {
        name: "film",
        parts: &[("A film", &[File::Film]), ("Below the film", &[])],
        options: &[("title", "Waves")],
        seen: &[
            Seen { media: &[FILM], known: Known::Otherwise, ..seen("A film") },
            Seen { label: "comment", ..seen("Below the film") },
        ],
    },
    Row {
        name: "reel",
        parts: &[("A reel", &[File::Film]), ("Below the reel", &[])],
        options: &[("format", "reel"), ("title", "Waves")],
        seen: &[
            Seen { media: &[FILM], label: "reel", known: Known::Otherwise, ..seen("A reel") },
            Seen { label: "comment", ..seen("Below the reel") },
        ],
    },
    Row {
        name: "story of a photo",
        parts: &[("", &[File::Photo])],
        options: &[("format", "story")],
        seen: &[Seen { media: &[IMAGE], label: "story", ..seen("") }],
    },
    Row {
        name: "story of a film",
        parts: &[("", &[File::Film])],
        options: &[("format", "story")],
        seen: &[Seen { media: &[FILM], label: "story", ..seen("") }],
    },
];

const INSTAGRAM: &[Row] = &[
    Row {
        name: "photo",
        parts: &[("A photo #one @somebody", &[File::Photo])],
        options: &[("collaborators", "@ada\nbob"), ("location_id", "110843418940484")],
        seen: &[Seen { media: &[IMAGE], ..seen("A photo #one @somebody") }],
    },
    Row {
        name: "photo with a comment",
        parts: &[("", &[File::Photo]), ("And a comment", &[])],
        options: &[],
        seen: &[
            Seen { media: &[IMAGE], ..seen("") },
            Seen { label: "comment", ..seen("And a comment") },
        ],
    },
    Row {
        name: "film, which is a reel",
        parts: &[("A film", &[File::Film]), ("Below the reel", &[])],
        options: &[("share_to_feed", "false"), ("thumb_offset", "1500")],
        seen: &[
            Seen { media: &[FILM], label: "reel", ..seen("A film") },
            Seen { label: "comment", ..seen("Below the reel") },
        ],
    },
    Row {
        name: "reel",
        parts: &[("A reel", &[File::Film])],
        options: &[("format", "reel")],
        seen: &[Seen { media: &[FILM], label: "reel", ..seen("A reel") }],
    },
    Row {
        name: "story of a photo",
        parts: &[("", &[File::Photo])],
        options: &[("format", "story")],
        seen: &[Seen { media: &[UNTOLD], label: "story", ..seen("") }],
    },
    Row {
        name: "story of a film",
        parts: &[("", &[File::Film])],
        options: &[("format", "story")],
        seen: &[Seen { media: &[FILM], label: "story", ..seen("") }],
    },
    Row {
        name: "carousel",
        parts: &[("Swipe", &[File::Photo, File::Film, File::Other]), ("Below", &[])],
        options: &[("share_to_feed", "true")],
        seen: &[
            Seen { media: &[IMAGE, FILM, IMAGE], label: "carousel", ..seen("Swipe") },
            Seen { label: "comment", ..seen("Below") },
        ],
    },
];

const THREADS: &[Row] = &[
    Row {
        name: "text",
        parts: &[("Hello #one 🤖", &[])],
        options: &[("reply_control", "mentioned_only"), ("topic_tag", "greetings")],
        seen: &[Seen {
            marks: &["topic: greetings", "replies: mentioned_only"],
            ..seen("Hello #one 🤖")
        }],
    },
    Row {
        name: "link",
        parts: &[("Read https://example.com/a", &[])],
        options: &[("link", "https://example.com/b")],
        seen: &[seen("Read https://example.com/a")],
    },
    Row {
        name: "photo",
        parts: &[("A photo", &[File::Photo])],
        options: &[("sensitive", "true")],
        seen: &[Seen { media: &[IMAGE], warning: "Spoiler", ..seen("A photo") }],
    },
    Row {
        name: "film",
        parts: &[("", &[File::Film])],
        options: &[],
        seen: &[Seen { media: &[("video", ALT)], ..seen("") }],
    },
    Row {
        name: "carousel",
        parts: &[("Swipe", &[File::Photo, File::Film, File::Other])],
        options: &[],
        seen: &[Seen { media: &[IMAGE, ("video", ALT), IMAGE], ..seen("Swipe") }],
    },
    Row {
        name: "poll",
        parts: &[("Which?", &[])],
        options: &[("poll", "This\nThat\nNeither")],
        seen: &[Seen { poll: &["This", "That", "Neither"], ..seen("Which?") }],
    },
    Row {
        name: "quote",
        parts: &[("As I said", &[])],
        options: &[("quote", "{first}")],
        seen: &[Seen { marks: &["quotes {first}"], ..seen("As I said") }],
    },
    Row {
        name: "thread",
        parts: &[
            ("One", &[]),
            ("Two", &[File::Photo, File::Other]),
            ("Three", &[File::Film]),
            ("Four", &[]),
        ],
        options: &[],
        seen: &[
            seen("One"),
            Seen { media: &[IMAGE, IMAGE], ..seen("Two") },
            Seen { media: &[("video", ALT)], ..seen("Three") },
            seen("Four"),
        ],
    },
];

/// Both of members and of organizations.
const LINKEDIN: &[Row] = &[
    Row {
        name: "text",
        parts: &[("Hello (you) #one *all* <so> {on} a_b ~ | \\ @", &[])],
        options: &[("visibility", "logged_in")],
        seen: &[Seen {
            marks: &["visible to LOGGED_IN"],
            ..seen("Hello (you) #one *all* <so> {on} a_b ~ | \\ @")
        }],
    },
    Row {
        name: "link with a picture",
        parts: &[("Read", &[File::Photo])],
        options: &[
            ("link", "https://example.com/a"),
            ("link_title", "The title"),
            ("link_description", "More of it"),
        ],
        seen: &[Seen { media: &[("image", "The title")], ..seen("Read") }],
    },
    Row {
        name: "photo",
        parts: &[("A photo", &[File::Photo])],
        options: &[],
        seen: &[Seen { media: &[IMAGE], ..seen("A photo") }],
    },
    Row {
        name: "photos",
        parts: &[("Photos", &[File::Photo, File::Other])],
        options: &[],
        seen: &[Seen { media: &[IMAGE, IMAGE], ..seen("Photos") }],
    },
    Row {
        name: "gif",
        parts: &[("It moves", &[File::Gif])],
        options: &[],
        seen: &[Seen { media: &[IMAGE], ..seen("It moves") }],
    },
    Row {
        name: "film",
        parts: &[("A film", &[File::Film])],
        options: &[("title", "Waves")],
        seen: &[Seen { media: &[("video", "Waves")], ..seen("A film") }],
    },
    Row {
        name: "document",
        parts: &[("Pages", &[File::Paper])],
        options: &[("title", "The paper")],
        seen: &[Seen { media: &[("document", "The paper")], ..seen("Pages") }],
    },
    Row {
        name: "poll",
        parts: &[("Have a say", &[])],
        options: &[("poll", "This\nThat"), ("poll_question", "Which?"), ("poll_minutes", "10080")],
        seen: &[Seen {
            poll: &["This", "That"],
            marks: &["poll for SEVEN_DAYS: Which?"],
            ..seen("Have a say")
        }],
    },
    Row {
        name: "quote",
        parts: &[("As I said", &[])],
        options: &[("quote", "{first}")],
        seen: &[Seen { marks: &["reshares {first}"], ..seen("As I said") }],
    },
];

const LINKEDIN_COMMENT: &[Row] = &[Row {
    name: "photo with a comment",
    parts: &[("Look", &[File::Photo]), ("A comment (plain) #two", &[])],
    options: &[],
    seen: &[
        Seen { media: &[IMAGE], ..seen("Look") },
        Seen { marks: &["comment"], ..seen("A comment (plain) #two") },
    ],
}];

const X: &[Row] = &[
    Row {
        name: "text",
        parts: &[("Hello & <you>", &[])],
        options: &[("reply_settings", "following"), ("paid_partnership", "true")],
        seen: &[Seen {
            marks: &["paid partnership", "replies: following"],
            ..seen("Hello & <you>")
        }],
    },
    Row {
        name: "link",
        parts: &[("Read https://example.com/a", &[])],
        options: &[],
        seen: &[seen("Read https://example.com/a")],
    },
    Row {
        name: "photo",
        parts: &[("A photo", &[File::Photo])],
        options: &[("made_with_ai", "true")],
        seen: &[Seen { media: &[IMAGE], marks: &["made with AI"], ..seen("A photo") }],
    },
    Row {
        name: "photos without a word",
        parts: &[("", &[File::Photo, File::Other])],
        options: &[],
        seen: &[Seen { media: &[IMAGE, IMAGE], ..seen("") }],
    },
    Row {
        name: "gif",
        parts: &[("It moves", &[File::Gif])],
        options: &[],
        seen: &[Seen { media: &[("gif", ALT)], ..seen("It moves") }],
    },
    Row {
        name: "film",
        parts: &[("A film", &[File::Film])],
        options: &[],
        seen: &[Seen { media: &[("video", ALT)], ..seen("A film") }],
    },
    Row {
        name: "poll",
        parts: &[("Which?", &[])],
        options: &[("poll", "This\nThat"), ("poll_minutes", "60")],
        seen: &[Seen { poll: &["This", "That"], ..seen("Which?") }],
    },
    Row {
        name: "quote",
        parts: &[("As I said", &[])],
        options: &[("quote", "{first}")],
        seen: &[Seen { marks: &["quotes {first}"], ..seen("As I said") }],
    },
    Row {
        name: "repost",
        parts: &[("", &[])],
        options: &[("repost", "{first}")],
        seen: &[Seen {
            marks: &["reposts {first}"],
            known: Known::Otherwise,
            ..seen("RT @carol: Hello &amp; &lt;you&gt;")
        }],
    },
    Row {
        name: "thread",
        parts: &[("One", &[File::Photo]), ("Two", &[]), ("Three", &[File::Film])],
        options: &[],
        seen: &[
            Seen { media: &[IMAGE], ..seen("One") },
            seen("Two"),
            Seen { media: &[("video", ALT)], ..seen("Three") },
        ],
    },
    Row {
        name: "community",
        parts: &[("Among us", &[])],
        options: &[("community_id", "1146654567674912769")],
        seen: &[Seen { marks: &["in community 1146654567674912769"], ..seen("Among us") }],
    },
];

/// Self-serve apps may not quote on X.
fn enterprise(settings: &mut Settings) {
    settings.apps.get_mut("x").unwrap().client_id = "an-enterprise-app".to_owned();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_post_is_seen_as_it_was_written_and_once() {
    let world = World::tuned(enterprise).await;
    let mut media = BTreeMap::new();
    for file in File::ALL {
        media.insert(file, upload(&world.engine, &world.caller, &file.bytes()).await);
    }
    let networks: [(&str, &str, &[&[Row]]); 7] = [
        ("facebook", "alice", &[FACEBOOK]),
        ("instagram", "insta", &[INSTAGRAM]),
        ("instagram/facebook", "bob", &[INSTAGRAM]),
        ("threads", "tina", &[THREADS]),
        ("linkedin", "lena", &[LINKEDIN]),
        ("linkedin/organization", "otto", &[LINKEDIN, LINKEDIN_COMMENT]),
        ("x", "carol", &[X]),
    ];
    let runs = networks.map(|(network, handle, tables)| {
        let (world, media) = (&world, &media);
        async move {
            let account = world.connect(network, handle).await;
            let rows: Vec<&Row> = tables.iter().copied().flatten().collect();
            let mut run = Run {
                world,
                media,
                account,
                first: String::new(),
                first_sequence: Value::Null,
                wrong: Vec::new(),
            };
            for row in &rows {
                run.publish(row).await;
            }
            let wanted: usize = rows.iter().map(|row| row.seen.len()).sum();
            let found = run.entries().await.len();
            if wanted != found {
                run.wrong.push(format!("{found} publications instead of {wanted}"));
            }
            run.wrong.into_iter().map(|wrong| format!("{network}: {wrong}")).collect::<Vec<_>>()
        }
    });
    let wrong: Vec<String> = join_all(runs).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.check().await;
}

struct Run<'a> {
    world: &'a World,
    media: &'a BTreeMap<File, MediaId>,
    account: Account,
    first: String,
    first_sequence: Value,
    wrong: Vec<String>,
}

impl Run<'_> {
    async fn publish(&mut self, row: &Row) {
        let before = self.entries().await.len();
        let content = content(row, self.media, &self.first);
        let delivery = self.world.post(content, self.account.id, PlanRequest::Now, 5).await;
        let delivery = self.world.until(delivery.id, settled).await;
        let entries = self.entries().await.split_off(before);
        let mut wrong = self.differences(row, &delivery, &entries);
        for (live, entry) in delivery.live.iter().zip(&entries) {
            let found = sequence_behind(&live.url).await;
            // A comment may be reached by its post alone, a repost by what it passes on.
            let mut wanted = vec![&entry["sequence"], &entries[0]["sequence"]];
            wanted.extend(
                row.options
                    .iter()
                    .any(|(name, _)| *name == "repost")
                    .then_some(&self.first_sequence),
            );
            if !wanted.contains(&&found) {
                wrong.push(format!("{} leads to {found}, and not to {wanted:?}", live.url));
            }
        }
        if !wrong.is_empty() {
            let told = format!("{}: {}\n    {:?}", row.name, wrong.join("\n    "), delivery.state);
            self.wrong.push(told);
        }
        if self.first.is_empty() {
            self.first = delivery.live.first().map_or(String::new(), |live| live.id.clone());
            self.first_sequence = entries[0]["sequence"].clone();
        }
    }

    async fn entries(&self) -> Vec<Value> {
        let mut entries = self.world.planet.told().await;
        entries.retain(|entry| entry["account"] == *self.account.identity.remote_id);
        entries
    }

    fn differences(&self, row: &Row, delivery: &Delivery, entries: &[Value]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut compare = |what: &str, found: Value, wanted: Value| {
            if found != wanted {
                wrong.push(format!("{what} is {found} instead of {wanted}"));
            }
        };
        compare("state", delivery.state.name().into(), "published".into());
        compare("parts", entries.len().into(), row.seen.len().into());
        compare("live", delivery.live.len().into(), row.seen.len().into());
        let mut earlier = Value::Null;
        for ((seen, entry), live) in row.seen.iter().zip(entries).zip(&delivery.live) {
            let media = entry["media"].as_array().unwrap().iter();
            let media: Value = media.map(|it| serde_json::json!([it["kind"], it["alt"]])).collect();
            let marks = seen.marks.iter().map(|mark| mark.replace("{first}", &self.first));
            compare("text", entry["text"].clone(), seen.text.into());
            compare("media", media, serde_json::json!(seen.media));
            compare("label", entry["label"].as_str().unwrap_or_default().into(), seen.label.into());
            compare("poll", entry["poll"].clone(), serde_json::json!(seen.poll));
            compare("marks", entry["marks"].clone(), marks.collect());
            compare("answered", entry["reply_to"].clone(), earlier);
            compare(
                "warning",
                entry["warning"].as_str().unwrap_or_default().into(),
                seen.warning.into(),
            );
            if seen.known == Known::ByItsOwn {
                compare("id", live.id.clone().into(), entry["id"].clone());
            }
            earlier = entry["id"].clone();
        }
        wrong
    }
}

/// Where a reader's browser is led to: the sandbox's page, at one of its publications.
pub(crate) async fn sequence_behind(url: &str) -> Value {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let answer = client.no_proxy().build().unwrap().get(url).send().await.unwrap();
    let place = answer.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
    let number = place.and_then(|place| place.rsplit_once("#post-")?.1.parse::<u64>().ok());
    serde_json::json!(number)
}

fn content(row: &Row, media: &BTreeMap<File, MediaId>, first: &str) -> Content {
    let attach = |file: &File| Attachment { media: media[file], alt: ALT.to_owned() };
    let parts = row.parts.iter().map(|(text, files)| Part {
        text: (*text).to_owned(),
        media: files.iter().map(attach).collect(),
    });
    let options = row.options.iter();
    let options =
        options.map(|(name, value)| ((*name).to_owned(), value.replace("{first}", first)));
    Content { parts: parts.collect(), options: options.collect() }
}

/// While Threads works on a part, the account has nothing else to do.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_comes_between_the_parts_of_a_thread() {
    let world = World::new().await;
    let account = world.connect("threads", "tina").await;
    let film = upload(&world.engine, &world.caller, &File::Film.bytes()).await;
    let parts = vec![part("One", &[]), part("Two", &[film]), part("Three", &[])];
    let content = Content { parts, ..Content::default() };
    let thread = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.told(&thread, "Part 1 is live").await;
    let urgent = world.post(text_content("Urgent"), account.id, PlanRequest::Now, 1).await;
    world.until(urgent.id, published).await;
    assert_eq!(world.planet.texts(&account), ["One", "Two", "Three", "Urgent"]);
    world.until(thread.id, published).await;
    world.check().await;
}
