//! The audit: what happened, who did it and from where, as lines that can be checked.

use std::{collections::VecDeque, io};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        audit::Hash,
        ids::{AccountId, DeliveryId, OrganizationId, PostId},
        problem::Code,
        time::Timestamp,
    },
    engine::{
        Engine,
        facade::{Caller, Entry, Verdict},
    },
};

use super::{
    Answered, Api,
    caller::By,
    reading::{Asked, Text},
    refused::Refused,
};

/// How many lines are read at once.
const PIECE: usize = 500;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(export)).routes(routes!(verify))
}

/// One line. What there is none of is `null`, so that every line has the same fields.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLine)]
pub(crate) struct LineView {
    #[schema(value_type = String)]
    organization: Text<OrganizationId>,
    /// Counts from 1 inside an organization, without gaps.
    sequence: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Text<Timestamp>,
    /// Who did it: `engine`, `operator`, a key or a member.
    #[schema(example = "engine")]
    actor: String,
    /// The address that the request came from which did it, if one did.
    #[schema(example = "192.0.2.7")]
    from: Option<String>,
    #[schema(value_type = String, example = "delivery.published")]
    kind: &'static str,
    text: String,
    #[schema(value_type = Option<String>)]
    post: Option<Text<PostId>>,
    #[schema(value_type = Option<String>)]
    delivery: Option<Text<DeliveryId>>,
    #[schema(value_type = Option<String>)]
    account: Option<Text<AccountId>>,
    /// The `hash` of the line before: 64 hexadecimal digits.
    before: Option<String>,
    /// SHA-256 over the 32 bytes of `before` and the compact JSON array of `organization`,
    /// `sequence`, `at`, `actor`, `from`, `kind`, `text`, `post`, `delivery` and `account`. `null`
    /// for what a version wrote that linked nothing.
    hash: Option<String>,
}

impl From<Entry> for LineView {
    fn from(Entry { event, before }: Entry) -> LineView {
        LineView {
            organization: Text(event.organization),
            sequence: event.sequence,
            at: Text(event.at),
            actor: event.actor.to_string(),
            from: event.from.map(|from| from.to_string()),
            kind: event.kind.name(),
            text: event.text,
            post: event.post.map(Text),
            delivery: event.delivery.map(Text),
            account: event.account.map(Text),
            before: before.map(|hash| digits(&hash)),
            hash: event.hash.map(|hash| digits(&hash)),
        }
    }
}

fn digits(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether everything is as it was written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditVerdict)]
pub(crate) struct VerdictView {
    #[schema(value_type = String)]
    organization: Text<OrganizationId>,
    intact: bool,
    /// How many linked events were looked at.
    events: u64,
    /// The sequence of the last one.
    last: u64,
    /// Its hash. Whoever notes it elsewhere can tell later that all up to there is still the same.
    hash: String,
    /// What is wrong, and where; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    flaw: Option<String>,
}

impl From<Verdict> for VerdictView {
    fn from(verdict: Verdict) -> VerdictView {
        VerdictView {
            organization: Text(verdict.organization),
            intact: verdict.flaw.is_none(),
            events: verdict.events,
            last: verdict.head.sequence,
            hash: digits(&verdict.head.hash),
            flaw: verdict.flaw.map(|flaw| flaw.to_string()),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LinesAsked {
    /// Only what comes after this sequence.
    after: Option<u64>,
    /// Only what happened then or later; with `after`, what both allow.
    #[param(value_type = Option<String>)]
    since: Option<Text<Timestamp>>,
    /// How many lines at most; all unless said otherwise.
    #[param(minimum = 1)]
    limit: Option<u64>,
}

/// Export the audit
///
/// Everything that happened in the organization, oldest first, one JSON object a line: who, what,
/// when, from where, each linked to the line before it by its hash.
#[utoipa::path(get, path = "/audit", tag = "audit", params(LinesAsked),
    responses((status = 200, content((LineView = "application/jsonl")))))]
async fn export(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<LinesAsked>,
) -> Result<Response, Refused> {
    if asked.limit == Some(0) {
        let sentence = "A limit of 0 lines would export nothing.";
        let remedy = "Leave `limit` out to export all of them.";
        return Err(Refused::new(Code::BadRequest, sentence, remedy).at("query.limit"));
    }
    let mut after = asked.after.unwrap_or_default();
    if let Some(Text(since)) = asked.since {
        after = after.max(api.engine.audit_before(&by.caller, since)?);
    }
    let lines = Lines {
        // Asked for once before the answer begins, so that a refusal is one.
        waiting: api.engine.audit(&by.caller, after, 1)?.into(),
        engine: api.engine,
        caller: by.caller,
        after,
        left: asked.limit.unwrap_or(u64::MAX),
    };
    let lines = stream::unfold(lines, |mut lines| async move {
        let line = lines.next().await?;
        Some((line, lines))
    });
    let kind = [(header::CONTENT_TYPE, "application/jsonl")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

/// A reader of the audit with its cursor.
struct Lines {
    engine: Engine,
    caller: Caller,
    waiting: VecDeque<Entry>,
    after: u64,
    left: u64,
}

impl Lines {
    /// An error breaks the connection off: nobody may take a part for the whole.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.left == 0 {
            return None;
        }
        if self.waiting.is_empty() {
            match self.engine.audit(&self.caller, self.after, PIECE) {
                Ok(entries) => self.waiting = entries.into(),
                Err(problem) => {
                    self.left = 0;
                    return Some(Err(io::Error::other(problem.sentence)));
                }
            }
            tokio::task::yield_now().await;
        }
        let entry = self.waiting.pop_front()?;
        (self.after, self.left) = (entry.event.sequence, self.left - 1);
        // The view has nothing that JSON cannot hold.
        let mut line = serde_json::to_vec(&LineView::from(entry)).unwrap_or_default();
        line.push(b'\n');
        Some(Ok(line.into()))
    }
}

/// Verify the audit
///
/// Looks at every event of the organization: whether each is what was written, whether none is
/// missing, and whether both ends are signed with the vault's key.
#[utoipa::path(get, path = "/audit/verification", tag = "audit",
    responses((status = 200, body = VerdictView)))]
async fn verify(by: By, State(api): State<Api>) -> Answered<VerdictView> {
    Ok(Json(api.engine.verify_audit(&by.caller).await?.into()))
}
