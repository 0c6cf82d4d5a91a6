//! What may be posted: the body of `POST /rest/posts`, by community-management/shares/posts-api,
//! read 2026-11-21. Unknown fields are refused.

use serde_json::Value;

use crate::sandbox::{
    ledger::{Card, Face, LedgerMedia},
    text::{http_links, pieces},
};

use super::{
    Answer, Call, Caller, Linkedin, bad_request, input_error, little, not_found, unprocessable,
    uploads::Kind,
};

const COMMENTARY_CHARS_MAX: usize = 3_000;
const TITLE_CHARS_MAX: usize = 400;
const DESCRIPTION_CHARS_MAX: usize = 4_086;
const DURATIONS: [&str; 4] = ["ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS"];

/// Which kind of URN a post gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Share,
    UgcPost,
}

/// A post's words as they are stored and shown.
pub(super) struct Commentary {
    pub(super) source: String,
    pub(super) text: String,
}

impl Commentary {
    /// What follows an unescaped reserved character is lost without a word.
    pub(super) fn read(value: &Value) -> Result<Commentary, Answer> {
        let source = value.as_str().ok_or_else(|| wrong("/commentary", "is not a string"))?;
        if source.chars().count() > COMMENTARY_CHARS_MAX {
            return Err(too_long("commentary", COMMENTARY_CHARS_MAX));
        }
        let seen = little::seen(source);
        Ok(Commentary { source: source[..seen.read].to_owned(), text: seen.text })
    }
}

/// What a request wants to post, checked.
pub(super) struct Draft {
    pub(super) author: String,
    pub(super) commentary: Commentary,
    pub(super) form: Form,
    pub(super) media: Vec<LedgerMedia>,
    pub(super) face: Face,
}

/// What one kind of content brings.
struct Content {
    form: Form,
    media: Vec<LedgerMedia>,
    card: Option<Card>,
    poll: Vec<String>,
    marks: Vec<String>,
}

impl Content {
    fn nothing(form: Form) -> Content {
        Content { form, media: Vec::new(), card: None, poll: Vec::new(), marks: Vec::new() }
    }
}

impl Linkedin {
    pub(super) fn draft(&self, call: &Call, caller: Caller, body: &Value) -> Result<Draft, Answer> {
        check_frame(body)?;
        let author = body["author"].as_str().unwrap_or_default();
        let scopes = ["w_member_social", "w_organization_social"];
        self.acts_as(call, caller, author, scopes, "posts.CREATE")?;
        let visibility = visibility(body, author)?;
        let commentary = Commentary::read(&body["commentary"])?;
        let parent = self.parent(body)?;
        let content = &body["content"];
        let mut brought = match content.is_null() {
            true => Content::nothing(Form::Share),
            false => self.content(call, author, content)?,
        };
        if parent.is_some() && !content.is_null() {
            return Err(wrong("/content", "does not go with /reshareContext"));
        }
        if commentary.source.is_empty() && content.is_null() && parent.is_none() {
            return Err(bad_request("A post must have commentary, content or a parent"));
        }
        let mut marks = std::mem::take(&mut brought.marks);
        marks.extend(parent.map(|urn| format!("reshares {urn}")));
        if visibility != "PUBLIC" {
            marks.push(format!("visible to {visibility}"));
        }
        if body["distribution"]["feedDistribution"] == "NONE" {
            marks.push("not in feeds".to_owned());
        }
        if body["isReshareDisabledByAuthor"] == true {
            marks.push("may not be reshared".to_owned());
        }
        Ok(Draft {
            author: author.to_owned(),
            form: brought.form,
            media: brought.media,
            face: Face {
                pieces: linked(&commentary.text),
                card: brought.card,
                poll: brought.poll,
                marks,
                ..Face::default()
            },
            commentary,
        })
    }

    fn parent(&self, body: &Value) -> Result<Option<String>, Answer> {
        let context = &body["reshareContext"];
        if context.is_null() {
            return Ok(None);
        }
        only(context, "/reshareContext", &["parent"])?;
        let urn = text(context, "/reshareContext", "parent")?;
        match self.posts.get(urn).filter(|post| !post.deleted) {
            Some(_) => Ok(Some(urn.to_owned())),
            None => Err(not_found(&format!("Could not find entity {urn}"))),
        }
    }

    fn content(&self, call: &Call, author: &str, content: &Value) -> Result<Content, Answer> {
        only(content, "/content", &["media", "multiImage", "article", "poll"])?;
        let kinds = content.as_object().into_iter().flatten().collect::<Vec<_>>();
        let [(kind, value)] = kinds.as_slice() else {
            return Err(wrong("/content", "is a union of exactly one kind"));
        };
        match kind.as_str() {
            "media" => self.single_media(call, author, value),
            "multiImage" => self.several_images(call, author, value),
            "article" => self.article(call, author, value),
            _ => poll(value),
        }
    }

    fn single_media(&self, call: &Call, author: &str, media: &Value) -> Result<Content, Answer> {
        only(media, "/content/media", &["id", "title", "altText"])?;
        let urn = text(media, "/content/media", "id")?;
        let title = media["title"].as_str().unwrap_or_default();
        let alt = media["altText"].as_str().unwrap_or_default();
        let shown = if alt.is_empty() { title } else { alt };
        let (kind, media) = self.usable(call, author, urn, shown)?;
        let form = match kind {
            Kind::Image => Form::Share,
            Kind::Document if title.is_empty() => {
                return Err(wrong("/content/media/title", "is required for documents"));
            }
            Kind::Document | Kind::Video => Form::UgcPost,
        };
        Ok(Content { media: vec![media], ..Content::nothing(form) })
    }

    fn several_images(&self, call: &Call, author: &str, value: &Value) -> Result<Content, Answer> {
        only(value, "/content/multiImage", &["images"])?;
        let images = value["images"].as_array().map_or(&[][..], Vec::as_slice);
        if !(2..=20).contains(&images.len()) {
            return Err(wrong("/content/multiImage/images", "must hold 2 to 20 images"));
        }
        let mut found = Vec::new();
        for image in images {
            only(image, "/content/multiImage/images", &["id", "altText"])?;
            let urn = text(image, "/content/multiImage/images", "id")?;
            let alt = image["altText"].as_str().unwrap_or_default();
            let (kind, media) = self.usable(call, author, urn, alt)?;
            if kind != Kind::Image {
                return Err(wrong("/content/multiImage/images/id", "is not an image"));
            }
            found.push(media);
        }
        Ok(Content { media: found, ..Content::nothing(Form::UgcPost) })
    }

    fn article(&self, call: &Call, author: &str, value: &Value) -> Result<Content, Answer> {
        let place = "/content/article";
        only(value, place, &["source", "title", "description", "thumbnail"])?;
        let (url, title) = (text(value, place, "source")?, text(value, place, "title")?);
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(wrong("/content/article/source", "is not an address"));
        }
        if title.chars().count() > TITLE_CHARS_MAX {
            return Err(too_long("title", TITLE_CHARS_MAX));
        }
        let description = value["description"].as_str().unwrap_or_default();
        if description.chars().count() > DESCRIPTION_CHARS_MAX {
            return Err(too_long("description", DESCRIPTION_CHARS_MAX));
        }
        let mut media = Vec::new();
        if let Some(urn) = value["thumbnail"].as_str() {
            let (kind, thumbnail) = self.usable(call, author, urn, title)?;
            if kind != Kind::Image {
                return Err(wrong("/content/article/thumbnail", "is not an image"));
            }
            media.push(thumbnail);
        }
        let card = Card {
            url: url.to_owned(),
            title: title.to_owned(),
            description: description.to_owned(),
        };
        Ok(Content { media, card: Some(card), ..Content::nothing(Form::Share) })
    }
}

/// The fields around author, words and content.
fn check_frame(body: &Value) -> Result<(), Answer> {
    let known = [
        "author",
        "commentary",
        "visibility",
        "distribution",
        "content",
        "lifecycleState",
        "isReshareDisabledByAuthor",
        "reshareContext",
    ];
    only(body, "", &known)?;
    for name in ["author", "visibility", "lifecycleState"] {
        text(body, "", name)?;
    }
    for name in ["commentary", "distribution"] {
        if body[name].is_null() {
            return Err(absent(&format!("/{name}")));
        }
    }
    if body["lifecycleState"] != "PUBLISHED" {
        return Err(wrong("/lifecycleState", "must be PUBLISHED when a post is created"));
    }
    let reshares = &body["isReshareDisabledByAuthor"];
    if !reshares.is_null() && !reshares.is_boolean() {
        return Err(wrong("/isReshareDisabledByAuthor", "cannot be coerced to Boolean"));
    }
    let distribution = &body["distribution"];
    let known = ["feedDistribution", "targetEntities", "thirdPartyDistributionChannels"];
    only(distribution, "/distribution", &known)?;
    match text(distribution, "/distribution", "feedDistribution")? {
        "MAIN_FEED" | "NONE" => {}
        _ => return Err(wrong("/distribution/feedDistribution", "is not an enum symbol")),
    }
    for name in ["targetEntities", "thirdPartyDistributionChannels"] {
        let value = &distribution[name];
        if !value.is_null() && !value.is_array() {
            return Err(wrong(&format!("/distribution/{name}"), "cannot be coerced to Array"));
        }
    }
    Ok(())
}

/// Organizations have no connections.
fn visibility<'a>(body: &'a Value, author: &str) -> Result<&'a str, Answer> {
    match body["visibility"].as_str().unwrap_or_default() {
        shown @ ("PUBLIC" | "LOGGED_IN") => Ok(shown),
        shown @ "CONNECTIONS" if author.starts_with("urn:li:person:") => Ok(shown),
        _ => Err(wrong("/visibility", "is not allowed for this author")),
    }
}

fn poll(poll: &Value) -> Result<Content, Answer> {
    let place = "/content/poll";
    only(poll, place, &["question", "options", "settings"])?;
    let question = text(poll, place, "question")?;
    if question.chars().count() > 140 {
        return Err(too_long("question", 140));
    }
    let options = poll["options"].as_array().map_or(&[][..], Vec::as_slice);
    if !(2..=4).contains(&options.len()) {
        return Err(wrong("/content/poll/options", "must hold 2 to 4 options"));
    }
    let mut found = Vec::new();
    for option in options {
        only(option, "/content/poll/options", &["text"])?;
        let option = text(option, "/content/poll/options", "text")?;
        if option.chars().count() > 30 {
            return Err(too_long("text", 30));
        }
        found.push(option.to_owned());
    }
    let settings = &poll["settings"];
    let known = ["duration", "voteSelectionType", "isVoterVisibleToAuthor"];
    only(settings, "/content/poll/settings", &known)?;
    let duration = text(settings, "/content/poll/settings", "duration")?;
    if !DURATIONS.contains(&duration) {
        return Err(wrong("/content/poll/settings/duration", "is not an enum symbol"));
    }
    let marks = vec![format!("poll for {duration}: {question}")];
    Ok(Content { poll: found, marks, ..Content::nothing(Form::UgcPost) })
}

pub(super) fn linked(text: &str) -> Vec<crate::sandbox::ledger::Piece> {
    let links = http_links(text).into_iter();
    let links: Vec<_> = links.map(|range| (range.clone(), text[range].to_owned())).collect();
    pieces(text, &links)
}

/// An object without other fields than these.
pub(super) fn only(value: &Value, place: &str, known: &[&str]) -> Result<(), Answer> {
    let Some(object) = value.as_object() else {
        return Err(wrong(place, "cannot be coerced to an object"));
    };
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => {
            Err(wrong(&format!("{place}/{unknown}"), "unrecognized field found but not allowed"))
        }
        None => Ok(()),
    }
}

/// A text that must be there and not be empty.
pub(super) fn text<'a>(value: &'a Value, place: &str, name: &str) -> Result<&'a str, Answer> {
    let place = format!("{place}/{name}");
    match value[name].as_str() {
        Some("") => Err(wrong(&place, "must not be empty")),
        Some(text) => Ok(text),
        None if value[name].is_null() => Err(absent(&place)),
        None => Err(wrong(&place, "cannot be coerced to String")),
    }
}

fn absent(place: &str) -> Answer {
    wrong(place, "field is required but not found and has no default value")
}

pub(super) fn wrong(place: &str, reason: &str) -> Answer {
    unprocessable(&format!("ERROR :: {place} :: {reason}"))
}

pub(super) fn too_long(field: &str, most: usize) -> Answer {
    let text = format!("{field} must have at most {most} characters");
    input_error(400, "FIELD_LENGTH_TOO_LONG", &text, &text)
}
