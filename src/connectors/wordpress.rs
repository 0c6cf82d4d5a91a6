//! WordPress, on whatever server a site lives: look its categories and tags up, upload every file,
//! then create one article.
//!
//! <https://developer.wordpress.org/rest-api/reference/posts/>, `/media/`, `/users/` and
//! <https://make.wordpress.org/core/2020/11/05/application-passwords-integration-guide/>, and the
//! controllers in `wp-includes/rest-api/endpoints` that answer them, as of WordPress 6, read
//! 2026-11-26.
//!
//! Nothing recognises a repetition, but we choose the article's slug, and end it with a key of the
//! delivery's: whoever asks for that slug sees whether the article is there, whatever its state.

mod article;
mod errand;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::article::File;
use crate::{
    connectors::{
        Body, Connector, Draft, FilePart, Finding, Job, JobMedia, Next, Paste, Progress, Repeat,
        Reply, Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            Endpoint, Kind, Limits, Login, Loss, Mixing, OptionRule, OptionValue, Pace, PaceCounts,
            PaceScope, Pasted, Profile, TextLimit, TextUnit, Wanted, Window,
        },
        problem::Problem,
        refusal::{Refusal, RefusalKind},
    },
};

pub use self::errand::Errand;

pub struct WordPress;

/// `Categories? → Tags? → Upload* → Publish`, and then `Kept` if the site does not show it yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Categories,
    Tags {
        categories: Vec<u64>,
    },
    Upload {
        terms: Terms,
        files: Vec<File>,
    },
    Publish {
        terms: Terms,
        files: Vec<File>,
    },
    /// It is there, and a plugin wants to look at it before readers do.
    Kept {
        id: u64,
        link: String,
        polls: u32,
    },
}

/// By their numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    categories: Vec<u64>,
    tags: Vec<u64>,
}

const SERVER: &str = "server";

const CATEGORIES: &str = "categories";
const EXCERPT: &str = "excerpt";
const FEATURED: &str = "featured";
const FORMATTING: &str = "formatting";
const SLUG: &str = "slug";
const TAGS: &str = "tags";
const TITLE: &str = "title";

/// An article is there once its server has answered; this is for a request that is still at work.
const SETTLE: Duration = Duration::from_secs(30);

/// How long a site may take to show an article by itself, before a person is asked.
const KEPT_POLL: Duration = Duration::from_secs(20);
const KEPT_POLLS_MAX: u32 = 3;

/// What one query for terms may ask for.
const TERMS_MAX: u32 = 100;

impl Connector for WordPress {
    const PROFILE: Profile = Profile {
        platform: "wordpress",
        name: "WordPress",
        logins: &[Login::Pasted(Pasted {
            name: "",
            identifier: Wanted::Required("your user name on the site"),
            secret: Wanted::Required("an application password"),
        })],
        // People name it.
        endpoints: &[Endpoint { name: SERVER, default: None }],
        version: None,
        limits: LIMITS,
        kinds: &[Kind::Text, Kind::Link, Kind::Image, Kind::Gif, Kind::Video, Kind::Document],
        formats: &[],
        options: OPTIONS,
        // WordPress has no limits of its own; this is for the small servers that it often runs on.
        paces: &[Pace {
            name: "requests",
            scope: PaceScope::Account,
            counts: PaceCounts::Requests,
            calls_max: 60,
            window: Window::Rolling(Duration::from_secs(60)),
        }],
        access: "Free with an application password, without review, by whoever may publish there.",
        guide: include_str!("../guides/wordpress.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        match job.option(CATEGORIES) {
            "" => Step::after_categories(Vec::new(), job),
            _ => Step::Categories,
        }
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Categories => article::terms(CATEGORIES, job),
            Step::Tags { .. } => article::terms(TAGS, job),
            Step::Upload { files, .. } => upload(file(files.len(), job), job),
            Step::Publish { terms, files } => {
                let url = job.site.url(SERVER, "/wp-json/wp/v2/posts");
                let body = Body::Json(article::article(terms, files, job));
                signed(Request::post(url, body, Repeat::Probed { settle: SETTLE }))
            }
            Step::Kept { id, .. } => {
                let path = format!("/wp-json/wp/v2/posts/{id}?context=edit");
                signed(Request::get(job.site.url(SERVER, &path)))
            }
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        if !reply.is_success() {
            return Err(refusal::of_step(&step, reply));
        }
        match step {
            Step::Categories => {
                let categories = article::numbers(CATEGORIES, job, reply)?;
                Ok(Next::Go(Step::after_categories(categories, job)))
            }
            Step::Tags { categories } => {
                let tags = article::numbers(TAGS, job, reply)?;
                Ok(Next::Go(Step::after_terms(Terms { categories, tags }, job)))
            }
            Step::Upload { terms, mut files } => {
                files.push(File::read(reply)?);
                Ok(Next::Go(Step::after_file(terms, files, job)))
            }
            Step::Publish { .. } => {
                let (id, link, status) = article::read(&reply.body, reply)?;
                Ok(match article::is_shown(&status) {
                    true => Next::Done(vec![article::live(id, link, job)]),
                    false => Next::Wait(KEPT_POLL, Step::Kept { id, link, polls: 0 }),
                })
            }
            Step::Kept { polls, .. } => {
                let (id, link, status) = article::read(&reply.body, reply)?;
                match (article::is_shown(&status), polls + 1 < KEPT_POLLS_MAX) {
                    (true, _) => Ok(Next::Done(vec![article::live(id, link, job)])),
                    (false, true) => {
                        Ok(Next::Wait(KEPT_POLL, Step::Kept { id, link, polls: polls + 1 }))
                    }
                    (false, false) => {
                        let words = article::kept_back(&status);
                        Err(Refusal::new(RefusalKind::Rejected, status, words))
                    }
                }
            }
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { .. } => {
                let slug = article::slug(job);
                // Whatever its state: somebody may have taken it back at once. `any` leaves out the
                // trash, where it has another slug (`wp_add_trashed_suffix_to_post_name_for_post`).
                let path = format!(
                    "/wp-json/wp/v2/posts?slug={slug},{slug}__trashed&context=edit\
                     &status=any,trash"
                );
                Some(signed(Request::get(job.site.url(SERVER, &path))))
            }
            Step::Categories | Step::Tags { .. } | Step::Upload { .. } | Step::Kept { .. } => None,
        }
    }

    fn recognise(_step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        if !reply.is_success() {
            let refusal = refusal::of_reply(reply);
            return Sighting::Unsure(format!("WordPress could not be asked: {}", refusal.words));
        }
        let Some(posts) = reply.body.as_array() else {
            return Sighting::Unsure("WordPress's list of articles could not be read".to_owned());
        };
        match posts.as_slice() {
            [] => Sighting::Absent,
            [post, ..] => match article::read(post, reply) {
                Ok((id, link, status)) if article::is_shown(&status) => {
                    Sighting::Found(Next::Done(vec![article::live(id, link, job)]))
                }
                Ok((_, _, status)) => Sighting::Unsure(article::kept_back(&status)),
                Err(refusal) => Sighting::Unsure(refusal.words),
            },
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Kept { id, link, .. } => vec![article::live(*id, link.clone(), job)],
            Step::Categories | Step::Tags { .. } | Step::Upload { .. } | Step::Publish { .. } => {
                Vec::new()
            }
        }
    }

    fn is_undecided(step: &Step) -> bool {
        matches!(step, Step::Kept { .. })
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        article::check(draft)
    }

    fn paste(pasted: Paste) -> Result<Paste, Problem> {
        errand::paste(pasted)
    }

    fn errand(task: &Task, _site: &Site) -> Option<Errand> {
        errand::begin(task)
    }

    fn errand_request(errand: &Errand, site: &Site) -> Request {
        errand::request(errand, site)
    }

    fn errand_accept(
        errand: Errand,
        _site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Errand>, Refusal> {
        errand::accept(errand, reply)
    }
}

impl Step {
    fn after_categories(categories: Vec<u64>, job: &Job) -> Step {
        match job.option(TAGS) {
            "" => Step::after_terms(Terms { categories, tags: Vec::new() }, job),
            _ => Step::Tags { categories },
        }
    }

    fn after_terms(terms: Terms, job: &Job) -> Step {
        Step::after_file(terms, Vec::new(), job)
    }

    fn after_file(terms: Terms, files: Vec<File>, job: &Job) -> Step {
        match files.len() < job.parts[0].media.len() {
            true => Step::Upload { terms, files },
            false => Step::Publish { terms, files },
        }
    }
}

/// A second copy in the library of the site is shown in no article.
fn upload(media: &JobMedia, job: &Job) -> Request {
    let file = FilePart {
        field: "file".to_owned(),
        media: media.id,
        range: None,
        cipher: None,
        file_name: article::name_of(media),
        content_type: media.mime.clone(),
    };
    let fields = match media.alt.as_str() {
        "" => Vec::new(),
        alt => vec![("alt_text".to_owned(), alt.to_owned())],
    };
    let url = job.site.url(SERVER, "/wp-json/wp/v2/media");
    let body = Body::Multipart { fields, files: vec![file] };
    signed(Request::post(url, body, Repeat::Harmless))
}

fn file(number: usize, job: &Job) -> &JobMedia {
    job.parts[0].media.get(number).expect("an upload step has a file left")
}

/// How an account proves who it is: `Basic` with what [`errand::paste`] made.
fn signed(request: Request) -> Request {
    Request { auth: crate::connectors::Auth::AccessAs("Basic"), ..request }
}

const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: CATEGORIES,
        value: OptionValue::Lines { items_min: 1, items_max: 20, chars_max: 200 },
        loss: Loss::Harmless,
        about: "Categories of the site, one a line, by the end of their address (`local-news`).",
    },
    OptionRule {
        name: EXCERPT,
        value: OptionValue::Text { chars_max: 1_000 },
        loss: Loss::Harmless,
        about: "What lists of articles show of it.",
    },
    OptionRule {
        name: FEATURED,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "`true` makes the first image the article's own picture, and leaves it out of the \
            text.",
    },
    OptionRule {
        name: FORMATTING,
        value: OptionValue::OneOf(&["text", "html"]),
        loss: Loss::Misleads { except: &["text"] },
        about: "`html` takes the text as HTML; otherwise an empty line begins a paragraph.",
    },
    OptionRule {
        name: SLUG,
        value: OptionValue::Text { chars_max: 100 },
        loss: Loss::Harmless,
        about: "How its address begins, in place of the title; a key follows.",
    },
    OptionRule {
        name: TAGS,
        value: OptionValue::Lines { items_min: 1, items_max: 50, chars_max: 200 },
        loss: Loss::Harmless,
        about: "Tags of the site, one a line, by the end of their address.",
    },
    OptionRule {
        name: TITLE,
        value: OptionValue::Text { chars_max: 300 },
        loss: Loss::Harmless,
        about: "Its title, which every article has.",
    },
];

const MIB: u64 = 1024 * 1024;

/// A site takes what its server lets through, which it does not tell: a file beyond that is refused
/// while it is uploaded. The formats are those that WordPress takes from everybody
/// (`wp_get_mime_types`, read 2026-11-26).
const LIMITS: Limits = Limits {
    text: TextLimit { max: 200_000, unit: TextUnit::Chars },
    media_max: Some(30),
    images_max: 30,
    image_bytes_max: 64 * MIB,
    image_formats: &["image/jpeg", "image/png", "image/webp"],
    gif_bytes_max: 64 * MIB,
    videos_max: 5,
    video_bytes_max: 2_000 * MIB,
    video_formats: &["video/mp4", "video/quicktime", "video/webm"],
    documents_max: 10,
    document_bytes_max: 512 * MIB,
    document_formats: &[
        "application/pdf",
        "application/msword",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    alt_chars_max: 1_000,
    mixing: Mixing::Allowed,
    ..Limits::NONE
};

/// The terms that an option names, trimmed.
fn lines<'a>(name: &str, job: &'a Job) -> Vec<&'a str> {
    job.option(name).lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// What the site does not have.
fn unknown(name: &str, missing: &[&str]) -> Refusal {
    let words = format!("the site has no {name} called {}", missing.join(", "));
    Refusal::new(RefusalKind::Rejected, "unknown_term", words)
}
