//! TikTok, YouTube, Google Business Profile, Pinterest and Snapchat, together with their simulated
//! platforms: every kind of post, what goes wrong with it, and uploads that are cut.

mod claims;
mod quotas;
mod troubles;

use std::collections::BTreeMap;

use fanfare::{
    domain::{
        account::Account,
        delivery::Delivery,
        ids::MediaId,
        post::{Attachment, Content, Part},
    },
    engine::facade::PlanRequest,
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    footage,
    networks::sequence_behind,
    world::{World, upload},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum File {
    Photo,
    Other,
    Film,
}

impl File {
    const ALL: [File; 3] = [File::Photo, File::Other, File::Film];

    fn bytes(self) -> Vec<u8> {
        match self {
            File::Photo => footage::grain(1),
            File::Other => footage::grain(2),
            File::Film => footage::film(1, 8),
        }
    }
}

type Parts = &'static [(&'static str, &'static [File])];
type Options = &'static [(&'static str, &'static str)];

/// One post, and what readers see of it.
struct Row {
    name: &'static str,
    /// Of each part: its text, its files.
    parts: Parts,
    options: Options,
    seen: &'static [Seen],
}

struct Seen {
    text: &'static str,
    /// Of each file: what it is, and its description.
    media: &'static [(&'static str, &'static str)],
    label: &'static str,
    marks: &'static [&'static str],
    /// Snapchat tells no id of a story.
    named: bool,
}

const fn seen(text: &'static str) -> Seen {
    Seen { text, media: &[], label: "", marks: &[], named: true }
}

const ALT: &str = "what it shows";
const IMAGE: (&str, &str) = ("image", ALT);
const UNTOLD: (&str, &str) = ("image", "");
const FILM: (&str, &str) = ("video", "");

const TIKTOK: &[Row] = &[
    Row {
        name: "film",
        parts: &[("A film #one @somebody", &[File::Film])],
        options: &[("privacy", "public"), ("ai_generated", "true"), ("thumb_offset", "1500")],
        seen: &[Seen { media: &[FILM], marks: &["AI-generated"], ..seen("A film #one @somebody") }],
    },
    Row {
        name: "film without a word",
        parts: &[("", &[File::Film])],
        options: &[("privacy", "public"), ("brand_organic", "true")],
        seen: &[Seen { media: &[FILM], marks: &["promotional content"], ..seen("") }],
    },
    Row {
        name: "photo",
        parts: &[("A photo", &[File::Photo])],
        options: &[("privacy", "public")],
        seen: &[Seen { media: &[UNTOLD], ..seen("A photo") }],
    },
    Row {
        name: "photos",
        parts: &[("Two photos", &[File::Photo, File::Other])],
        options: &[("privacy", "public"), ("title", "Waves"), ("auto_add_music", "true")],
        seen: &[Seen { media: &[UNTOLD, UNTOLD], ..seen("Waves\n\nTwo photos") }],
    },
];

const YOUTUBE: &[Row] = &[
    Row {
        name: "film",
        parts: &[("What is in it: https://example.com/a", &[File::Film])],
        options: &[
            ("title", "Waves"),
            ("tags", "sea\nthe coast"),
            ("category", "19"),
            ("made_for_kids", "false"),
        ],
        seen: &[Seen { media: &[FILM], ..seen("Waves\n\nWhat is in it: https://example.com/a") }],
    },
    Row {
        name: "film with a picture and a comment",
        parts: &[("Once more", &[File::Film, File::Photo]), ("Below the film", &[])],
        options: &[("title", "Tides"), ("ai_generated", "true"), ("made_for_kids", "false")],
        seen: &[
            Seen {
                media: &[FILM],
                marks: &["altered or synthetic content"],
                ..seen("Tides\n\nOnce more")
            },
            Seen { label: "comment", ..seen("Below the film") },
        ],
    },
    Row {
        name: "film in a playlist, for whoever has its address",
        parts: &[("", &[File::Film])],
        options: &[
            ("title", "Rocks"),
            ("privacy", "unlisted"),
            ("made_for_kids", "true"),
            ("playlist", "{playlist}"),
            ("notify_subscribers", "false"),
        ],
        seen: &[Seen { media: &[FILM], marks: &["unlisted", "made for kids"], ..seen("Rocks") }],
    },
];

const GOOGLE_BUSINESS: &[Row] = &[
    Row {
        name: "text",
        parts: &[("Fresh bread & more", &[])],
        options: &[("action", "learn_more"), ("action_url", "https://example.com/bread")],
        seen: &[seen("Fresh bread & more")],
    },
    Row {
        name: "photo",
        parts: &[("A photo", &[File::Photo])],
        options: &[("action", "call")],
        seen: &[Seen { media: &[UNTOLD], ..seen("A photo") }],
    },
    Row {
        name: "event",
        parts: &[("Come and taste", &[File::Other])],
        options: &[
            ("format", "event"),
            ("event_title", "Tasting"),
            ("event_start", "2031-12-01T18:00"),
            ("event_end", "2031-12-01T20:00"),
        ],
        seen: &[Seen {
            media: &[UNTOLD],
            marks: &["Tasting: 2031-12-01 18:00:00 – 2031-12-01 20:00:00"],
            ..seen("Come and taste")
        }],
    },
    Row {
        name: "offer",
        parts: &[("Two for one", &[])],
        options: &[
            ("format", "offer"),
            ("event_title", "Winter"),
            ("event_start", "2031-12-01T08:00"),
            ("event_end", "2031-12-31T20:00"),
            ("coupon", "BREAD"),
            ("offer_url", "https://example.com/offer"),
            ("offer_terms", "While it lasts"),
        ],
        seen: &[Seen {
            marks: &["Winter: 2031-12-01 08:00:00 – 2031-12-31 20:00:00", "offer, coupon: BREAD"],
            ..seen("Two for one")
        }],
    },
];

const PINTEREST: &[Row] = &[
    Row {
        name: "photo",
        parts: &[("A photo", &[File::Photo])],
        options: &[
            ("board", "Inspiration"),
            ("title", "Waves"),
            ("link", "https://example.com/a?b=1"),
        ],
        seen: &[Seen { media: &[IMAGE], ..seen("Waves\n\nA photo") }],
    },
    Row {
        name: "carousel in a section",
        parts: &[("Swipe", &[File::Photo, File::Other])],
        options: &[("board", "Inspiration"), ("board_section", "Kitchens")],
        seen: &[Seen { media: &[IMAGE, IMAGE], ..seen("Swipe") }],
    },
    Row {
        name: "film",
        parts: &[("A film", &[File::Film])],
        options: &[("board", "Inspiration"), ("thumb_offset", "2000")],
        seen: &[Seen { media: &[("video", ALT)], ..seen("A film") }],
    },
];

const SNAPCHAT: &[Row] = &[
    Row {
        name: "story of a photo",
        parts: &[("", &[File::Photo])],
        options: &[],
        seen: &[Seen {
            media: &[UNTOLD],
            label: "story",
            marks: &["one day"],
            named: false,
            ..seen("")
        }],
    },
    Row {
        name: "story of a film",
        parts: &[("", &[File::Film])],
        options: &[("format", "story")],
        seen: &[Seen {
            media: &[FILM],
            label: "story",
            marks: &["one day"],
            named: false,
            ..seen("")
        }],
    },
    Row {
        name: "spotlight",
        parts: &[("Look at the waves", &[File::Film])],
        options: &[("format", "spotlight"), ("locale", "de_DE")],
        seen: &[Seen { media: &[FILM], label: "spotlight", ..seen("Look at the waves") }],
    },
];

const WORDPRESS: &[Row] = &[
    Row {
        name: "text",
        parts: &[("Fresh bread & more,\nhere: https://example.com/a?b=1\n\nAnd <here>.", &[])],
        options: &[("title", "Bread"), ("categories", "local-news"), ("tags", "sea\nharbour")],
        seen: &[Seen {
            marks: &["local-news", "#sea", "#harbour"],
            ..seen("Bread\n\nFresh bread & more,\nhere: https://example.com/a?b=1\n\nAnd <here>.")
        }],
    },
    Row {
        name: "files, the first as the article's own picture",
        parts: &[("Look", &[File::Photo, File::Film, File::Other])],
        options: &[("title", "Bread"), ("featured", "true"), ("slug", "what-it-looks-like")],
        seen: &[Seen { media: &[IMAGE, ("video", ALT), IMAGE], ..seen("Bread\n\nLook") }],
    },
    Row {
        name: "HTML",
        parts: &[("<p>One <b>two</b></p>", &[])],
        options: &[("title", "Bold"), ("formatting", "html"), ("excerpt", "Short")],
        seen: &[seen("Bold\n\nOne two")],
    },
];

const NETWORKS: [(&str, &str, &[Row]); 6] = [
    ("tiktok", "tara", TIKTOK),
    ("youtube", "yuri", YOUTUBE),
    ("googlebusiness", "gina", GOOGLE_BUSINESS),
    ("pinterest", "pia", PINTEREST),
    ("snapchat", "sam", SNAPCHAT),
    ("wordpress", "willa", WORDPRESS),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_post_is_seen_as_it_was_written_and_once() {
    let world = World::new().await;
    let media = files(&world).await;
    let runs = NETWORKS.map(|(network, handle, rows)| {
        let (world, media) = (&world, &media);
        async move {
            let account = world.connect(network, handle).await;
            let mut run = Run { world, account, wrong: Vec::new() };
            for row in rows {
                run.publish(row, media).await;
            }
            let wanted: usize = rows.iter().map(|row| row.seen.len()).sum();
            let found = entries(world, &run.account).await.len();
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

async fn files(world: &World) -> BTreeMap<File, MediaId> {
    let mut media = BTreeMap::new();
    for file in File::ALL {
        media.insert(file, upload(&world.engine, &world.caller, &file.bytes()).await);
    }
    media
}

async fn entries(world: &World, account: &Account) -> Vec<Value> {
    let mut entries = world.planet.told().await;
    entries.retain(|entry| entry["account"] == *account.identity.remote_id);
    entries
}

fn content(
    parts: Parts,
    options: Options,
    account: &Account,
    media: &BTreeMap<File, MediaId>,
) -> Content {
    let attach = |file: &File| Attachment { media: media[file], alt: ALT.to_owned() };
    let parts = parts.iter().map(|(text, files)| Part {
        text: (*text).to_owned(),
        media: files.iter().map(attach).collect(),
    });
    // The sandbox gives every channel two playlists, which are named after it.
    let playlist = format!("PL{}A", account.identity.remote_id.get(2..).unwrap_or_default());
    let options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.replace("{playlist}", &playlist)));
    Content { parts: parts.collect(), options: options.collect() }
}

struct Run<'a> {
    world: &'a World,
    account: Account,
    wrong: Vec<String>,
}

impl Run<'_> {
    async fn publish(&mut self, row: &Row, media: &BTreeMap<File, MediaId>) {
        let before = entries(self.world, &self.account).await.len();
        let content = content(row.parts, row.options, &self.account, media);
        let delivery = self.world.post(content, self.account.id, PlanRequest::Now, 5).await;
        self.world.through(&[delivery.id]).await;
        let delivery = self.world.delivery(delivery.id);
        let entries = entries(self.world, &self.account).await.split_off(before);
        let mut wrong = differences(row, &delivery, &entries);
        for ((seen, live), entry) in row.seen.iter().zip(&delivery.live).zip(&entries) {
            let found = sequence_behind(&live.url).await;
            // A story has no address, and a comment is reached by its video.
            let wanted = match (seen.named, seen.label) {
                (false, _) => &Value::Null,
                (true, "comment") => &entries[0]["sequence"],
                (true, _) => &entry["sequence"],
            };
            if found != *wanted {
                wrong.push(format!("{} leads to {found}, and not to {wanted}", live.url));
            }
        }
        if !wrong.is_empty() {
            let (name, story) = (row.name, self.world.story(&delivery));
            self.wrong.push(format!("{name}: {}\n{story}", wrong.join("\n    ")));
        }
    }
}

fn differences(row: &Row, delivery: &Delivery, entries: &[Value]) -> Vec<String> {
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
        let media: Value = media.map(|it| json!([it["kind"], it["alt"]])).collect();
        compare("text", entry["text"].clone(), seen.text.into());
        compare("media", media, json!(seen.media));
        compare("label", entry["label"].as_str().unwrap_or_default().into(), seen.label.into());
        compare("marks", entry["marks"].clone(), json!(seen.marks));
        compare("answered", entry["reply_to"].clone(), earlier);
        if seen.named {
            // WordPress's says behind it what a change of the text has to know.
            let id = live.id.strip_suffix("/html").unwrap_or(&live.id);
            compare("id", id.into(), entry["id"].clone());
        }
        earlier = entry["id"].clone();
    }
    wrong
}
