//! Carries out what is not a delivery: registering, signing in, identifying, removing, revoking.
//!
//! An errand is not stored. Each of its requests can be made again, so one that is cut off is begun
//! anew by whoever wanted it.

use serde_json::Value;

use crate::{
    connectors::{AnyConnector, Outcome, Progress, Site, Task},
    domain::{
        problem::{Code, Problem},
        refusal::Refusal,
    },
    engine::core::Core,
    net::{self, Files, Secrets},
};

/// No errand of ours needs more requests than this; a server that leads us on is refused.
const REQUESTS_MAX: usize = 256;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    Refused(Refusal),
    /// Nobody was reached, or nobody answered; which of the two does not matter for an errand.
    Unreachable(String),
}

pub(super) async fn run(
    core: &Core,
    connector: &dyn AnyConnector,
    site: &mut Site,
    task: &Task,
    secrets: &mut Secrets,
) -> Result<Outcome, Failure> {
    let Some(mut errand) = connector.errand(task, site) else { return Ok(Outcome::Finished) };
    let mut found = Vec::new();
    for _ in 0..REQUESTS_MAX {
        let reply = send(core, connector, site, &errand, secrets).await?;
        let progress = connector
            .errand_accept(&errand, site, &reply)
            .expect("an errand is read by the connector that made it")
            .map_err(|refusal| Failure::Refused(redacted(refusal, secrets)))?;
        match progress {
            Progress::Go(next) => errand = next,
            Progress::Found(targets, next) => {
                found.extend(targets);
                errand = next;
            }
            Progress::Keep(secret, next) => {
                secrets.kept = Some(secret);
                errand = next;
            }
            Progress::Move { endpoint, base, errand: next } => {
                site.endpoints.insert(endpoint.to_owned(), base);
                errand = next;
            }
            Progress::Done(Outcome::Discovered { targets, scopes }) => {
                found.extend(targets);
                return Ok(Outcome::Discovered { targets: found, scopes });
            }
            Progress::Done(outcome) => return Ok(outcome),
        }
    }
    Err(Failure::Unreachable("the server asks for more and more requests".to_owned()))
}

/// A platform may repeat in its words what it was sent. They become a part of our sentences, which
/// end by themselves.
pub(super) fn redacted(refusal: Refusal, secrets: &Secrets) -> Refusal {
    let words = secrets.redact(refusal.words.trim_end_matches('.'));
    Refusal { words, code: secrets.redact(&refusal.code), ..refusal }
}

async fn send(
    core: &Core,
    connector: &dyn AnyConnector,
    site: &Site,
    errand: &Value,
    secrets: &Secrets,
) -> Result<crate::connectors::Reply, Failure> {
    let request = connector
        .errand_request(errand, site)
        .expect("an errand is read by the connector that made it");
    core.client.send(&request, secrets, &Files::new()).await.map_err(|error| match error {
        net::Error::NotSent { reason, .. } | net::Error::Unanswered { reason } => {
            Failure::Unreachable(reason)
        }
    })
}

impl Failure {
    pub(super) fn words(&self) -> &str {
        match self {
            Failure::Refused(refusal) => &refusal.words,
            Failure::Unreachable(reason) => reason,
        }
    }

    /// For the person who asked for the errand.
    pub(super) fn problem(&self, platform: &str) -> Problem {
        match self {
            Failure::Refused(refusal) => Problem::new(
                Code::ServerRefused,
                format!("{platform} refused: {} ({}).", refusal.words, refusal.code),
                "Check what you entered and what the account allows, then try again.",
            ),
            Failure::Unreachable(reason) => Problem::new(
                Code::ServerUnreachable,
                format!("{platform} could not be reached: {reason}."),
                "Check the address of the server; if it is right, try again later.",
            ),
        }
    }
}
