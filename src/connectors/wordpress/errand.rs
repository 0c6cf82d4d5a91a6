//! What is not a delivery on WordPress: who somebody is there and whether they may publish, taking
//! an article down, changing its text.
//!
//! <https://developer.wordpress.org/rest-api/reference/users/#retrieve-a-user-2> and
//! `/posts/#delete-a-post`, read 2026-11-26.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    SERVER,
    article::{self, BELOW, HTML},
    refusal, signed,
};
use crate::{
    connectors::{Body, Outcome, Paste, Progress, Repeat, Reply, Request, Site, Task},
    domain::{
        account::Identity,
        delivery::Live,
        problem::{Code, Problem},
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

/// - `Me → Home`, to sign in;
/// - `Remove`; `Read → Write`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Me,
    Home { id: String, handle: String, person: String },
    Remove { article: String },
    Read { article: String, url: String, text: String },
    Write { article: String, url: String, content: String },
}

/// "Application passwords … 24 characters", which are shown with spaces that do not matter.
pub(super) fn paste(pasted: Paste) -> Result<Paste, Problem> {
    let (name, given) = (pasted.identifier.trim(), pasted.secret.expose());
    if name.is_empty() || name.contains(':') {
        let sentence = "This is not a user name on WordPress.";
        let remedy = "It stands on the profile page of your site.";
        return Err(Problem::new(Code::Invalid, sentence, remedy).at("identifier"));
    }
    let password: String = given.chars().filter(|letter| !letter.is_whitespace()).collect();
    let is_letter = |letter: char| letter.is_ascii_alphanumeric();
    if password.len() != 24 || !password.chars().all(is_letter) {
        let sentence = "This is not an application password, which has 24 letters and digits.";
        let remedy = "Make one on the profile page of your site, under Application Passwords. Your \
                      own password is not taken.";
        return Err(Problem::new(Code::Invalid, sentence, remedy).at("password"));
    }
    let secret = Secret::new(STANDARD.encode(format!("{name}:{password}")));
    Ok(Paste { identifier: name.to_owned(), secret, ..pasted })
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::SignIn { .. } => Some(Errand::Me),
        Task::Remove { live } => {
            live.first().map(|live| Errand::Remove { article: live.id.clone() })
        }
        Task::Edit { live, index, text } => {
            let Live { id, url } = live.get(*index)?.clone();
            Some(Errand::Read { article: id, url, text: text.clone() })
        }
        // A password that does not end, and that is taken back on the site.
        Task::Prepare { .. }
        | Task::Lengthen
        | Task::Identify
        | Task::Discover
        | Task::Refresh
        | Task::Revoke => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    let path = |path: &str| site.url(SERVER, &format!("/wp-json{path}"));
    let article = |article: &str| path(&format!("/wp/v2/posts/{}", number(article)));
    signed(match errand {
        Errand::Me => Request::get(path("/wp/v2/users/me?context=edit")),
        Errand::Home { .. } => Request::get(path("/?_fields=name,home,url")),
        Errand::Remove { article: it } => Request::delete(article(it)),
        Errand::Read { article: it, .. } => Request::get(format!("{}?context=edit", article(it))),
        Errand::Write { article: it, content, .. } => {
            let body = Body::Json(json!({ "content": content }));
            Request::post(article(it), body, Repeat::Harmless)
        }
    })
}

/// `12` of `12/html`.
fn number(article: &str) -> &str {
    article.split('/').next().unwrap_or_default()
}

pub(super) fn accept(errand: Errand, reply: &Reply) -> Result<Progress<Errand>, Refusal> {
    if let Errand::Remove { .. } = &errand
        && is_gone(reply)
    {
        return Ok(Progress::Done(Outcome::Finished));
    }
    if !reply.is_success() {
        return Err(refusal::of_reply(reply));
    }
    match errand {
        Errand::Me => {
            let id = reply.body["id"].as_u64().ok_or_else(|| reply.unreadable("id"))?;
            let may = |what: &str| reply.body["capabilities"][what] == true;
            for (what, words) in [
                (
                    "publish_posts",
                    "you may not publish there: your role has to be author or higher",
                ),
                (
                    "upload_files",
                    "you may not upload files there: your role has to be author or higher",
                ),
            ] {
                if !may(what) {
                    return Err(Refusal::new(RefusalKind::Rejected, what, words));
                }
            }
            let (handle, person) = (reply.text("/slug")?, reply.text("/name")?);
            Ok(Progress::Go(Errand::Home { id: id.to_string(), handle, person }))
        }
        Errand::Home { id, handle, person } => {
            let site = reply.body["name"].as_str().unwrap_or_default();
            let name = if site.is_empty() { person } else { format!("{person} ({site})") };
            let url = reply.body["home"].as_str().unwrap_or_default().to_owned();
            let identity = Identity { remote_id: id, handle, name, url, ..Identity::default() };
            Ok(Progress::Done(Outcome::Admitted(identity)))
        }
        Errand::Remove { .. } => Ok(Progress::Done(Outcome::Finished)),
        Errand::Read { article, url, text } => {
            let before = reply.text("/content/raw")?;
            let content = with_text(&before, &text, article.ends_with(HTML));
            Ok(Progress::Go(Errand::Write { article, url, content }))
        }
        Errand::Write { article, url, .. } => {
            let url = reply.body["link"].as_str().map_or(url, str::to_owned);
            Ok(Progress::Done(Outcome::Edited(vec![Live { id: article, url }])))
        }
    }
}

/// The files below it stay.
fn with_text(before: &str, text: &str, is_html: bool) -> String {
    let marker = BELOW.trim();
    let text = article::text(text, is_html);
    match before.split_once(marker) {
        Some((_, files)) => format!("{text}\n{marker}{files}"),
        None => text,
    }
}

/// In the trash already, or deleted for good.
fn is_gone(reply: &Reply) -> bool {
    let code = reply.body["code"].as_str().unwrap_or_default();
    matches!(code, "rest_already_trashed" | "rest_post_invalid_id")
}
