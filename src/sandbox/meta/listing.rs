//! Lists of nodes: newest first, paged by cursors.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::domain::time::Timestamp;

use super::{
    Answer, Call, Reply,
    fields::{asked, select},
    parameters::Parameters,
    refusal::invalid,
};

const LIMIT: usize = 25;
const LIMIT_MAX: usize = 100;

/// What a paged edge understands.
pub(super) const PAGED: [&str; 5] = ["limit", "after", "before", "since", "until"];

pub(super) struct Listed {
    /// Of the type of node, for refusals.
    pub(super) kind: &'static str,
    pub(super) usual: &'static str,
    /// In the order in which they are shown, with the time that `since` and `until` mean.
    pub(super) nodes: Vec<(Timestamp, Value)>,
}

impl Listed {
    pub(super) fn answer(self, call: &Call, parameters: &Parameters, token: &str) -> Reply {
        let fields = asked(call, self.usual)?;
        let (since, until) = (parameters.instant("since")?, parameters.instant("until")?);
        let wanted = |at: Timestamp| {
            since.is_none_or(|since| at >= since) && until.is_none_or(|until| at <= until)
        };
        let nodes = self.nodes.into_iter().filter(|(at, _)| wanted(*at));
        let nodes: Vec<Value> = nodes.map(|(_, node)| node).collect();
        let limit = parameters.number("limit")?.unwrap_or(LIMIT as u64);
        // Zero is allowed in `comments.limit(0)` and nowhere else.
        let limit = match usize::try_from(limit) {
            Ok(limit @ 1..) => limit.min(LIMIT_MAX),
            Ok(0) | Err(_) => return Err(invalid("Param limit must be greater than 0")),
        };
        let place = |name: &str| match parameters.text(name)? {
            None => Ok(None),
            Some(cursor) => {
                let is_there = |node: &Value| cursor_of(node) == cursor;
                let place = nodes.iter().position(is_there);
                place.map(Some).ok_or_else(|| invalid("Invalid cursors values"))
            }
        };
        let (after, before) = (place("after")?, place("before")?);
        let end = before.unwrap_or(nodes.len());
        let start = match (after, before) {
            (Some(at), _) => at + 1,
            (None, Some(end)) => end.saturating_sub(limit),
            (None, None) => 0,
        };
        let page = nodes.get(start..end).unwrap_or_default();
        let page = &page[..page.len().min(limit)];
        let shown: Result<Vec<Value>, Answer> =
            page.iter().map(|node| select(node, self.kind, &fields)).collect();
        let mut body = json!({ "data": shown? });
        if let (Some(first), Some(last)) = (page.first(), page.last()) {
            body["paging"] = json!({ "cursors": {
                "before": cursor_of(first), "after": cursor_of(last) } });
            if start + page.len() < nodes.len() {
                body["paging"]["next"] = json!(next(call, &cursor_of(last), token));
            }
        }
        Ok(Answer::json(200, &body))
    }
}

fn cursor_of(node: &Value) -> String {
    let id = node["id"].as_str().or(node["post_id"].as_str()).unwrap_or_default();
    STANDARD.encode(id)
}

/// The address of the next page, with the token in it, as Meta writes it.
fn next(call: &Call, after: &str, token: &str) -> String {
    let mut query = Serializer::new(String::new());
    let carried = call
        .query
        .iter()
        .filter(|(name, _)| !["access_token", "after", "before"].contains(&name.as_str()));
    query.extend_pairs(carried).append_pair("access_token", token).append_pair("after", after);
    format!("{}/{}?{}", call.base, call.segments.join("/"), query.finish())
}
