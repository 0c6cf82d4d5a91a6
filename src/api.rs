//! JSON over HTTP for programs: `/api/v1`, and beside it health, the OAuth callback and the
//! description of it all.
//!
//! A handler reads a request, calls one verb of the façade, and shows what it answered. Never: a
//! decision, an actor, the store.

mod accounts;
mod caller;
mod content;
mod deliveries;
mod description;
mod door;
mod events;
mod health;
mod media;
mod oauth;
mod once;
mod organizations;
mod paging;
mod place;
pub mod platforms;
mod posts;
mod reading;
mod refused;
#[cfg(test)]
mod trial;
mod validation;

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;

use crate::{clock::Clock, engine::Engine, entropy::Entropy};

use self::refused::Refused;

/// What the API needs beside the engine.
#[derive(Clone)]
pub struct Settings {
    pub clock: Clock,
    /// For request ids.
    pub entropy: Entropy,
    /// Turns true when the server is about to stop: live streams end, and readiness with them.
    pub stopping: watch::Receiver<bool>,
}

#[derive(Clone)]
pub(crate) struct Api {
    engine: Engine,
    clock: Clock,
    stopping: watch::Receiver<bool>,
    description: Arc<utoipa::openapi::OpenApi>,
}

type Answered<T> = Result<Json<T>, Refused>;

/// Everything that is answered over HTTP.
pub fn router(engine: Engine, settings: Settings) -> Router {
    let Settings { clock, entropy, stopping } = settings;
    let (routes, document) = routes().split_for_parts();
    let description = Arc::new(description::complete(document));
    let api = Api { engine, clock: clock.clone(), stopping, description };
    let routes = routes.route("/openapi.json", get(description::serve)).with_state(api);
    door::guard(routes, clock, entropy)
}

/// The OpenAPI 3.1 document, without a running engine.
pub fn openapi() -> utoipa::openapi::OpenApi {
    description::complete(routes().into_openapi())
}

fn routes() -> OpenApiRouter<Api> {
    let versioned = OpenApiRouter::new()
        .merge(posts::routes())
        .merge(deliveries::routes())
        .merge(accounts::routes())
        .merge(media::routes())
        .merge(events::routes())
        .merge(organizations::routes())
        .merge(platforms::routes());
    OpenApiRouter::with_openapi(description::common())
        .nest("/api/v1", versioned)
        .merge(oauth::routes())
        .merge(health::routes())
}
