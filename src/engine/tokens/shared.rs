//! Accounts that share one grant: channels of one workspace, which one sign-in gave access to.
//!
//! Where each renewal ends the refresh token that it was made with, all live by the same one. It is
//! renewed by one of them at a time, and what it becomes is stored for all in one commit.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;

use super::{Pair, pair};
use crate::{
    connectors::{self, AnyConnector},
    domain::{
        account::{Account, Connection},
        platform::{Login, RefreshModel, Targets},
        secret::Secret,
    },
    engine::core::{Core, Halt},
    store::{Read, View},
};

type Turn = tokio::sync::Mutex<()>;

/// Who renews which grant, by the digest of its refresh token. In memory only: after a restart
/// nothing is under way.
#[derive(Default)]
pub(in crate::engine) struct Renewals(Mutex<HashMap<[u8; 32], Weak<Turn>>>);

impl Renewals {
    fn of(&self, refresh: &Secret) -> Arc<Turn> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let digest = Sha256::digest(refresh.expose()).into();
        let known = turns.get(&digest).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::new(Turn::default());
            turns.insert(digest, Arc::downgrade(&turn));
            turn
        })
    }
}

/// Waits until nobody else renews this grant. `None`: it is no grant that several could share.
pub(super) async fn turn(
    core: &Core,
    account: &Account,
    refresh: Option<&Secret>,
) -> Option<OwnedMutexGuard<()>> {
    let refresh = refresh.filter(|_| may_share(account))?;
    Some(core.renewals.of(refresh).lock_owned().await)
}

/// The other accounts that live by the same refresh token.
pub(super) fn sharers(view: &View, account: &Account, used: &Pair) -> Result<Vec<Account>, Halt> {
    let mut sharers = Vec::new();
    if !may_share(account) || used[1].is_none() {
        return Ok(sharers);
    }
    let organization = account.organization;
    for other in view.accounts(organization, None, usize::MAX)? {
        let is_alike = other.id != account.id
            && other.platform == account.platform
            && other.server == account.server
            && other.login == account.login
            && !matches!(other.connection, Connection::Disconnected { .. });
        let has = |id| pair(|owner, field| view.secret(organization, owner, field), id);
        if is_alike && has(other.id)?[1] == used[1] {
            sharers.push(other);
        }
    }
    Ok(sharers)
}

fn may_share(account: &Account) -> bool {
    let profile = connectors::find(&account.platform).map(AnyConnector::profile);
    match profile.and_then(|profile| profile.login(&account.login)) {
        Some(Login::OAuth(oauth)) => {
            oauth.refresh == RefreshModel::Rotating && oauth.targets == Targets::Several
        }
        Some(Login::Pasted(_)) | None => false,
    }
}
