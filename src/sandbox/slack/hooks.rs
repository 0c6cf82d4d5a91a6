//! Incoming webhooks: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! 2026-08. Their answers are words, `ok` among them.

use serde_json::Value;

use crate::sandbox::{
    wire::{Answer, Call},
    world::Books,
};

use super::{
    Given, MESSAGES, Reply, Slack,
    messages::{Draft, Place},
};

pub(super) fn name(hook: &str) -> String {
    format!("Webhook {hook}")
}

impl Slack {
    pub(super) fn hook(
        &mut self,
        call: &Call,
        [team, hook, secret]: [&str; 3],
        books: &mut Books,
    ) -> Reply {
        let is_word = |text: &str, first: &str| {
            text.len() >= 8
                && text.starts_with(first)
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !is_word(team, "T") {
            return Err(said(404, "no_team"));
        }
        if !is_word(hook, "B") || self.revoked.contains(&format!("{team}/{hook}/{secret}")) {
            return Err(said(404, "no_service"));
        }
        if !is_word(secret, "") {
            return Err(said(403, "invalid_token"));
        }
        if hook.contains("DENIED") {
            return Err(said(403, "action_prohibited"));
        }
        if hook.contains("GONE") {
            return Err(said(410, "channel_is_archived"));
        }
        let draft = draft(call)?;
        if self.spend(hook, &MESSAGES, call).is_err() {
            return Err(said(429, "rate_limited").with("retry-after", "1"));
        }
        let place = Place {
            channel: format!("C{}", &hook[1..]),
            team: team.to_owned(),
            bot: String::new(),
            account: format!("{team}/{hook}"),
            handle: name(hook),
            thread: None,
            is_broadcast: false,
        };
        self.keep(call, &place, draft, Vec::new(), books);
        Ok(said(200, "ok"))
    }
}

/// What it is to say, in the body or in a form's `payload`. The channel is the webhook's own, and
/// nobody learns the name of a message to answer it.
fn draft(call: &Call) -> Result<Draft, Answer> {
    let payload = match call.json() {
        Some(body) => Some(body),
        None => call.parameters()["payload"].as_str().and_then(|it| serde_json::from_str(it).ok()),
    };
    let Some(Value::Object(payload)) = payload else { return Err(said(400, "invalid_payload")) };
    let given = Given::of(payload);
    let read = given.only(HOOK_ARGUMENTS).and_then(|()| Draft::read(&given));
    read.map_err(|refused| match refused.said()["error"].as_str() {
        Some("no_text") => said(400, "no_text"),
        Some("invalid_blocks" | "invalid_blocks_format") => said(400, "invalid_blocks"),
        _ => said(400, "invalid_payload"),
    })
}

const HOOK_ARGUMENTS: &[&str] =
    &["blocks", "link_names", "mrkdwn", "parse", "text", "unfurl_links", "unfurl_media"];

fn said(status: u16, word: &str) -> Answer {
    Answer::new(status, "text/html; charset=utf-8", word.to_owned())
}
