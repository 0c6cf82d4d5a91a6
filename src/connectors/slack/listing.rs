//! Looks for what a bot sent: a message by its key, a part with files by its first file.
//!
//! <https://docs.slack.dev/reference/methods/conversations.history>,
//! <https://docs.slack.dev/reference/methods/conversations.replies> and
//! <https://docs.slack.dev/reference/methods/files.info>, as of 2026-08.

use std::time::Duration;

use serde_json::Value;

use super::{
    API,
    draft::BOT_ID,
    message::{KEY, Sent, escaped, files_of, info, key, mrkdwn, time_of_file},
    refusal,
};
use crate::connectors::{Job, Reply, Request};

/// What apps that are sold to others get at most; it is enough for some seconds.
const LIMIT: usize = 15;

/// How far Slack's clock may be behind ours.
const SKEW: Duration = Duration::from_secs(60);

pub(super) enum Listing {
    Found(Sent),
    Absent,
    Unsure(String),
}

pub(super) fn request(files: &[String], sent: &[Sent], job: &Job) -> Request {
    let number = sent.len();
    if let Some(file) = files_of(files, number, job).first() {
        return info(file, &job.site);
    }
    let since = job.armed.unwrap_or(job.due).before(SKEW).0;
    let oldest = format!("{}.{:03}000", since / 1_000, since % 1_000);
    let channel = escaped(&job.author.remote_id);
    let (method, thread) = match sent.first() {
        None => ("conversations.history", String::new()),
        Some(root) => ("conversations.replies", format!("&ts={}", escaped(root.time()))),
    };
    let path = format!(
        "/{method}?channel={channel}{thread}&oldest={oldest}&inclusive=true&limit={LIMIT}\
         &include_all_metadata=true"
    );
    Request::get(job.site.url(API, &path))
}

pub(super) fn search(files: &[String], sent: &[Sent], job: &Job, reply: &Reply) -> Listing {
    let number = sent.len();
    let has_files = !files_of(files, number, job).is_empty();
    // Before its upload is completed, a file is not there, and afterwards nobody sees one that is
    // not there.
    if has_files && refusal::code(reply) == "file_not_found" {
        return Listing::Absent;
    }
    if !refusal::is_success(reply) {
        let refusal = refusal::of_reply(reply);
        return Listing::Unsure(format!("Slack could not be asked: {}", refusal.words));
    }
    if has_files {
        return search_file(files, number, job, reply);
    }
    let Some(messages) = reply.body["messages"].as_array() else {
        return Listing::Unsure("Slack's list of messages could not be read".to_owned());
    };
    let key = key(number, job);
    let is_ours = |message: &&Value| message["metadata"]["event_payload"][KEY] == key;
    if let Some(time) = messages.iter().find(is_ours).and_then(|it| it["ts"].as_str()) {
        return Listing::Found(Sent::at(time.to_owned(), number, job));
    }
    let bot = job.author.traits.get(BOT_ID).map_or("", String::as_str);
    let text = mrkdwn(&job.parts[number].text);
    let is_alike = |message: &Value| {
        let is_new = sent.iter().all(|sent| message["ts"].as_str() != Some(sent.time()));
        let has_no_key = message["metadata"]["event_payload"][KEY].is_null();
        is_new && has_no_key && message["bot_id"] == bot && message["text"] == text
    };
    if messages.iter().any(is_alike) {
        let reason = "the bot wrote the same text, in a message without our key";
        return Listing::Unsure(reason.to_owned());
    }
    if reply.body["has_more"] == true {
        let reason = "so much was written since that the list does not reach back far enough";
        return Listing::Unsure(reason.to_owned());
    }
    Listing::Absent
}

fn search_file(files: &[String], number: usize, job: &Job, reply: &Reply) -> Listing {
    if reply.body["file"]["id"].as_str() != files_of(files, number, job).first().map(String::as_str)
    {
        return Listing::Unsure("Slack's answer is not about our file".to_owned());
    }
    match time_of_file(&reply.body, job) {
        // It was completed, and may be shown at any moment.
        None => {
            Listing::Unsure("Slack has the file, and does not say where it is shown".to_owned())
        }
        Some(time) => {
            let mut part = Sent::of_files(files, number, job);
            // Of further parts the message is not looked for otherwise, and is not needed.
            if number == 0 {
                part.locate(time);
            }
            Listing::Found(part)
        }
    }
}
