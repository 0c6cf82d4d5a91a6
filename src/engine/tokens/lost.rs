//! An account that has lost its access, or is set aside: noted, told, and its lane held.

use crate::{
    domain::{
        account::{Account, Connection},
        delivery::Hold,
        event::EventKind,
        ids::{AccountId, OrganizationId},
        organization::Actor,
        time::Timestamp,
    },
    engine::{
        core::{Core, Halt},
        journal::{self, Tale},
        transitions,
    },
    store::{Read, View},
};

/// Deliveries held in one commit, when an account loses its access.
const HOLD_AT_ONCE: usize = 100;

/// Whether an account is still without its access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Standing {
    Lost,
    /// The person signed in meanwhile.
    Regained,
}

/// The platform has withdrawn our access, and whoever heard that has noted it: what is ready is
/// held. An account that is connected by now is connected anew, so what was said is not about it.
pub(in crate::engine) async fn revoked(
    core: &Core,
    organization: OrganizationId,
    id: AccountId,
) -> Result<Standing, Halt> {
    let Some(account) = core.store.account(organization, id)? else { return Ok(Standing::Lost) };
    match &account.connection {
        Connection::Connected => return Ok(Standing::Regained),
        Connection::NeedsReconnection { .. } => {
            hold_lane(core, account, Hold::Reconnection).await?;
        }
        Connection::NeedsAttention { .. } | Connection::Disconnected { .. } => (),
    }
    Ok(Standing::Lost)
}

/// The person has to connect it again; told once, with the platform's own reason.
pub(in crate::engine) fn note_revoked(
    view: &mut View,
    account: Account,
    reason: String,
    now: Timestamp,
) -> Result<Account, Halt> {
    let text = format!("{reason} Connect the account again; what is planned is kept.");
    let connection = Connection::NeedsReconnection { since: now, reason };
    note(view, account, connection, EventKind::AccountNeedsReconnection, text, now)
}

/// Its actor failed again and again: set aside until a person looks at it.
pub(in crate::engine) async fn needs_attention(
    core: &Core,
    organization: OrganizationId,
    id: AccountId,
    cause: String,
) -> Result<(), Halt> {
    tracing::error!(account.id = %id, cause, "an account is set aside");
    let now = core.now();
    let account = core
        .commit("account needs attention", move |view| {
            let Some(account) = view.account(organization, id)? else { return Ok(None) };
            if account.connection != Connection::Connected {
                return Ok(None);
            }
            let reason = "Working on this account failed again and again; see the log.".to_owned();
            let text = format!("{reason} Resume the account to try again.");
            let connection = Connection::NeedsAttention { since: now, reason };
            let kind = EventKind::AccountNeedsAttention;
            Ok(Some(note(view, account, connection, kind, text, now)?))
        })
        .await?;
    match account {
        Some(account) => hold_lane(core, account, Hold::Reconnection).await,
        None => Ok(()),
    }
}

fn note(
    view: &mut View,
    mut account: Account,
    connection: Connection,
    kind: EventKind,
    text: String,
    now: Timestamp,
) -> Result<Account, Halt> {
    if account.connection != Connection::Connected {
        return Ok(account);
    }
    account.connection = connection;
    account.revision += 1;
    view.put_account(&account)?;
    let tale = Tale::of(account.organization, now, &Actor::Engine, kind, text);
    journal::tell(view, tale.about_account(account.id))?;
    Ok(account)
}

/// In pieces, so that no commit is large.
pub(in crate::engine) async fn hold_lane(
    core: &Core,
    account: Account,
    why: Hold,
) -> Result<(), Halt> {
    loop {
        let (account, epoch, now) = (account.clone(), core.epoch, core.now());
        let held = core
            .commit("hold lane", move |view| {
                transitions::hold_lane(view, &account, why, epoch, now, HOLD_AT_ONCE)
            })
            .await?;
        if held == 0 {
            return Ok(());
        }
    }
}
