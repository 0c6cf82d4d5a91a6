//! Deliveries: where one post to one account stands, and what a person may decide about it.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        delivery::{Delivery, State as DeliveryState},
        ids::{AccountId, DeliveryId, PostId},
        nearest::nearest,
        problem::Code,
        time::Timestamp,
    },
    engine::facade::Resolution,
};

use super::{
    Answered, Api,
    caller::By,
    paging::{self, Piece},
    reading::{Asked, Id, Strict, Text},
    refused::{ProblemView, Refused},
    standing::{RefusalView, Standing},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(retry))
        .routes(routes!(cancel))
        .routes(routes!(resolve))
        .routes(routes!(remove))
        .routes(routes!(revise))
}

/// As in `State::name`; the order is that of a delivery's life.
const STATES: [&str; 10] = [
    "planned",
    "staging",
    "ready",
    "running",
    "waiting",
    "in_doubt",
    "published",
    "failed",
    "held",
    "cancelled",
];

/// One post to one account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryView {
    #[schema(value_type = String, example = "dlv_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<DeliveryId>,
    #[schema(value_type = String, example = "pst_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    post: Text<PostId>,
    #[schema(value_type = String, example = "acc_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    account: Text<AccountId>,
    #[schema(example = "mastodon")]
    platform: String,
    /// `planned`, `staging`, `ready`, `running`, `waiting`, `in_doubt`, `published`, `failed`,
    /// `held` or `cancelled`.
    #[schema(value_type = String, example = "waiting")]
    state: &'static str,
    /// Since when it is in doubt, held, failed, cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Text<Timestamp>>,
    /// Until when it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Text<Timestamp>>,
    /// Why it waits (`processing`, `limit`, `backoff`, `probe`) or is held (`missed`,
    /// `account_needs_reconnection`, `account_disconnected`, `crashed_repeatedly`,
    /// `step_unreadable`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "limit")]
    why: Option<&'static str>,
    /// The same as a sentence; for one in doubt, the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<RefusalView>,
    /// What happens next, or what you have to decide.
    #[schema(example = "Goes on at 2026-11-21T09:04:00.000Z.")]
    next: String,
    /// Counts from 1; 0 before the first.
    attempt: u32,
    /// Attempts that failed and count. Throttling does not.
    failures: u32,
    #[schema(value_type = String, format = DateTime)]
    due: Text<Timestamp>,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Text<Timestamp>>,
    /// How much later than due it was published, or is by now. Absent before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    lateness_ms: Option<u64>,
    /// What readers can see, in order: all parts once published, some if a thread broke.
    live: Vec<LiveView>,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
}

/// One piece that readers can see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Live)]
pub(crate) struct LiveView {
    /// The platform's own id.
    id: String,
    url: String,
}

impl DeliveryView {
    pub(crate) fn new(delivery: Delivery, now: Timestamp) -> DeliveryView {
        let standing = Standing::of(&delivery, now);
        let published_at = if let DeliveryState::Published { at } = delivery.state {
            Some(Text(at))
        } else {
            None
        };
        let live = delivery.live.into_iter().map(|live| LiveView { id: live.id, url: live.url });
        DeliveryView {
            id: Text(delivery.id),
            post: Text(delivery.post),
            account: Text(delivery.account),
            platform: delivery.platform,
            state: delivery.state.name(),
            since: standing.since.map(Text),
            until: standing.until.map(Text),
            why: standing.why,
            reason: standing.reason,
            refusal: standing.refusal,
            next: standing.next,
            attempt: delivery.attempt,
            failures: delivery.failures,
            lateness_ms: lateness(&delivery.state, delivery.due, now),
            due: Text(delivery.due),
            priority: delivery.priority,
            published_at,
            live: live.collect(),
            created: Text(delivery.created),
        }
    }
}

fn lateness(state: &DeliveryState, due: Timestamp, now: Timestamp) -> Option<u64> {
    let until = match state {
        DeliveryState::Published { at } => *at,
        DeliveryState::Failed { .. } | DeliveryState::Cancelled { .. } => return None,
        DeliveryState::Planned
        | DeliveryState::Staging
        | DeliveryState::Ready
        | DeliveryState::Running
        | DeliveryState::Waiting { .. }
        | DeliveryState::InDoubt { .. }
        | DeliveryState::Held { .. } => now,
    };
    (until >= due).then(|| until.0 - due.0)
}

/// Which deliveries, and which piece of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveriesAsked {
    /// Only those in this state.
    #[param(example = "in_doubt")]
    state: Option<String>,
    /// Only those of this account.
    #[param(value_type = Option<String>)]
    account: Option<Text<AccountId>>,
    /// How many items at most: 1 to 200; 50 unless said otherwise.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// The `next` of the piece before.
    cursor: Option<String>,
}

/// What you found out about a delivery that is in doubt: `{"live": {"url": "…"}}`, `"not_live"` or
/// `"abandon"`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Resolution)]
pub(crate) enum ResolutionBody {
    /// It is there.
    Live(LiveAt),
    /// It is not there: send it.
    NotLive,
    /// Leave it: neither live nor to be sent.
    Abandon,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiveAt {
    /// Where, if you know.
    #[serde(default)]
    url: String,
}

/// List deliveries
///
/// Newest first, of one state or account if asked.
#[utoipa::path(get, path = "/deliveries", tag = "deliveries", params(DeliveriesAsked),
    responses((status = 200, body = Piece<DeliveryView>)))]
async fn list(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<DeliveriesAsked>,
) -> Answered<Piece<DeliveryView>> {
    let state = asked.state.as_deref();
    if let Some(unknown) = state.filter(|state| !STATES.contains(state)) {
        return Err(unknown_state(unknown));
    }
    let page = paging::page(asked.limit, asked.cursor)?;
    let account = asked.account.map(|id| id.0);
    let listing = api.engine.deliveries(&by.caller, state, account, &page)?;
    let now = api.clock.now();
    Ok(Json(Piece::of(listing, |delivery| DeliveryView::new(delivery, now))))
}

fn unknown_state(unknown: &str) -> Refused {
    let remedy = match nearest(unknown, STATES) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Allowed are: {}.", STATES.join(", ")),
    };
    Refused::new(Code::Invalid, format!("`{unknown}` is not a state of deliveries."), remedy)
        .at("query.state")
}

/// Show a delivery
#[utoipa::path(get, path = "/deliveries/{id}", tag = "deliveries", params(("id" = String, Path)),
    responses((status = 200, body = DeliveryView)))]
async fn show(by: By, State(api): State<Api>, Id(id): Id<DeliveryId>) -> Answered<DeliveryView> {
    let delivery = api.engine.delivery(&by.caller, id)?;
    Ok(Json(DeliveryView::new(delivery, api.clock.now())))
}

/// Retry a delivery
///
/// One that failed, is held or waits: now, from where it stands.
#[utoipa::path(post, path = "/deliveries/{id}/retry", tag = "deliveries",
    params(("id" = String, Path)), responses((status = 200, body = DeliveryView)))]
async fn retry(by: By, State(api): State<Api>, Id(id): Id<DeliveryId>) -> Answered<DeliveryView> {
    let delivery = api.engine.retry_delivery(&by.caller, id).await?;
    Ok(Json(DeliveryView::new(delivery, api.clock.now())))
}

/// Cancel a delivery
///
/// The post's other deliveries go on.
#[utoipa::path(post, path = "/deliveries/{id}/cancel", tag = "deliveries",
    params(("id" = String, Path)), responses((status = 200, body = DeliveryView)))]
async fn cancel(by: By, State(api): State<Api>, Id(id): Id<DeliveryId>) -> Answered<DeliveryView> {
    let delivery = api.engine.cancel_delivery(&by.caller, id).await?;
    Ok(Json(DeliveryView::new(delivery, api.clock.now())))
}

/// Decide about a delivery that is in doubt
///
/// Look at the account first: Fanfare does not know whether the post is there, and does what you
/// say.
#[utoipa::path(post, path = "/deliveries/{id}/resolve", tag = "deliveries",
    params(("id" = String, Path)),
    request_body = ResolutionBody, responses((status = 200, body = DeliveryView)))]
async fn resolve(
    by: By,
    State(api): State<Api>,
    Id(id): Id<DeliveryId>,
    Strict(body): Strict<ResolutionBody>,
) -> Answered<DeliveryView> {
    let resolution = match body {
        ResolutionBody::Live(live) => Resolution::Live { url: live.url },
        ResolutionBody::NotLive => Resolution::NotLive,
        ResolutionBody::Abandon => Resolution::Abandon,
    };
    let delivery = api.engine.resolve_delivery(&by.caller, id, resolution).await?;
    Ok(Json(DeliveryView::new(delivery, api.clock.now())))
}

/// Take down what a delivery published
///
/// Removes all of its parts at the platform.
#[utoipa::path(post, path = "/deliveries/{id}/remove", tag = "deliveries",
    params(("id" = String, Path)), responses(
        (status = 200, body = DeliveryView),
        (status = 424, description = "The platform refused, or cannot be reached.",
            body = ProblemView, content_type = "application/problem+json")))]
async fn remove(by: By, State(api): State<Api>, Id(id): Id<DeliveryId>) -> Answered<DeliveryView> {
    let delivery = api.engine.remove_delivery(&by.caller, id).await?;
    Ok(Json(DeliveryView::new(delivery, api.clock.now())))
}

/// What a live part shall say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revision {
    /// Which part; the first is 0.
    #[serde(default)]
    part: usize,
    /// Its new text, whole.
    text: String,
}

/// Change what a delivery published
///
/// Where the platform lets programs do that. Asking twice changes it to the same text.
#[utoipa::path(post, path = "/deliveries/{id}/revise", tag = "deliveries",
    params(("id" = String, Path)), request_body = Revision, responses(
        (status = 200, body = DeliveryView),
        (status = 422, description = "The platform would not take that text.",
            body = ProblemView, content_type = "application/problem+json"),
        (status = 424, description = "The platform refused, or cannot be reached.",
            body = ProblemView, content_type = "application/problem+json")))]
async fn revise(
    by: By,
    State(api): State<Api>,
    Id(id): Id<DeliveryId>,
    Strict(wanted): Strict<Revision>,
) -> Answered<DeliveryView> {
    let Revision { part, text } = wanted;
    let delivery = api.engine.revise_delivery(&by.caller, id, part, text).await?;
    Ok(Json(DeliveryView::new(delivery, api.clock.now())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        delivery::{Hold, Why},
        refusal::{Refusal, RefusalKind},
    };

    fn delivery(state: DeliveryState) -> Delivery {
        Delivery {
            id: DeliveryId(1),
            organization: crate::domain::ids::OrganizationId(2),
            post: PostId(3),
            account: AccountId(4),
            platform: "mastodon".to_owned(),
            due: Timestamp(1_000),
            priority: 5,
            state,
            attempt: 1,
            epoch: 1,
            failures: 0,
            crashes: 0,
            charged: false,
            step: Vec::new(),
            armed: None,
            timer: None,
            live: Vec::new(),
            events: Vec::new(),
            created: Timestamp(0),
        }
    }

    #[test]
    fn every_state_says_what_comes_next() {
        let refusal = Refusal::new(RefusalKind::Rejected, "422", "no");
        let at = Timestamp(2_000);
        for (state, next) in [
            (DeliveryState::Planned, "Goes out next."),
            (DeliveryState::Waiting { until: at, why: Why::Limit }, "Goes on at 1970"),
            (
                DeliveryState::Waiting {
                    until: at,
                    why: Why::Backoff { refusal: refusal.clone() },
                },
                "Will be tried again at 1970-01-01T00:00:02.000Z.",
            ),
            (DeliveryState::Failed { at, refusal }, "Nothing more, unless you retry it."),
            (DeliveryState::Held { since: at, why: Hold::Missed }, "Needs your decision"),
        ] {
            let view = DeliveryView::new(delivery(state), Timestamp(1_500));
            assert!(view.next.starts_with(next), "{}", view.next);
        }
    }

    #[test]
    fn lateness_ends_with_publication_and_begins_at_the_due_time() {
        let late = |state, now| DeliveryView::new(delivery(state), Timestamp(now)).lateness_ms;
        assert_eq!(late(DeliveryState::Planned, 999), None);
        assert_eq!(late(DeliveryState::Ready, 1_007), Some(7));
        assert_eq!(late(DeliveryState::Published { at: Timestamp(1_003) }, 9_000), Some(3));
        assert_eq!(late(DeliveryState::Cancelled { at: Timestamp(2_000) }, 9_000), None);
    }
}
