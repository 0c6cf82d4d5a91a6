//! What of an account the public sees: doc/tiktok-api-v2-video-list and -query, read 2026-11-21.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{given::Given, text::attention},
};

use super::{
    Call, Reply, Tiktok, body, fine, invalid, refusal,
    status::{Task, address},
};

const FIELDS: [&str; 15] = [
    "id",
    "create_time",
    "cover_image_url",
    "share_url",
    "video_description",
    "duration",
    "height",
    "width",
    "title",
    "embed_html",
    "embed_link",
    "like_count",
    "comment_count",
    "share_count",
    "view_count",
];

const PAGE_MAX: u64 = 20;
const TITLE_CHARS_MAX: usize = 150;

impl Tiktok {
    /// Newest first.
    pub(super) fn public(&self, account: usize, now: Timestamp) -> Vec<(u64, &Task)> {
        let tasks = self.order.iter().rev().filter_map(|id| self.tasks.get(id));
        let own = tasks.filter(|task| task.account == account);
        own.filter(|task| task.post.audience == "PUBLIC_TO_EVERYONE")
            .filter_map(|task| Some((task.public_id(now)?, task)))
            .collect()
    }

    pub(super) fn videos(&self, call: &Call, which: &str, account: usize) -> Reply {
        let fields: Vec<&str> = call.query("fields").unwrap_or_default().split(',').collect();
        if let Some(unknown) = fields.iter().find(|field| !FIELDS.contains(field)) {
            let text = format!("Fields is required and must hold known names: {unknown}");
            return Err(refusal(400, "invalid_params", &text));
        }
        let body = body(call)?;
        let all = self.public(account, call.now);
        let shown = |found: &[(u64, &Task)]| -> Vec<Value> {
            found.iter().map(|(id, task)| self.shown(call, *id, task, &fields)).collect()
        };
        if which == "query" {
            let ids = Given::of(&body, &["filters"])
                .and_then(|given| given.needed_object("filters", &["video_ids"]))
                .and_then(|filters| Ok(filters.texts("video_ids")?.unwrap_or_default()))
                .map_err(|flaw| invalid(&flaw))?;
            if ids.is_empty() || ids.len() as u64 > PAGE_MAX {
                return Err(refusal(400, "invalid_params", "video_ids must be 1 to 20"));
            }
            let asked = |(id, _): &(u64, &Task)| ids.contains(&id.to_string().as_str());
            let found: Vec<(u64, &Task)> = all.into_iter().filter(asked).collect();
            return Ok(fine(&json!({ "videos": shown(&found) })));
        }
        let page = Given::of(&body, &["cursor", "max_count"])
            .and_then(|given| Ok((given.whole("cursor")?, given.whole("max_count")?)));
        let (cursor, count) = page.map_err(|flaw| invalid(&flaw))?;
        let count = count.unwrap_or(10);
        if !(1..=PAGE_MAX).contains(&count) {
            return Err(refusal(400, "invalid_params", "max_count must be 1 to 20"));
        }
        let before = |task: &Task| cursor.is_none_or(|at| at == 0 || task.began.0 < at);
        let mut found: Vec<(u64, &Task)> =
            all.into_iter().filter(|(_, task)| before(task)).collect();
        let more = found.len() as u64 > count;
        found.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let next = found.last().map_or(0, |(_, task)| task.began.0);
        Ok(fine(&json!({ "videos": shown(&found), "cursor": next, "has_more": more })))
    }

    fn shown(&self, call: &Call, id: u64, task: &Task, fields: &[&str]) -> Value {
        let crowd = attention(id, task.began.elapsed(call.now));
        let handle = self.door.handle(task.account);
        let url = address(call, handle, task.kind, id);
        let mut video = json!({});
        for field in fields {
            video[*field] = match *field {
                "id" => json!(id.to_string()),
                "create_time" => json!(task.began.0 / 1_000),
                "share_url" | "embed_link" => json!(url),
                "video_description" => json!(task.post.text),
                "title" => {
                    json!(task.post.text.chars().take(TITLE_CHARS_MAX).collect::<String>())
                }
                "like_count" => json!(crowd.likes),
                "comment_count" => json!(crowd.replies),
                "share_count" => json!(crowd.reposts),
                "view_count" => json!(crowd.views),
                "duration" | "height" | "width" => json!(0),
                _ => json!(""),
            };
        }
        video
    }
}
