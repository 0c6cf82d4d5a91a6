//! The API's description: OpenAPI 3.1, generated from the handlers, completed with what every route
//! has in common.

use std::sync::Arc;

use axum::{Json, extract::State, http};
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, Response, ResponseBuilder,
        path::{Operation, PathItem},
        security::{
            ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
        },
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::engine::facade::Verb;

use super::{
    Api,
    caller::{Need, Needs},
    refused::{FindingView, PROBLEM_JSON, ProblemView},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Fanfare",
        description = "Publishes what people plan for their social accounts: on time, once, in \
            order.\n\nEvery refusal is `application/problem+json` with a stable `code`, a \
            sentence, and a remedy. Times are RFC 3339. Lists come in pieces with a cursor. POST \
            requests that make something take an `Idempotency-Key`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemView, FindingView)),
    tags(
        (name = "posts", description = "What people write and plan."),
        (name = "deliveries",
            description = "One post to one account: where it stands, what to decide."),
        (name = "accounts", description = "Connected profiles."),
        (name = "connections", description = "What there is to choose from after signing in."),
        (name = "media", description = "Uploaded files."),
        (name = "events", description = "Everything that happened."),
        (name = "organizations", description = "Tenants, and the panic switches."),
        (name = "keys", description = "What programs act by."),
        (name = "apps", description = "Developer apps that accounts are connected through."),
        (name = "session", description = "Logging in, and what one proves oneself with."),
        (name = "members", description = "People in an organization."),
        (name = "invitations", description = "Links by which people become members."),
        (name = "welcome", description = "Pages behind links that let somebody in."),
        (name = "platforms", description = "What can be published to."),
        (name = "health", description = "For supervisors."),
    )
)]
struct Common;

/// The document without any route.
pub(crate) fn common() -> utoipa::openapi::OpenApi {
    Common::openapi()
}

/// Adds the key, and to each operation a name of its own and the refusals that it can answer with.
pub(crate) fn complete(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    if let Some(components) = &mut document.components {
        let key = SecurityScheme::Http(
            Http::builder()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(
                    "A key from `fanfare init` or `POST /api/v1/keys`. Scopes: read, draft, publish, admin; \
                    each includes the ones before it.",
                ))
                .build(),
        );
        components.add_security_scheme("key", key);
        let session = ApiKey::Cookie(ApiKeyValue::with_description(
            "__Host-fanfare",
            "The session of a person who is logged in; `fanfare` where the instance is not reached \
             over https. Requests that change something carry its token in `Fanfare-CSRF`.",
        ));
        components.add_security_scheme("session", SecurityScheme::ApiKey(session));
        components.responses.insert("Problem".to_owned(), problem().into());
    }
    for (path, item) in &mut document.paths.paths {
        let named = path.contains('{');
        for (method, operation) in operations(item) {
            name(operation);
            secure(operation);
            add_refusals(method, operation, named);
        }
    }
    document
}

fn problem() -> Response {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new()
        .description("Refused, with a code, a sentence and a remedy.")
        .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let reads = item.get.iter_mut().map(|operation| (Method::Reads, operation));
    let changes =
        [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten();
    reads.chain(changes.map(|operation| (Method::Changes, operation)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Reads,
    Changes,
}

/// Handlers are called alike in several files, and ids must differ within a document.
fn name(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next();
    if let (Some(tag), Some(id)) = (tag, &operation.operation_id) {
        operation.operation_id = Some(format!("{tag}_{id}"));
    }
}

/// What is in the table of permissions needs a key with the scope that the table names, or a
/// session of somebody whose role grants as much.
fn secure(operation: &mut Operation) {
    if let Some(verb) = operation.operation_id.as_deref().and_then(Verb::named) {
        let scope = verb.needs().scope.name();
        let session = SecurityRequirement::new("session", [""; 0]);
        operation.security = Some(vec![SecurityRequirement::new("key", [scope]), session]);
    }
}

/// What each route asks of who enters it.
pub(crate) fn needs(document: &utoipa::openapi::OpenApi) -> Needs {
    let mut needs = Needs::new();
    for (path, item) in &document.paths.paths {
        let methods = [
            (http::Method::GET, &item.get),
            (http::Method::POST, &item.post),
            (http::Method::PUT, &item.put),
            (http::Method::PATCH, &item.patch),
            (http::Method::DELETE, &item.delete),
        ];
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            if let Some(verb) = operation.operation_id.as_deref().and_then(Verb::named) {
                needs.insert((method, path.clone()), Need::Verb(verb));
            } else if takes(operation, "session") {
                needs.insert((method, path.clone()), Need::Session);
            }
        }
    }
    needs
}

fn add_refusals(method: Method, operation: &mut Operation, named: bool) {
    let keyed = takes(operation, "key") || takes(operation, "session");
    let mut statuses = vec!["500", "503", "504"];
    if keyed {
        statuses.extend(["400", "401", "403", "422", "429"]);
    }
    if !keyed && method == Method::Changes && !named {
        // It carries a proof of its own.
        statuses.extend(["400", "401", "403", "409", "410", "422", "429"]);
    }
    if named {
        statuses.push("404");
    }
    if keyed && method == Method::Changes {
        statuses.push("409");
    }
    if operation.request_body.is_some() {
        statuses.extend(["413", "415"]);
    }
    for status in statuses {
        add_refusal(operation, status);
    }
}

/// Whether this is one of the ways to prove who asks.
fn takes(operation: &Operation, scheme: &str) -> bool {
    let name = format!("\"{scheme}\"");
    operation.security.as_ref().is_some_and(|all| {
        all.iter().any(|one| serde_json::to_string(one).is_ok_and(|text| text.contains(&name)))
    })
}

fn add_refusal(operation: &mut Operation, status: &str) {
    let problem = || RefOr::Ref(Ref::from_response_name("Problem"));
    operation.responses.responses.entry(status.to_owned()).or_insert_with(problem);
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(describe))
}

/// Describe this API
///
/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "health", security(()),
    responses((status = 200, description = "OpenAPI 3.1.", content_type = "application/json")))]
async fn describe(State(api): State<Api>) -> Json<Arc<utoipa::openapi::OpenApi>> {
    Json(api.description)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = serde_json::to_value(crate::api::openapi()).unwrap();
        let mut seen = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                assert!(seen.insert(id.clone()), "{method} {path} is called {id}");
            }
        }
        assert!(seen.contains("posts_create"));
    }
}
