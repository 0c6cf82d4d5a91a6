//! What our limits just let through is what the platforms still take.

use std::collections::BTreeMap;

use fanfare::{
    domain::{
        ids::MediaId,
        post::{Attachment, Content, Part},
        problem::Code,
    },
    engine::facade::PlanRequest,
};
use futures_util::future::join_all;

use crate::{
    networks::File,
    world::{World, published, upload},
};

fn picture(width: u32, height: u32, salt: u8) -> Vec<u8> {
    let pixels = image::RgbImage::from_pixel(width, height, image::Rgb([salt, 80, 20]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::from(pixels).write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// As short as the networks take it, which is three seconds where they say so.
fn short_film() -> Vec<u8> {
    let mut film = File::Film.bytes();
    let header = film.windows(4).position(|window| window == b"mvhd").unwrap() + 4;
    let scale = u32::from_be_bytes(film[header + 12..header + 16].try_into().unwrap());
    film[header + 16..header + 20].copy_from_slice(&(3 * scale).to_be_bytes());
    // The padding at its end becomes as small as LinkedIn allows.
    let padding = 80_000 - (film.len() - 76_800);
    film.truncate(76_800);
    let at = film.len() - padding;
    film[at..at + 4].copy_from_slice(&u32::try_from(padding).unwrap().to_be_bytes());
    film
}

fn lines(count: usize, chars: usize) -> String {
    let line = |n: usize| format!("{n}{}", "e".repeat(chars - 1));
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

struct Shelf {
    pictures: Vec<MediaId>,
    high: MediaId,
    wide: MediaId,
    panorama: MediaId,
    film: MediaId,
    paper: MediaId,
}

struct Draft {
    parts: Vec<Part>,
    options: BTreeMap<String, String>,
}

type Drafts = fn(&Shelf) -> Vec<Draft>;

fn draft(text: impl Into<String>) -> Draft {
    Draft { parts: vec![Part { text: text.into(), media: Vec::new() }], options: BTreeMap::new() }
}

impl Draft {
    fn with(mut self, media: &[MediaId], alt: usize) -> Draft {
        let attach = |&media| Attachment { media, alt: "é".repeat(alt) };
        self.parts.last_mut().unwrap().media = media.iter().map(attach).collect();
        self
    }

    fn then(mut self, text: impl Into<String>) -> Draft {
        self.parts.push(Part { text: text.into(), media: Vec::new() });
        self
    }

    fn option(mut self, name: &str, value: impl Into<String>) -> Draft {
        self.options.insert(name.to_owned(), value.into());
        self
    }
}

fn facebook(shelf: &Shelf) -> Vec<Draft> {
    vec![
        draft("é".repeat(63_206)),
        draft("Photos").with(&shelf.pictures[..10], 1_000).then("é".repeat(8_000)),
        draft("").with(&[shelf.film], 0).option("format", "reel").option("title", "t".repeat(255)),
        draft("").with(&[shelf.film], 0).option("format", "story"),
    ]
}

fn instagram(shelf: &Shelf) -> Vec<Draft> {
    let tags = (0..30).map(|n| format!("#t{n} ")).collect::<String>();
    let mentions = (0..20).map(|n| format!("@m{n} ")).collect::<String>();
    let marked = format!("{tags}{mentions}");
    let rest = 2_200 - marked.encode_utf16().count();
    let caption = format!("{marked}{}", "🤖".repeat(rest / 2));
    vec![
        draft(caption).with(&shelf.pictures[..1], 1_000).then("é".repeat(2_200)),
        draft("").with(&[shelf.high], 0),
        draft("").with(&[shelf.wide], 0),
        draft("").with(&shelf.pictures[..10], 1_000),
        draft("").with(&[shelf.film], 0).option("thumb_offset", "3000"),
        draft("").with(&[shelf.film], 0).option("format", "story"),
        draft("").with(&[shelf.panorama], 0).option("format", "story"),
    ]
}

fn threads(shelf: &Shelf) -> Vec<Draft> {
    let links = (0..5).map(|n| format!("https://example.com/{n} ")).collect::<String>();
    let mut thread = draft("Part 1");
    for number in 2..=25 {
        thread = thread.then(format!("Part {number}"));
    }
    vec![
        draft(format!("{}{}", "🤖".repeat(100), "é".repeat(100))),
        draft(format!("{links}👨‍👩‍👧‍👦 ❤️ 🇩🇪 👍🏽")),
        draft("Which?").option("poll", lines(4, 25)).option("topic_tag", "t".repeat(50)),
        draft("").with(&shelf.pictures, 1_000),
        draft("").with(&[shelf.panorama], 0),
        draft("").with(&[shelf.film], 1_000),
        thread,
    ]
}

fn linkedin(shelf: &Shelf) -> Vec<Draft> {
    vec![
        draft("é".repeat(3_000)),
        draft("()".repeat(750)),
        draft("").with(&shelf.pictures, 4_086),
        draft("").with(&[shelf.film], 0).option("title", "t".repeat(400)),
        draft("").with(&[shelf.paper], 0).option("title", "t".repeat(400)),
        draft("Say")
            .option("poll", lines(4, 30))
            .option("poll_question", "q".repeat(140))
            .option("poll_minutes", "20160"),
        draft("Read")
            .option("link", "https://example.com/")
            .option("link_title", "t".repeat(400))
            .option("link_description", "d".repeat(4_086)),
    ]
}

fn organization(shelf: &Shelf) -> Vec<Draft> {
    let mut all = linkedin(shelf);
    all.push(draft("With a comment").then("é".repeat(1_250)));
    all
}

fn x(shelf: &Shelf) -> Vec<Draft> {
    let mut thread = draft("Part 1");
    for number in 2..=25 {
        thread = thread.then(format!("Part {number}"));
    }
    let link = format!("https://example.com/{}", "a".repeat(300));
    vec![
        draft("の".repeat(140)),
        draft(format!("{link} {}", "a".repeat(280 - 24))),
        draft("👨‍👩‍👧‍👦".repeat(140)),
        draft("").with(&shelf.pictures[..4], 1_000),
        draft("").with(&[shelf.film], 1_000),
        draft("Which?").option("poll", lines(4, 25)).option("poll_minutes", "10080"),
        thread,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_just_fits_is_taken() {
    let world = World::new().await;
    let keep = async |bytes: Vec<u8>| upload(&world.engine, &world.caller, &bytes).await;
    let mut pictures = Vec::new();
    for salt in 0..20 {
        pictures.push(keep(picture(64, 64, salt * 12)).await);
    }
    let shelf = Shelf {
        pictures,
        high: keep(picture(800, 1_000, 1)).await,
        wide: keep(picture(1_910, 1_000, 1)).await,
        panorama: keep(picture(1_000, 100, 1)).await,
        film: keep(short_film()).await,
        paper: keep(File::Paper.bytes()).await,
    };
    let networks: [(&str, Drafts); 7] = [
        ("facebook", facebook),
        ("instagram", instagram),
        ("instagram/facebook", instagram),
        ("threads", threads),
        ("linkedin", linkedin),
        ("linkedin/organization", organization),
        ("x", x),
    ];
    let all = networks.map(|(network, drafts)| {
        let (world, shelf) = (&world, &shelf);
        async move {
            let account = world.connect(network, "robin").await;
            let mut wrong = Vec::new();
            for (number, Draft { parts, options }) in drafts(shelf).into_iter().enumerate() {
                let content = Content { parts, options };
                let post = fanfare::engine::facade::NewPost {
                    content,
                    variants: BTreeMap::new(),
                    targets: vec![account.id],
                    plan: PlanRequest::Now,
                    priority: 5,
                };
                match world.engine.create_post(&world.caller, post, None).await {
                    Err(problem) => wrong.push(format!("{network} {number}: {problem:?}")),
                    Ok((made, _)) => {
                        let id = made.deliveries[0].id;
                        let delivery = world.until(id, crate::world::settled).await;
                        if !published(&delivery.state) {
                            wrong.push(format!("{network} {number}: {:?}", delivery.state));
                        }
                    }
                }
            }
            wrong
        }
    });
    let wrong = join_all(all).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.check().await;
}

/// What the sandbox would refuse is refused while it is planned.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_little_too_much_is_refused_before_it_is_planned() {
    let world = World::new().await;
    let photo = upload(&world.engine, &world.caller, &File::Photo.bytes()).await;
    let mut film = short_film();
    let padding = film.windows(4).rposition(|window| window == b"free").unwrap() - 4;
    film.pop();
    let length = u32::try_from(film.len() - padding).unwrap();
    film[padding..padding + 4].copy_from_slice(&length.to_be_bytes());
    let small = upload(&world.engine, &world.caller, &film).await;
    let tags = (0..31).map(|n| format!("#t{n} ")).collect::<String>();
    for (network, draft, code) in [
        ("instagram", draft(tags).with(&[photo], 0), Code::TooManyTags),
        ("linkedin", draft("").with(&[small], 0), Code::MediaShape),
    ] {
        let account = world.connect(network, "robin").await;
        let Draft { parts, options } = draft;
        let post = fanfare::engine::facade::NewPost {
            content: Content { parts, options },
            variants: BTreeMap::new(),
            targets: vec![account.id],
            plan: PlanRequest::Now,
            priority: 5,
        };
        let refused = world.engine.create_post(&world.caller, post, None).await.unwrap_err();
        let codes: Vec<Code> = refused.details.iter().map(|detail| detail.code).collect();
        assert!(refused.code == code || codes.contains(&code), "{network}: {refused:?}");
    }
    assert!(world.planet.ledger().is_empty());
}
