//! JSON over HTTP for programs: `/api/v1`, and beside it health, the OAuth callback and the
//! description of it all.
//!
//! A handler reads a request, calls one verb of the façade, and shows what it answered. Never: a
//! decision, an actor, the store.

mod accounts;
mod apps;
mod audit;
mod caller;
mod connections;
mod content;
mod cors;
mod deliveries;
mod description;
mod door;
mod events;
mod files;
mod forwarded;
mod gate;
mod health;
mod keys;
mod media;
mod members;
mod oauth;
mod once;
mod organizations;
mod paging;
mod place;
pub mod platforms;
mod posts;
mod reading;
mod refused;
mod seat;
mod session;
mod sign_on;
mod standing;
#[cfg(test)]
mod trial;
mod validation;
mod vault;
mod welcome;

use std::sync::Arc;

use axum::{Json, Router, middleware};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;

use crate::{clock::Clock, engine::Engine, entropy::Entropy};

pub use self::{
    caller::Operator,
    forwarded::Proxies,
    gate::{Gate, serve},
    seat::ClientAddress,
};
use self::{
    caller::{Meters, Needs},
    refused::Refused,
};

/// What the API needs beside the engine.
#[derive(Clone)]
pub struct Settings {
    pub clock: Clock,
    /// For request ids.
    pub entropy: Entropy,
    /// How often a key may ask: so often at once, and then so often a minute. 0: as often as it
    /// likes.
    pub requests_per_minute: u32,
    /// Whom to believe when they tell where a request came from.
    pub proxies: Proxies,
    /// Sites whose pages may call the API with a key, each as a browser spells its origin.
    pub cors_origins: Vec<String>,
    /// Turns true when the server is about to stop: live streams end, and readiness with them.
    pub stopping: watch::Receiver<bool>,
}

#[derive(Clone)]
pub(crate) struct Api {
    engine: Engine,
    clock: Clock,
    stopping: watch::Receiver<bool>,
    description: Arc<utoipa::openapi::OpenApi>,
    needs: Arc<Needs>,
    meters: Meters,
}

type Answered<T> = Result<Json<T>, Refused>;

/// Everything that is answered over HTTP.
pub fn router(engine: Engine, settings: Settings) -> Router {
    let Settings { clock, entropy, requests_per_minute, proxies, cors_origins, stopping } =
        settings;
    let (routes, document) = routes().split_for_parts();
    let description = Arc::new(description::complete(document));
    let needs = Arc::new(description::needs(&description));
    let meters = Meters::new(requests_per_minute);
    let api = Api { engine, clock: clock.clone(), stopping, description, needs, meters };
    let routes = routes.route_layer(middleware::from_fn_with_state(api.clone(), caller::admit));
    let is_secure = seat::is_secure(api.engine.public_url());
    let cors = cors::layer(cors_origins);
    door::guard(routes.with_state(api), cors, clock, entropy, is_secure)
        .layer(middleware::from_fn_with_state(Arc::new(proxies), forwarded::resolve))
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
        .merge(connections::routes())
        .merge(media::routes())
        .merge(events::routes())
        .merge(audit::routes())
        .merge(vault::routes())
        .merge(organizations::routes())
        .merge(keys::routes())
        .merge(apps::routes())
        .merge(session::routes())
        .merge(members::routes())
        .merge(members::invitation_routes())
        .merge(platforms::routes());
    OpenApiRouter::with_openapi(description::common())
        .nest("/api/v1", versioned)
        .merge(files::routes())
        .merge(oauth::routes())
        .merge(welcome::routes())
        .merge(sign_on::routes())
        .merge(health::routes())
        .merge(description::routes())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::problem::Code;

    const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

    fn each_operation(mut look: impl FnMut(&str, &str, &Value)) {
        let document = serde_json::to_value(openapi()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    look(&method.to_uppercase(), path, operation);
                }
            }
        }
    }

    fn scope(operation: &Value) -> &str {
        let by = &operation["security"][0];
        let otherwise = if by.get("session").is_some() { "session" } else { "open" };
        by["key"][0].as_str().unwrap_or(otherwise)
    }

    #[test]
    fn every_route_is_described_with_its_key_and_its_refusals() {
        each_operation(|method, path, operation| {
            let route = format!("{method} {path}");
            let said = |field: &str| operation[field].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("summary"), "{route} has no summary");
            assert!(operation["security"].is_array(), "{route} does not say what key it needs");
            let responses = operation["responses"].as_object().unwrap();
            let of_problems =
                |status: &&str| responses[*status]["$ref"] == "#/components/responses/Problem";
            assert!(["500", "504"].iter().all(of_problems), "{route}");
            if scope(operation) != "open" {
                assert!(["400", "401", "403"].iter().all(of_problems), "{route}");
                assert!(path.starts_with("/api/v1/"), "{route}");
            }
        });
    }

    #[test]
    fn description_is_openapi_3_1_and_names_nothing_that_is_missing() {
        let document = serde_json::to_value(openapi()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let text = document.to_string();
        for piece in text.split("\"$ref\":\"#").skip(1) {
            let pointer = piece.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }

    /// What programs rely on. When this fails on purpose, write what it prints to
    /// `tests/api/surface.txt`, and read the difference as a user of the API would.
    #[test]
    fn surface_is_as_reviewed() {
        let mut surface =
            "Routes and what each needs: the scope of a key, a session, or nothing\n\n".to_owned();
        each_operation(|method, path, operation| {
            surface.push_str(&format!("{method:<6} {path} {}\n", scope(operation)));
        });
        surface.push_str("\nProblem codes and their status\n\n");
        for code in Code::ALL {
            let status = refused::status(*code).as_u16();
            surface.push_str(&format!("{status} {}\n", code.name()));
        }
        let reviewed = include_str!("../tests/api/surface.txt");
        assert!(
            surface == reviewed,
            "tests/api/surface.txt is not the surface, which is:\n{surface}"
        );
    }
}
