//! What an article is made of: its address, its text as HTML, its files below.
//!
//! <https://developer.wordpress.org/rest-api/reference/posts/#create-a-post> and
//! `/categories/#list-categories`, read 2026-11-26.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{
    CATEGORIES, EXCERPT, FEATURED, FORMATTING, SERVER, SLUG, TAGS, TERMS_MAX, TITLE, Terms, lines,
    signed, unknown,
};
use crate::{
    connectors::{Draft, Finding, Job, JobMedia, Reply, Request},
    domain::{
        delivery::Live,
        media::MediaKind,
        problem::{Code, Problem},
        refusal::Refusal,
    },
};

/// What stands between the text and the files, so that a change of the one leaves the other.
pub(super) const BELOW: &str = "\n<!-- files -->\n";

/// What stands behind the number in [`Live::id`] where the text is HTML.
pub(super) const HTML: &str = "html";

/// A file in the library of the site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    id: u64,
    url: String,
}

impl File {
    pub(super) fn read(reply: &Reply) -> Result<File, Refusal> {
        let id = reply.body["id"].as_u64().ok_or_else(|| reply.unreadable("id"))?;
        Ok(File { id, url: reply.text("/source_url")? })
    }
}

/// By their slugs, all that the option names.
pub(super) fn terms(name: &str, job: &Job) -> Request {
    let slugs = lines(name, job).join(",");
    let slugs: String = form_urlencoded::byte_serialize(slugs.as_bytes()).collect();
    let path = format!("/wp-json/wp/v2/{name}?slug={slugs}&per_page={TERMS_MAX}");
    signed(Request::get(job.site.url(SERVER, &path)))
}

/// In the order of the option. One that the site does not have is said, and nothing is published.
pub(super) fn numbers(name: &str, job: &Job, reply: &Reply) -> Result<Vec<u64>, Refusal> {
    let found = reply.body.as_array().ok_or_else(|| reply.unreadable(name))?;
    let number = |slug: &str| {
        let term = found.iter().find(|term| term["slug"] == slug)?;
        term["id"].as_u64()
    };
    let wanted = lines(name, job);
    let missing: Vec<&str> = wanted.iter().copied().filter(|slug| number(slug).is_none()).collect();
    match missing.is_empty() {
        true => Ok(wanted.into_iter().filter_map(number).collect()),
        false => Err(unknown(if name == CATEGORIES { "category" } else { "tag" }, &missing)),
    }
}

pub(super) fn article(terms: &Terms, files: &[File], job: &Job) -> Value {
    let part = &job.parts[0];
    let first = part.media.first().filter(|media| media.kind == MediaKind::Image);
    let featured = first.is_some() && job.option(FEATURED) == "true";
    let shown = files.iter().zip(&part.media).skip(usize::from(featured));
    let below: Vec<String> = shown.map(|(file, media)| figure(file, media)).collect();
    let mut content = text(&part.text, job.option(FORMATTING) == HTML);
    if !below.is_empty() {
        content = format!("{content}{BELOW}{}", below.join("\n"));
    }
    let mut article = json!({
        "status": PUBLISHED,
        "title": job.option(TITLE),
        "slug": slug(job),
        "content": content,
    });
    if !job.option(EXCERPT).is_empty() {
        article["excerpt"] = json!(job.option(EXCERPT));
    }
    if featured {
        article["featured_media"] = json!(files[0].id);
    }
    for (name, numbers) in [(CATEGORIES, &terms.categories), (TAGS, &terms.tags)] {
        if !numbers.is_empty() {
            article[name] = json!(numbers);
        }
    }
    article
}

/// An empty line begins a paragraph, a line break is one.
pub(super) fn text(text: &str, is_html: bool) -> String {
    if is_html {
        return text.to_owned();
    }
    let normal = text.replace("\r\n", "\n");
    let paragraphs = normal.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    let paragraph = |text: &str| format!("<p>{}</p>", linked(text).replace('\n', "<br />\n"));
    paragraphs.map(paragraph).collect::<Vec<_>>().join("\n")
}

/// Addresses become links, which WordPress does not make of them by itself.
fn linked(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(at) = next_address(rest) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|letter: char| letter.is_whitespace() || "<>\"".contains(letter));
        let address =
            from[..end.unwrap_or(from.len())].trim_end_matches(['.', ',', ')', ';', '!', '?', ':']);
        let shown = escaped(address);
        html.push_str(&format!("{}<a href=\"{shown}\">{shown}</a>", escaped(before)));
        rest = &from[address.len()..];
    }
    html + &escaped(rest)
}

fn next_address(text: &str) -> Option<usize> {
    let starts = ["https://", "http://"].map(|scheme| text.find(scheme));
    starts.into_iter().flatten().min()
}

fn figure(file: &File, media: &JobMedia) -> String {
    let (url, alt) = (escaped(&file.url), escaped(&media.alt));
    match media.kind {
        MediaKind::Image | MediaKind::Gif => format!(
            "<figure><img src=\"{url}\" alt=\"{alt}\" class=\"wp-image-{}\" /></figure>",
            file.id
        ),
        MediaKind::Video => {
            format!("<figure><video controls src=\"{url}\" title=\"{alt}\"></video></figure>")
        }
        MediaKind::Document => {
            format!("<p><a href=\"{url}\">{}</a></p>", escaped(&name_of(media)))
        }
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// Readers see it in addresses.
pub(super) fn name_of(media: &JobMedia) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let plain: String =
        media.name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    match (plain.contains('.'), media.mime.rsplit_once('/')) {
        (true, _) => plain,
        (false, Some((_, ending))) => format!("{}.{ending}", media.id),
        (false, None) => media.id.to_string(),
    }
}

/// `dawn-and-dusk-f3f9a1c20b4d7e815`: the same for every repetition, and nobody else's. With a
/// letter in it, because WordPress changes a slug that is a number (`wp_unique_post_slug`).
pub(super) fn slug(job: &Job) -> String {
    let named = if job.option(SLUG).is_empty() { job.option(TITLE) } else { job.option(SLUG) };
    let mut words = String::new();
    for letter in named.chars() {
        match letter.is_ascii_alphanumeric() {
            true => words.push(letter.to_ascii_lowercase()),
            false if !words.is_empty() && !words.ends_with('-') => words.push('-'),
            false => (),
        }
    }
    let words: String = words.chars().take(80).collect();
    let digest = Sha256::digest(job.delivery.to_string());
    let digits: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("f{digits}");
    match words.trim_matches('-') {
        "" => key,
        words => format!("{words}-{key}"),
    }
}

const PUBLISHED: &str = "publish";

/// A plugin may keep back what it was told to publish: then it is there, and nobody sees it.
pub(super) fn is_shown(status: &str) -> bool {
    status == PUBLISHED
}

pub(super) fn kept_back(status: &str) -> String {
    format!("the site has the article as `{status}`, and shows it to nobody")
}

/// Its number, its address and its state.
pub(super) fn read(post: &Value, reply: &Reply) -> Result<(u64, String, String), Refusal> {
    let id = post["id"].as_u64().ok_or_else(|| reply.unreadable("id"))?;
    let link = post["link"].as_str().ok_or_else(|| reply.unreadable("link"))?;
    let status = post["status"].as_str().unwrap_or(PUBLISHED);
    Ok((id, link.to_owned(), status.to_owned()))
}

/// The number, and whether its text is HTML: a change of it needs to know.
pub(super) fn live(id: u64, link: String, job: &Job) -> Live {
    let id = match job.option(FORMATTING) {
        HTML => format!("{id}/{HTML}"),
        _ => id.to_string(),
    };
    Live { id, url: link }
}

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    if draft.option(TITLE).trim().is_empty() {
        let sentence = "An article on WordPress needs a title.";
        let remedy = "Give one in `content.options.title`.";
        findings.push((Code::Invalid, "content.options.title", sentence, remedy));
    }
    let media = draft.parts.first().map_or(&[][..], |part| &part.media[..]);
    let has_image = media.first().is_some_and(|media| media.kind == MediaKind::Image);
    if draft.option(FEATURED) == "true" && !has_image {
        let sentence = "`featured` makes the first image the article's picture, and there is none.";
        let remedy = "Put an image first, or leave the option out.";
        findings.push((Code::Invalid, "content.options.featured", sentence, remedy));
    }
    if draft.parts.first().is_some_and(|part| part.text.contains(BELOW.trim())) {
        let sentence = "The text holds `<!-- files -->`, behind which Fanfare puts the files.";
        let remedy = "Leave it out.";
        findings.push((Code::Invalid, "content.parts[0].text", sentence, remedy));
    }
    let error = |(code, place, sentence, remedy): (Code, &str, &str, &str)| {
        Finding::Error(Problem::new(code, sentence, remedy).at(place))
    };
    findings.into_iter().map(error).collect()
}
