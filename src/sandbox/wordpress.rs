//! WordPress: the REST API of one site, as developer.wordpress.org/rest-api and WordPress 6's own
//! controllers have it (read 2026-11-26).
//!
//! Invariants: nothing recognises a repetition, so each article that is accepted is one of its own,
//! and of two with the same slug the second gets another; what is in the trash has another slug
//! too.
//!
//! Any user name with any application password of 24 letters and digits is somebody: an author, or
//! what the name says (`contributor`, `subscriber`); what `moderated` publishes is kept for a look,
//! as some plugins do, and no reader sees it. The site has the categories `news` and
//! `local-news` and the tags `sea` and `harbour`.

#[cfg(test)]
mod tests;

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use super::{
    Platform,
    faults::Operation,
    kept::Kept,
    ledger::{Face, LedgerEntry, LedgerMedia},
    people::People,
    text,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

const UPLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;
const CATEGORIES: [(u64, &str); 2] = [(3, "news"), (4, "local-news")];
const TAGS: [(u64, &str); 2] = [(11, "sea"), (12, "harbour")];

/// `wp_get_mime_types`, as far as the sandbox knows kinds of files.
const TYPES: [&str; 8] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "application/pdf",
];

#[derive(Default)]
pub(crate) struct Wordpress {
    people: People,
    revoked: HashSet<String>,
    media: Vec<Upload>,
    posts: Vec<Post>,
}

struct Upload {
    id: u64,
    url: String,
    alt: String,
    kept: Kept,
}

struct Post {
    id: u64,
    author: usize,
    slug: String,
    title: String,
    content: String,
    is_trashed: bool,
    is_pending: bool,
}

type Reply = Result<Answer, Answer>;

impl Wordpress {
    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        let below = match segments.as_slice() {
            ["wp-json"] => return Ok(root(call)),
            ["wp-json", "wp", "v2", rest @ ..] => rest,
            [slug] => return Ok(self.permalink(slug, books)),
            _ => return Err(Answer::html(404, maud::html! { p { "Page not found" } })),
        };
        let who = self.who(call)?;
        match (method, below) {
            ("GET", ["users", "me"]) => Ok(Answer::json(200, &self.me(who))),
            ("GET", ["categories"]) => terms(call, &CATEGORIES),
            ("GET", ["tags"]) => terms(call, &TAGS),
            ("POST", ["media"]) => self.receive(call, who, books),
            ("POST", ["posts"]) => self.publish(call, who, books),
            ("GET", ["posts"]) => Ok(self.list(call)),
            ("GET", ["posts", id]) => {
                let place = self.post(id)?;
                Ok(Answer::json(200, &self.told(&self.posts[place], call)))
            }
            ("POST" | "PUT" | "PATCH", ["posts", id]) => self.change(call, id, who, books),
            ("DELETE", ["posts", id]) => self.trash(call, id, who, books),
            _ => Err(no(
                404,
                "rest_no_route",
                "No route was found matching the URL and request method.",
            )),
        }
    }

    /// "Basic" with a user name and an application password.
    fn who(&mut self, call: &Call) -> Result<usize, Answer> {
        let Some((name, password)) = call.basic() else {
            let words = "You are not currently logged in.";
            return Err(no(401, "rest_not_logged_in", words));
        };
        let plain: String = password.chars().filter(|it| !it.is_whitespace()).collect();
        let is_password =
            plain.len() == 24 && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_password || self.revoked.contains(&plain) {
            let words = "The provided password is an invalid application password.";
            return Err(no(401, "incorrect_password", words));
        }
        let number = self.people.handles().count() + 1;
        Ok(self.people.welcome(&name, call.now, || number.to_string()))
    }

    fn may_publish(&self, who: usize) -> bool {
        let handle = &self.people.get(who).handle;
        !handle.contains("contributor") && !handle.contains("subscriber")
    }

    fn me(&self, who: usize) -> Value {
        let person = self.people.get(who);
        let may = self.may_publish(who);
        json!({ "id": person.id.parse::<u64>().unwrap_or_default(), "name": person.handle,
            "slug": person.handle, "capabilities": { "publish_posts": may, "upload_files": may,
                "edit_posts": !person.handle.contains("subscriber") } })
    }

    fn receive(&mut self, call: &Call, who: usize, books: &mut Books) -> Reply {
        if !self.may_publish(who) {
            let words = "Sorry, you are not allowed to upload media on this site.";
            return Err(no(400, "rest_cannot_create", words));
        }
        let Some(field) = call.file("file") else {
            return Err(no(400, "rest_upload_no_data", "No data supplied."));
        };
        let name = field.file_name.clone().unwrap_or_default();
        if field.bytes.len() > UPLOAD_BYTES_MAX {
            let words = "This file is too big. Files must be less than 64 MB in size.";
            return Err(no(400, "rest_upload_file_too_big", words));
        }
        let full = |_| no(500, "rest_upload_unknown_error", "Could not write the file.");
        let kept = Kept::keep(books, vec![field.bytes.clone()]).map_err(full)?;
        if !TYPES.contains(&kept.mime) || !name.contains('.') {
            let words = "Sorry, you are not allowed to upload this file type.";
            return Err(no(500, "rest_upload_unknown_error", words));
        }
        let alt = call.parameters()["alt_text"].as_str().unwrap_or_default().to_owned();
        let id = 1_000 + self.media.len() as u64;
        let url = kept.address(call);
        let told = json!({ "id": id, "source_url": url, "mime_type": kept.mime, "alt_text": alt,
            "media_type": if kept.mime.starts_with("image/") { "image" } else { "file" } });
        self.media.push(Upload { id, url, alt, kept });
        Ok(Answer::json(201, &told))
    }

    fn publish(&mut self, call: &Call, who: usize, books: &mut Books) -> Reply {
        let given = call.json().filter(Value::is_object);
        let given =
            given.ok_or_else(|| no(400, "rest_invalid_json", "Invalid JSON body passed."))?;
        match given["status"].as_str() {
            Some("publish") if self.may_publish(who) => {}
            Some("publish") => {
                let words = "Sorry, you are not allowed to publish posts in this post type.";
                return Err(no(403, "rest_cannot_publish", words));
            }
            _ => return Err(no(400, "rest_invalid_param", "Invalid parameter(s): status")),
        }
        let said = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        let (title, content) = (said("title"), said("content"));
        if title.is_empty() && content.is_empty() {
            return Err(no(400, "empty_content", "Content, title, and excerpt are empty."));
        }
        check_terms(&given, "categories", &CATEGORIES)?;
        check_terms(&given, "tags", &TAGS)?;
        let mut media = Vec::new();
        if let Some(featured) = given["featured_media"].as_u64() {
            let upload = self.media.iter().find(|upload| upload.id == featured);
            let upload = upload.ok_or_else(|| {
                no(400, "rest_invalid_featured_media", "Invalid featured media ID.")
            })?;
            media.push(upload.for_ledger());
        }
        media.extend(self.shown(&content));
        let id = 1 + self.posts.len() as u64;
        let slug = self.free_slug(&said("slug"), id);
        let person = self.people.get(who);
        let is_pending = person.handle.contains("moderated");
        let shown = readable(&title, &content);
        let entry = LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Wordpress,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: id.to_string(),
            url: format!("{}/{slug}/", call.base),
            face: face(&shown, &given),
            text: shown,
            media,
            reply_to: None,
            idempotency_key: Some(slug.clone()),
            deleted_at: None,
        };
        if !is_pending {
            books.ledger.record(entry);
        }
        let is_trashed = false;
        self.posts.push(Post { id, author: who, slug, title, content, is_trashed, is_pending });
        let post = &self.posts[self.posts.len() - 1];
        Ok(Answer::json(201, &self.told(post, call)))
    }

    /// `wp_unique_post_slug`.
    fn free_slug(&self, wished: &str, id: u64) -> String {
        let wished = if wished.is_empty() { id.to_string() } else { wished.to_owned() };
        // As where addresses are made of the name alone, in which a number could be a page's.
        let is_number = |slug: &String| slug.bytes().all(|byte| byte.is_ascii_digit());
        let is_taken =
            |slug: &String| is_number(slug) || self.posts.iter().any(|post| post.slug == *slug);
        if !is_taken(&wished) {
            return wished;
        }
        let others = (2..).map(|number: u64| format!("{wished}-{number}"));
        others.take(1_000).find(|slug| !is_taken(slug)).unwrap_or_default()
    }

    /// The uploads that the text shows, in their order there.
    fn shown(&self, content: &str) -> Vec<LedgerMedia> {
        let place = |upload: &Upload| content.find(&format!("\"{}\"", upload.url));
        let mut found: Vec<_> =
            self.media.iter().filter_map(|upload| Some((place(upload)?, upload))).collect();
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, upload)| upload.for_ledger()).collect()
    }

    fn list(&self, call: &Call) -> Answer {
        let slugs = call.query("slug").unwrap_or_default();
        let states = call.query("status").unwrap_or_default();
        let is_asked = |post: &&Post| {
            let in_state = !post.is_trashed || states.split(',').any(|state| state == "trash");
            in_state && (slugs.is_empty() || slugs.split(',').any(|slug| slug == post.slug))
        };
        let found: Vec<Value> =
            self.posts.iter().filter(is_asked).map(|post| self.told(post, call)).collect();
        Answer::json(200, &json!(found))
    }

    fn post(&self, id: &str) -> Result<usize, Answer> {
        let place = self.posts.iter().position(|post| post.id.to_string() == id);
        place.ok_or_else(|| no(404, "rest_post_invalid_id", "Invalid post ID."))
    }

    fn change(&mut self, call: &Call, id: &str, who: usize, books: &mut Books) -> Reply {
        let place = self.post(id)?;
        if self.posts[place].author != who {
            let words = "Sorry, you are not allowed to edit this post.";
            return Err(no(403, "rest_cannot_edit", words));
        }
        let given = call.json().unwrap_or_default();
        if let Some(content) = given["content"].as_str() {
            self.posts[place].content = content.to_owned();
        }
        let post = &self.posts[place];
        let shown = readable(&post.title, &post.content);
        let number = post.id.to_string();
        books.ledger.mark_edited(Platform::Wordpress, &number, &shown, face(&shown, &Value::Null));
        Ok(Answer::json(200, &self.told(&self.posts[place], call)))
    }

    fn trash(&mut self, call: &Call, id: &str, who: usize, books: &mut Books) -> Reply {
        let place = self.post(id)?;
        if self.posts[place].author != who {
            let words = "Sorry, you are not allowed to delete this post.";
            return Err(no(403, "rest_cannot_delete", words));
        }
        if self.posts[place].is_trashed {
            return Err(no(410, "rest_already_trashed", "The post has already been deleted."));
        }
        let post = &mut self.posts[place];
        post.is_trashed = true;
        post.slug.push_str("__trashed");
        books.ledger.mark_deleted(Platform::Wordpress, &post.id.to_string(), call.now);
        Ok(Answer::json(200, &self.told(&self.posts[place], call)))
    }

    fn told(&self, post: &Post, call: &Call) -> Value {
        let status = match (post.is_trashed, post.is_pending) {
            (true, _) => "trash",
            (false, true) => "pending",
            (false, false) => "publish",
        };
        json!({ "id": post.id, "slug": post.slug, "link": format!("{}/{}/", call.base, post.slug),
            "status": status,
            "title": { "raw": post.title, "rendered": post.title },
            "content": { "raw": post.content, "rendered": post.content, "protected": false } })
    }

    fn permalink(&self, slug: &str, books: &Books) -> Answer {
        let post = self.posts.iter().find(|post| post.slug == slug);
        let entry = post.and_then(|it| books.ledger.find(Platform::Wordpress, &it.id.to_string()));
        match entry {
            Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
            None => Answer::html(404, maud::html! { p { "Page not found" } }),
        }
    }
}

impl Upload {
    fn for_ledger(&self) -> LedgerMedia {
        let mut media = self.kept.for_ledger(&self.alt);
        media.kind = match self.kept.mime {
            "image/gif" => "gif",
            mime if mime.starts_with("image/") => "image",
            mime if mime.starts_with("video/") => "video",
            _ => "document",
        };
        media
    }
}

impl Simulation for Wordpress {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, ["wp-json", "wp", "v2", "users", ..]) => Some(Operation::Token),
            (_, ["wp-json", "wp", "v2", "media", ..]) => Some(Operation::Upload),
            ("GET", ["wp-json", ..]) => Some(Operation::Read),
            ("DELETE", ["wp-json", ..]) => Some(Operation::Delete),
            (_, ["wp-json", ..]) => Some(Operation::Publish),
            _ => None,
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        call.basic().map(|(name, _)| name)
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match status {
            Some(401) => no(401, "incorrect_password", "The password is not valid."),
            Some(403) => no(403, "rest_cannot_publish", "Sorry, you are not allowed to do that."),
            Some(status) if status >= 500 => {
                let body = maud::html! { p { "There has been a critical error on this website." } };
                Answer::html(status, body)
            }
            Some(status) => no(status, "rest_invalid_param", "Refused by the sandbox."),
            None if operation == Operation::Upload => {
                no(400, "rest_upload_unknown_error", "Refused by the sandbox.")
            }
            None => no(400, "rest_invalid_param", "Refused by the sandbox."),
        }
    }

    /// Not WordPress's own: the server in front of it.
    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        let seconds = retry_after.unwrap_or(Duration::from_secs(5)).as_secs().max(1);
        let body = maud::html! { h1 { "429 Too Many Requests" } };
        Answer::html(429, body).with("retry-after", seconds.to_string())
    }

    /// Application passwords do not expire.
    fn expire(&mut self, call: &Call) {
        self.revoke(call);
    }

    fn revoke(&mut self, call: &Call) {
        if let Some((_, password)) = call.basic() {
            self.revoked.insert(password.chars().filter(|it| !it.is_whitespace()).collect());
        }
    }
}

fn no(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "code": code, "message": message, "data": { "status": status } });
    Answer::json(status, &body)
}

fn root(call: &Call) -> Answer {
    let body = json!({ "name": "The Harbour", "description": "", "url": call.base,
        "home": call.base, "gmt_offset": 0, "namespaces": ["wp/v2"] });
    Answer::json(200, &body)
}

fn terms(call: &Call, known: &[(u64, &str)]) -> Reply {
    let wanted: Vec<&str> = call.query("slug").unwrap_or_default().split(',').collect();
    let found: Vec<Value> = known
        .iter()
        .filter(|(_, slug)| wanted.contains(slug))
        .map(|(id, slug)| json!({ "id": id, "slug": slug, "name": slug }))
        .collect();
    Ok(Answer::json(200, &json!(found)))
}

fn check_terms(given: &Value, name: &str, known: &[(u64, &str)]) -> Result<(), Answer> {
    let numbers = given[name].as_array().into_iter().flatten();
    for number in numbers {
        if !known.iter().any(|(id, _)| number.as_u64() == Some(*id)) {
            let words = format!("Invalid parameter(s): {name}");
            return Err(no(400, "rest_invalid_param", &words));
        }
    }
    Ok(())
}

/// The title, and what a reader sees of the HTML below it, up to the first file.
fn readable(title: &str, content: &str) -> String {
    let files = ["<!-- files -->", "<figure"].map(|mark| content.find(mark));
    let end = files.into_iter().flatten().min().unwrap_or(content.len());
    let text = content[..end].replace("</p>\n<p>", "\n\n").replace("<br />\n", "\n");
    let mut plain = String::new();
    let mut is_tag = false;
    for letter in text.chars() {
        match letter {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            _ if is_tag => {}
            letter => plain.push(letter),
        }
    }
    let plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    let plain = plain.replace("&amp;", "&");
    match plain.trim() {
        "" => title.to_owned(),
        plain => format!("{title}\n\n{plain}"),
    }
}

fn face(shown: &str, given: &Value) -> Face {
    let address = |range: std::ops::Range<usize>| {
        let url = shown[range.clone()].to_owned();
        (range, url)
    };
    let links: Vec<_> = text::http_links(shown).into_iter().map(address).collect();
    let named = |name: &str, known: &[(u64, &str)]| {
        let numbers: Vec<u64> =
            given[name].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        let found = known.iter().filter(|(id, _)| numbers.contains(id));
        found.map(|(_, slug)| (*slug).to_owned()).collect::<Vec<_>>()
    };
    let mut marks = named("categories", &CATEGORIES);
    marks.extend(named("tags", &TAGS).into_iter().map(|tag| format!("#{tag}")));
    Face { pieces: text::pieces(shown, &links), marks, ..Face::default() }
}
