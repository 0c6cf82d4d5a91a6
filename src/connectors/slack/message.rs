//! What is sent for one part, and what is kept of it.
//!
//! <https://docs.slack.dev/reference/methods/chat.postMessage>,
//! <https://docs.slack.dev/reference/methods/files.getUploadURLExternal> and
//! <https://docs.slack.dev/reference/methods/files.completeUploadExternal>, as of 2026-08.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{
    API, APP, HOOKS,
    draft::{self, TEAM, WORKSPACE},
    is_webhook,
};
use crate::{
    connectors::{Auth, Body, Fill, Job, JobMedia, Repeat, Reply, Request, SecretName, Site},
    domain::{button::Button, delivery::Live, refusal::Refusal},
};

/// One part. Slack's name for a message is the time of it, exact to its digits, in its channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Empty: not known, because it has files.
    time: String,
    /// Of a part with files.
    files: Vec<String>,
    /// A change of its text would have to repeat them.
    has_buttons: bool,
}

/// The name of the metadata by which we know our own messages, and of the key in it.
const EVENT: &str = "fanfare_post";
pub(super) const KEY: &str = "key";

/// A request that was cut off may still be at work.
const SETTLE: Duration = Duration::from_secs(10);

/// "The file is shared asynchronously": the message comes some moments after the answer.
const SETTLE_OF_FILES: Duration = Duration::from_secs(60);

impl Sent {
    pub(super) fn read(
        files: &[String],
        sent: &[Sent],
        job: &Job,
        reply: &Reply,
    ) -> Result<Sent, Refusal> {
        let number = sent.len();
        if job.parts[number].media.is_empty() {
            if is_webhook(&job.site) {
                return Ok(Sent::at(String::new(), number, job));
            }
            return Ok(Sent::at(reply.text("/ts")?, number, job));
        }
        // Which files: a success that names none is none that we know.
        reply.text("/files/0/id")?;
        Ok(Sent::of_files(files, number, job))
    }

    pub(super) fn at(time: String, number: usize, job: &Job) -> Sent {
        let has_buttons = number == 0 && !job.option(draft::BUTTONS).is_empty();
        Sent { time, files: Vec::new(), has_buttons }
    }

    pub(super) fn of_files(files: &[String], number: usize, job: &Job) -> Sent {
        let files = files_of(files, number, job).to_vec();
        Sent { time: String::new(), files, has_buttons: false }
    }

    pub(super) fn file(&self) -> &str {
        self.files.first().map_or("", String::as_str)
    }

    pub(super) fn is_not_located(&self) -> bool {
        self.time.is_empty() && !self.files.is_empty()
    }

    pub(super) fn locate(&mut self, time: String) {
        self.time = time;
    }

    pub(super) fn time(&self) -> &str {
        &self.time
    }

    pub(super) fn live(sent: &[Sent], job: &Job) -> Vec<Live> {
        let root = sent.first().map_or("", |first| first.time.as_str());
        sent.iter().map(|part| part.live_in(root, job)).collect()
    }

    /// `channel/time` or `channel/time/buttons`; `channel/files/F1,F2`; of a webhook, whose
    /// messages have no name, `webhook/delivery`.
    fn live_in(&self, root: &str, job: &Job) -> Live {
        let channel = &job.author.remote_id;
        let id = match (is_webhook(&job.site), self.files.is_empty(), self.has_buttons) {
            (true, _, _) => format!("{WEBHOOK_MESSAGE}/{}", job.delivery),
            (false, false, _) => format!("{channel}/{FILES}/{}", self.files.join(",")),
            (false, true, true) => format!("{channel}/{}/{BUTTONS}", self.time),
            (false, true, false) => format!("{channel}/{}", self.time),
        };
        Live { id, url: self.url(root, job) }
    }

    /// As `chat.getPermalink` answers: `https://acme.slack.com/archives/C1/p1503435956000247`. A
    /// part with files that answers another is shown where that one is.
    fn url(&self, root: &str, job: &Job) -> String {
        let value = |name: &str| job.author.traits.get(name).map_or("", String::as_str);
        let (channel, workspace) = (&job.author.remote_id, value(WORKSPACE));
        if is_webhook(&job.site) {
            return job.site.url(APP, &format!("/client/{}", value(TEAM)));
        }
        if workspace.is_empty() {
            return job.site.url(APP, &format!("/client/{}/{channel}", value(TEAM)));
        }
        let place = format!("{}/archives/{channel}", workspace.trim_end_matches('/'));
        let time = if self.time.is_empty() { root } else { &self.time };
        match time {
            "" => place,
            _ if time == root => format!("{place}/p{}", time.replace('.', "")),
            _ => {
                let number = time.replace('.', "");
                format!("{place}/p{number}?thread_ts={root}&cid={channel}")
            }
        }
    }
}

/// What stands in [`Live::id`] for a part with files, with buttons, and of a webhook.
pub(super) const FILES: &str = "files";
pub(super) const BUTTONS: &str = "buttons";
const WEBHOOK_MESSAGE: &str = "webhook";

pub(super) fn reservation(number: usize, job: &Job) -> Request {
    let media = file(job, number);
    let field = |name: &str, value: String| (name.to_owned(), value);
    let mut fields =
        vec![field("filename", name_of(media)), field("length", media.bytes.to_string())];
    if !media.alt.is_empty() {
        fields.push(field("alt_txt", media.alt.clone()));
    }
    let url = job.site.url(API, "/files.getUploadURLExternal");
    // A second reservation is a place for a file that never comes.
    Request::post(url, Body::Form(fields), Repeat::Harmless)
}

/// To where Slack said; a file that is there and is not completed is shown to nobody.
pub(super) fn upload(number: usize, url: &str, job: &Job) -> Request {
    let media = file(job, number);
    let body = Body::File { media: media.id, range: None, content_type: media.mime.clone() };
    Request { auth: Auth::None, ..Request::post(url.to_owned(), body, Repeat::Harmless) }
}

pub(super) fn info(file: &str, site: &Site) -> Request {
    Request::get(site.url(API, &format!("/files.info?file={}", escaped(file))))
}

/// The time of the message that shows this file in the channel; `None`: it is not shown there.
pub(super) fn time_of_file(body: &Value, job: &Job) -> Option<String> {
    time_in(body, &job.author.remote_id)
}

pub(super) fn time_in(body: &Value, channel: &str) -> Option<String> {
    let shares = &body["file"]["shares"];
    let shown = ["public", "private"].into_iter().find_map(|kind| shares[kind].get(channel));
    shown?[0]["ts"].as_str().map(str::to_owned)
}

/// The request for the part after those in `sent`.
pub(super) fn sending(files: &[String], sent: &[Sent], job: &Job) -> Request {
    let number = sent.len();
    if is_webhook(&job.site) {
        let fill = Fill { place: "{webhook}".to_owned(), secret: SecretName::Access };
        let url = job.site.url(HOOKS, "/services/{webhook}");
        let body = Body::Json(content(number, job));
        let request = Request::post(url, body, Repeat::Duplicates);
        return Request { auth: Auth::None, fills: vec![fill], ..request };
    }
    let root = sent.first().map(|first| first.time.as_str());
    if !job.parts[number].media.is_empty() {
        return completion(files_of(files, number, job), number, root, job);
    }
    let mut message = content(number, job);
    message["channel"] = json!(job.author.remote_id);
    message["metadata"] =
        json!({ "event_type": EVENT, "event_payload": { KEY: key(number, job) } });
    if let Some(root) = root {
        message["thread_ts"] = json!(root);
        message["reply_broadcast"] = json!(job.option(draft::BROADCAST) == "true");
    }
    let url = job.site.url(API, "/chat.postMessage");
    Request::post(url, Body::Json(message), Repeat::Probed { settle: SETTLE })
}

fn completion(files: &[String], number: usize, root: Option<&str>, job: &Job) -> Request {
    let part = &job.parts[number];
    let file = |(id, media): (&String, &JobMedia)| json!({ "id": id, "title": name_of(media) });
    let mut message = json!({
        "files": files.iter().zip(&part.media).map(file).collect::<Vec<_>>(),
        "channel_id": job.author.remote_id,
    });
    if !part.text.is_empty() {
        message["initial_comment"] = json!(mrkdwn(&part.text));
    }
    if let Some(root) = root {
        message["thread_ts"] = json!(root);
    }
    let url = job.site.url(API, "/files.completeUploadExternal");
    let repeat = Repeat::Probed { settle: SETTLE_OF_FILES };
    Request::post(url, Body::Json(message), repeat)
}

/// What a bot and a webhook say alike.
fn content(number: usize, job: &Job) -> Value {
    let text = mrkdwn(&job.parts[number].text);
    let unfurls = job.option(draft::UNFURL) != "false";
    let mut message = json!({ "text": text, "unfurl_links": unfurls, "unfurl_media": unfurls });
    let buttons = Button::all(job.option(draft::BUTTONS));
    if number == 0 && !buttons.is_empty() {
        let button = |it: &Button| {
            let label = json!({ "type": "plain_text", "text": it.label });
            json!({ "type": "button", "text": label, "url": it.url })
        };
        message["blocks"] = json!([
            { "type": "section", "text": { "type": "mrkdwn", "text": text } },
            { "type": "actions", "elements": buttons.iter().map(button).collect::<Vec<_>>() },
        ]);
    }
    message
}

/// "Replace the ampersand, less-than and greater-than; no other characters" (formatting message
/// text, as of 2026-08).
pub(super) fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The same for every repetition, another one as soon as anything about the part changes.
pub(super) fn key(number: usize, job: &Job) -> String {
    let content = json!([job.delivery.to_string(), number, job.parts[number].text, job.options]);
    let digest = Sha256::digest(content.to_string());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file(job: &Job, number: usize) -> &JobMedia {
    let file = job.parts.iter().flat_map(|part| &part.media).nth(number);
    file.expect("an upload step has a file left")
}

/// The uploaded files of one part.
pub(super) fn files_of<'a>(files: &'a [String], part: usize, job: &Job) -> &'a [String] {
    let first: usize = job.parts[..part].iter().map(|part| part.media.len()).sum();
    &files[first..first + job.parts[part].media.len()]
}

/// Readers see it.
fn name_of(media: &JobMedia) -> String {
    match (media.name.is_empty(), media.mime.split_once('/')) {
        (false, _) => media.name.clone(),
        (true, Some((_, ending))) => format!("{}.{ending}", media.id),
        (true, None) => media.id.to_string(),
    }
}

pub(super) fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
