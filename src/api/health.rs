//! Whether the process lives, and whether it does its work. For supervisors and load balancers, so
//! neither needs a key.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::domain::time::Timestamp;

use super::{Api, reading::Text};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Liveness)]
pub(crate) struct LivenessView {
    alive: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(crate) struct ReadinessView {
    ready: bool,
    /// Why not; absent when ready.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[schema(value_type = String)]
    version: &'static str,
    /// Deliveries whose time has passed without being settled.
    late_deliveries: usize,
    /// When the oldest of them was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_late: Option<Text<Timestamp>>,
    /// What does no harm yet, and will: versions of platforms' APIs that end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// Tell whether the process lives
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = LivenessView)))]
async fn live() -> Json<LivenessView> {
    Json(LivenessView { alive: true })
}

/// Tell whether Fanfare does its work
///
/// 503 with the reason when it does not, such as while it stops.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses(
    (status = 200, body = ReadinessView),
    (status = 503, description = "Not ready.", body = ReadinessView)))]
async fn ready(State(api): State<Api>) -> Response {
    let readiness = api.engine.readiness();
    let stopping = *api.stopping.borrow();
    let ready = readiness.ready && !stopping;
    let reason = match stopping {
        true => "Fanfare is stopping.".to_owned(),
        false => readiness.reason,
    };
    let view = ReadinessView {
        ready,
        reason,
        version: readiness.version,
        late_deliveries: readiness.late_deliveries,
        oldest_late: readiness.oldest_late.map(Text),
        warnings: readiness.warnings,
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(view)).into_response()
}
