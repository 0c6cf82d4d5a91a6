//! What is not a delivery: trying an address out, taking back, changing a text.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{HOOK, address, event, event::Sent, origin, refusal};
use crate::{
    connectors::{Outcome, Progress, Reply, Request, Site, Task},
    domain::{account::Identity, delivery::Live, refusal::Refusal},
};

/// - `Test → Repeat`, to sign in;
/// - `Remove*`; `Edit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Test {
        address: String,
    },
    /// The same event once more, at the address as it was kept: whoever does not take it for the
    /// same would publish twice when an answer is lost, or fails already now.
    Repeat {
        id: String,
    },
    Remove {
        left: Vec<Sent>,
    },
    Edit {
        sent: Vec<Sent>,
        index: usize,
        text: String,
    },
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::SignIn { identifier } => Some(Errand::Test { address: identifier.clone() }),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => Some(Errand::Remove { left: all(live) }),
        Task::Edit { live, index, .. } if *index >= live.len() => None,
        Task::Edit { live, index, text } => {
            Some(Errand::Edit { sent: all(live), index: *index, text: text.clone() })
        }
        // There is no consent page, and the secret does not end.
        Task::Prepare { .. }
        | Task::Lengthen
        | Task::Identify
        | Task::Discover
        | Task::Refresh
        | Task::Revoke => None,
    }
}

fn all(live: &[Live]) -> Vec<Sent> {
    live.iter().map(Sent::of_live).collect()
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Test { address } => event::test(address.clone(), test_id(address)),
        Errand::Repeat { id } => event::test(address(site), id.clone()),
        Errand::Remove { left } => {
            event::deleted(left.last().expect("a removal has something left"), site)
        }
        Errand::Edit { sent, index, text } => event::updated(&sent[*index], text, site),
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    if !reply.is_success() {
        let address = match &errand {
            Errand::Test { address } => address.clone(),
            Errand::Repeat { .. } | Errand::Remove { .. } | Errand::Edit { .. } => address(site),
        };
        return Err(refusal::of(reply, &address));
    }
    Ok(match errand {
        Errand::Test { address } => {
            let errand = Errand::Repeat { id: test_id(&address) };
            Progress::Move { endpoint: HOOK, base: address, errand }
        }
        Errand::Repeat { .. } => Progress::Done(Outcome::Admitted(identity(site))),
        Errand::Remove { mut left } => {
            left.pop();
            match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            }
        }
        Errand::Edit { mut sent, index, .. } => {
            sent[index] = sent[index].clone().revised().renamed(reply);
            Progress::Done(Outcome::Edited(sent.iter().map(|sent| sent.live(site)).collect()))
        }
    })
}

/// Two addresses of one host are two accounts, and the address itself is nobody's business.
fn identity(site: &Site) -> Identity {
    let origin = origin(site);
    let host = origin.split_once("://").map_or("", |(_, host)| host).trim_end_matches('/');
    Identity {
        remote_id: digest(&address(site)),
        handle: host.to_owned(),
        name: host.to_owned(),
        url: origin,
        ..Identity::default()
    }
}

fn test_id(address: &str) -> String {
    format!("msg_test_{}", digest(address))
}

/// Sixteen letters that stand for a text.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
