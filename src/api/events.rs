//! Everything that happened, as a list and as a live stream that can be taken up again where it
//! broke off.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        event::Event,
        ids::{AccountId, DeliveryId, PostId},
        problem::Code,
        time::Timestamp,
    },
    engine::{Engine, facade::Caller},
};

use super::{
    Api,
    caller::By,
    paging::{self, Piece},
    reading::{Asked, Text},
    refused::Refused,
};

const HEARTBEAT: Duration = Duration::from_secs(15);
const BATCH: usize = 200;

/// How soon a stream ends after the key or the session that opened it.
const LOOKS_EVERY: Duration = Duration::from_secs(60);

pub(crate) const LAST_EVENT_ID: &str = "last-event-id";

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// One message of a stream of server-sent events. OpenAPI 3.1 has no word for a stream: it is many
/// of these, in the form of the standard.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `print` writes")]
struct Message {
    /// The event's sequence: what `Last-Event-ID` goes on from.
    id: String,
    /// Its kind.
    #[schema(example = "delivery.published")]
    event: String,
    /// The event, as JSON.
    data: String,
}

/// A fact about what happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    /// Counts from 1 inside an organization, without gaps but for what a key does not see.
    sequence: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Text<Timestamp>,
    /// Stable: programs may match on it.
    #[schema(value_type = String, example = "delivery.published")]
    kind: &'static str,
    /// What happened, as a sentence.
    text: String,
    /// Who did it: `engine`, `operator`, a key or a member.
    #[schema(example = "engine")]
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    post: Option<Text<PostId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    delivery: Option<Text<DeliveryId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    account: Option<Text<AccountId>>,
}

impl From<Event> for EventView {
    fn from(event: Event) -> EventView {
        EventView {
            sequence: event.sequence,
            at: Text(event.at),
            kind: event.kind.name(),
            text: event.text,
            actor: event.actor.to_string(),
            post: event.post.map(Text),
            delivery: event.delivery.map(Text),
            account: event.account.map(Text),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsAsked {
    /// Only events after this sequence. A stream without it begins now, a list at the beginning.
    after: Option<u64>,
    /// For a list: how many at most, 1 to 200; 50 unless said otherwise.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// For a list: the `next` of the piece before.
    cursor: Option<String>,
}

/// Tell what happened
///
/// Oldest first. A stream of server-sent events, or with `Accept: application/json` a list. In the
/// stream each event's `id` is its sequence; a client that comes back with `Last-Event-ID` misses
/// nothing.
#[utoipa::path(get, path = "/events", tag = "events",
    params(EventsAsked,
        ("Last-Event-ID" = Option<String>, Header,
            description = "The last sequence that you received.")),
    responses((status = 200, content(
        (Piece<EventView> = "application/json"), (Message = "text/event-stream")))))]
async fn list(
    by: By,
    State(api): State<Api>,
    headers: HeaderMap,
    Asked(asked): Asked<EventsAsked>,
) -> Result<Response, Refused> {
    if wants_json(&headers) {
        let after = after_cursor(&asked)?;
        let limit = paging::checked(asked.limit)?;
        let told = api.engine.events(&by.caller, after, limit)?;
        let next = told.more.then(|| told.upto.to_string());
        let items = told.events.into_iter().map(EventView::from).collect();
        return Ok(Json(Piece { items, next }).into_response());
    }
    let after = match last_event_id(&headers)?.or(asked.after) {
        Some(after) => after,
        None => api.engine.last_event(&by.caller)?,
    };
    let feed = Feed {
        changed: api.engine.changed(),
        stopping: api.stopping.clone(),
        engine: api.engine,
        caller: by.caller,
        after,
        waiting: VecDeque::new(),
    };
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("still here");
    // Proxies that buffer would make a live stream late.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(feed.stream()).keep_alive(heartbeat)).into_response())
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let accepted = accepted.unwrap_or_default().to_ascii_lowercase();
    accepted.contains("application/json") && !accepted.contains("text/event-stream")
}

fn after_cursor(asked: &EventsAsked) -> Result<u64, Refused> {
    match &asked.cursor {
        None => Ok(asked.after.unwrap_or_default()),
        Some(cursor) => cursor.parse().map_err(|_| {
            let sentence = "The cursor is none of this list's.";
            Refused::new(Code::BadRequest, sentence, "Use the `next` of the piece before.")
                .at("query.cursor")
        }),
    }
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Refused> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    match value.to_str().ok().and_then(|text| text.trim().parse().ok()) {
        Some(sequence) => Ok(Some(sequence)),
        None => {
            let sentence = "The header `Last-Event-ID` is not an event's sequence.";
            let remedy = "Leave it out to begin now, or use `?after=0` for everything.";
            Err(Refused::new(Code::BadRequest, sentence, remedy).at("header.last-event-id"))
        }
    }
}

/// A reader of events with its cursor. The watch only wakes it; what it tells is read from the
/// store, so nothing can be missed.
struct Feed {
    engine: Engine,
    caller: Caller,
    after: u64,
    waiting: VecDeque<Event>,
    changed: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

impl Feed {
    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            Some((Ok(print(event)), feed))
        })
    }

    /// `None` ends the stream: the client connects again, later, and goes on where it was.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.after = event.sequence;
                return Some(event);
            }
            // Marked as seen before reading: what comes in between wakes us again.
            self.changed.borrow_and_update();
            if !self.engine.is_still(&self.caller) {
                return None;
            }
            let told = self.engine.events(&self.caller, self.after, BATCH).ok()?;
            self.waiting = told.events.into();
            if self.waiting.is_empty() {
                self.after = told.upto;
                if !told.more {
                    self.wait().await?;
                }
            }
        }
    }

    async fn wait(&mut self) -> Option<()> {
        let clock = self.engine.clock().clone();
        tokio::select! {
            changed = self.changed.changed() => changed.ok(),
            _stopping = self.stopping.wait_for(|stopping| *stopping) => None,
            // What opened the stream may have come to its end meanwhile.
            () = clock.sleep(LOOKS_EVERY) => Some(()),
        }
    }
}

fn print(event: Event) -> sse::Event {
    let (id, kind) = (event.sequence.to_string(), event.kind.name());
    let view = EventView::from(event);
    let printed = sse::Event::default().id(id).event(kind);
    // The view has nothing that JSON cannot hold.
    printed.json_data(view).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn header(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn stream_is_the_default_and_json_is_asked_for() {
        assert!(!wants_json(&HeaderMap::new()));
        assert!(!wants_json(&header("accept", "*/*")));
        assert!(wants_json(&header("accept", "application/json, text/plain")));
        assert!(!wants_json(&header("accept", "text/event-stream, application/json")));
    }

    #[test]
    fn last_event_id_is_a_sequence() {
        assert_eq!(last_event_id(&HeaderMap::new()).unwrap(), None);
        assert_eq!(last_event_id(&header(LAST_EVENT_ID, "7")).unwrap(), Some(7));
        assert!(last_event_id(&header(LAST_EVENT_ID, "seven")).is_err());
    }
}
