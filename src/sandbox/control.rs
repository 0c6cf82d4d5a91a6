//! The page, the ledger, the media and the fault controls under `/_sandbox`.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{Platform, Sandbox, faults::Fault, ledger::LedgerEntry, page, wire::Answer};

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/", get(timelines))
        .route("/_sandbox", get(timelines))
        .route("/_sandbox/ledger", get(ledger))
        .route("/_sandbox/media/{id}", get(media))
        .route("/_sandbox/faults", get(faults).post(inject).delete(clear_faults))
        .route("/_sandbox/webhooks/{name}", get(received).post(tell))
        .route("/_sandbox/whatsapp/{number}", post(write))
}

async fn timelines(State(sandbox): State<Sandbox>) -> Answer {
    let now = sandbox.now();
    // Copied out, so that rendering does not hold up the platforms.
    let view = page::View::of(&sandbox.world());
    Answer::html(200, page::render(&view, now))
        .with("content-security-policy", page::POLICY)
        .with("cache-control", "no-store")
}

async fn ledger(
    State(sandbox): State<Sandbox>,
    Query(filter): Query<Vec<(String, String)>>,
) -> Answer {
    let mut platform = None;
    let mut account = None;
    for (key, value) in filter {
        match key.as_str() {
            "platform" => {
                let names = Platform::NAMES.iter();
                let mut known = names.filter(|(name, _)| *name == value);
                let Some((_, found)) = known.next() else {
                    let names: Vec<_> = Platform::NAMES.iter().map(|(name, _)| *name).collect();
                    let names = names.join(", ");
                    return complaint(&format!("`platform` must be one of {names}"));
                };
                platform = Some(*found);
            }
            "account" => account = Some(value),
            _ => {
                return complaint(&format!(
                    "unknown filter `{key}`; allowed are platform, account"
                ));
            }
        }
    }
    let wanted = |entry: &&LedgerEntry| {
        platform.is_none_or(|platform| platform == entry.platform)
            && account
                .as_ref()
                .is_none_or(|account| *account == entry.account || *account == entry.handle)
    };
    let entries = sandbox.ledger();
    let entries: Vec<Value> = entries.iter().filter(wanted).map(LedgerEntry::to_json).collect();
    Answer::json(200, &json!({ "entries": entries }))
}

async fn media(State(sandbox): State<Sandbox>, Path(id): Path<u64>) -> Response {
    let item = sandbox.world().books.shelf.get(id).cloned();
    let Some(item) = item else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // Sniffed types only reach the browser when they cannot run as a page.
    let mime = match item.mime.split('/').next() {
        Some("image" | "video" | "audio") => item.mime,
        Some(_) | None => "application/octet-stream",
    };
    let body = match <[Bytes; 1]>::try_from(item.chunks) {
        Ok([single]) => single,
        Err(chunks) => Bytes::from(chunks.concat()),
    };
    let headers = [
        (header::CONTENT_TYPE, mime),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, body).into_response()
}

async fn faults(State(sandbox): State<Sandbox>) -> Answer {
    Answer::json(200, &sandbox.world().faults.to_json())
}

async fn inject(State(sandbox): State<Sandbox>, body: Bytes) -> Answer {
    let value: Value = match serde_json::from_slice(&body) {
        Ok(value) => value,
        Err(error) => return complaint(&format!("the body is not JSON: {error}")),
    };
    match Fault::parse(&value) {
        Ok(fault) => {
            let mut world = sandbox.world();
            world.faults.inject(fault);
            Answer::json(201, &world.faults.to_json())
        }
        Err(complaint_text) => complaint(&complaint_text),
    }
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> Answer {
    let mut world = sandbox.world();
    world.faults.clear();
    Answer::json(200, &world.faults.to_json())
}

async fn received(State(sandbox): State<Sandbox>, Path(name): Path<String>) -> Answer {
    let events = sandbox.world().planets.webhook.received(&name);
    Answer::json(200, &json!({ "events": events }))
}

/// The receiver learns the secret that events are signed with.
async fn tell(State(sandbox): State<Sandbox>, Path(name): Path<String>, body: Bytes) -> Answer {
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let secret = value["secret"].as_str().unwrap_or_default();
    match sandbox.world().planets.webhook.tell(&name, secret) {
        Ok(()) => Answer::json(201, &json!({})),
        Err(wrong) => complaint(wrong),
    }
}

/// Somebody writes to every business, so that they may be answered for a day.
async fn write(State(sandbox): State<Sandbox>, Path(number): Path<String>) -> Answer {
    let now = sandbox.now();
    sandbox.world().planets.whatsapp.wrote(&number, now);
    Answer::json(201, &json!({}))
}

fn complaint(text: &str) -> Answer {
    Answer::json(400, &json!({ "error": text }))
}
