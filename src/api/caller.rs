//! Who asks, and whether their key may. Before anything else of a request is read.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use crate::{
    domain::{organization::Scope, problem::Code},
    engine::facade::Caller,
};

use super::{Api, refused::Refused};

/// What a route asks of a key.
pub(crate) trait Level: Send {
    const SCOPE: Scope;
}

pub(crate) struct Read;
pub(crate) struct Draft;
pub(crate) struct Publish;
pub(crate) struct Admin;

impl Level for Read {
    const SCOPE: Scope = Scope::Read;
}

impl Level for Draft {
    const SCOPE: Scope = Scope::Draft;
}

impl Level for Publish {
    const SCOPE: Scope = Scope::Publish;
}

impl Level for Admin {
    const SCOPE: Scope = Scope::Admin;
}

/// A caller whose key has at least the level's scope; where a request's content needs more, the
/// façade says so. Comes first among a handler's arguments, so
/// that nobody without a key learns anything from how a request is refused.
pub(crate) struct May<L> {
    pub(crate) caller: Caller,
    level: PhantomData<L>,
}

impl<L: Level> FromRequestParts<Api> for May<L> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<May<L>, Refused> {
        let given = parts.headers.get(header::AUTHORIZATION);
        let key = given.and_then(|value| bearer(value.to_str().ok()?));
        let Some(key) = key else {
            let sentence = match given {
                Some(_) => "The header `Authorization` holds no bearer key.",
                None => "The request carries no key.",
            };
            let remedy = "Send the header `Authorization: Bearer <key>`; `fanfare init` makes the \
                first key.";
            return Err(
                Refused::new(Code::Unauthorized, sentence, remedy).at("header.authorization")
            );
        };
        let caller = api.engine.authenticate(key)?;
        require(&caller, L::SCOPE)?;
        Ok(May { caller, level: PhantomData })
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

fn require(caller: &Caller, scope: Scope) -> Result<(), Refused> {
    if caller.scope >= scope {
        return Ok(());
    }
    let (has, needs) = (scope_name(caller.scope), scope_name(scope));
    let sentence = format!("This key has the scope `{has}`; the request needs `{needs}`.");
    let remedy = "Use a key with a wider scope.";
    Err(Refused::new(Code::Forbidden, sentence, remedy).at("header.authorization"))
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Draft => "draft",
        Scope::Publish => "publish",
        Scope::Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_a_bearer_key_is_a_key() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for wrong in ["abc", "Basic abc", "Bearer", "Bearer ", ""] {
            assert_eq!(bearer(wrong), None, "{wrong}");
        }
    }
}
