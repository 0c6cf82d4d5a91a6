//! What an organization leaves behind whose grace is over: nothing.
//!
//! Invariants:
//! - nothing is erased that can still be restored;
//! - each piece is a commit, and a death between two of them only means to go on;
//! - the record of the organization goes last, in the commit that tells of it.

use crate::{
    domain::{
        event::EventKind,
        ids::OrganizationId,
        organization::{Actor, Organization},
        time::Timestamp,
    },
    engine::{
        core::{Core, Halt},
        journal::{self, Tale},
    },
    store::{Key, Order, Read, Span, Table, View},
};

/// Rows in one commit, and read at once.
const AT_ONCE: usize = 200;

/// All that is left of organizations whose grace is over.
pub(super) async fn erase_ended(core: &Core, now: Timestamp) -> Result<(), Halt> {
    for organization in core.store.organizations(None, usize::MAX)? {
        if is_over(&organization, now) {
            erase(core, organization.id).await?;
        }
    }
    Ok(())
}

/// From then on nobody acts in it any more.
pub(super) fn is_over(organization: &Organization, now: Timestamp) -> bool {
    organization.ends.is_some_and(|ends| ends <= now)
}

async fn erase(core: &Core, id: OrganizationId) -> Result<(), Halt> {
    while core.commit("erase an organization", move |view| piece(view, id)).await? > 0 {}
    let timers = |key: &Key| matches!(key, Key::Timer(timer) if timer.organization == id);
    delete_all(core, Table::Timers, timers).await?;
    let begun = |key: &Key| {
        if let Key::OauthLogin { state } = key {
            belongs(core.store.login(*state), id, |login| login.organization)
        } else if let Key::OauthChoice { state } = key {
            belongs(core.store.choice(*state), id, |choice| choice.organization)
        } else {
            false
        }
    };
    delete_all(core, Table::OauthLogins, begun).await?;
    delete_all(core, Table::OauthChoices, begun).await?;
    let now = core.now();
    core.commit("an organization is erased", move |view| {
        // Somebody may have been writing still.
        while piece(view, id)? > 0 {}
        view.delete_organization(id)?;
        let Some(home) = view.organizations(None, 1)?.pop() else { return Ok(()) };
        let text = format!("The organization {id} is erased, with all that it had.");
        let kind = EventKind::OrganizationErased;
        journal::tell(view, Tale::of(home.id, now, &Actor::Engine, kind, text))?;
        Ok(())
    })
    .await?;
    tracing::info!(organization = %id, "an organization was erased");
    Ok(())
}

fn piece(view: &mut View, id: OrganizationId) -> Result<usize, Halt> {
    Ok(view.erase(id, AT_ONCE)?)
}

fn belongs<T>(
    found: Result<Option<T>, crate::store::Error>,
    id: OrganizationId,
    organization: impl Fn(&T) -> OrganizationId,
) -> bool {
    found.is_ok_and(|found| found.is_some_and(|found| organization(&found) == id))
}

async fn delete_all(
    core: &Core,
    table: Table,
    is_meant: impl Fn(&Key) -> bool,
) -> Result<(), Halt> {
    let mut span = Span::table(table);
    loop {
        let rows = core.store.scan(&span, Order::Ascending, AT_ONCE)?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        span = span.after(last);
        let meant: Vec<Key> =
            rows.iter().map(|(key, _)| key).filter(|key| is_meant(key)).cloned().collect();
        if meant.is_empty() {
            continue;
        }
        core.commit("erase what refers to an organization", move |view| {
            for key in &meant {
                view.delete(key)?;
            }
            Ok(())
        })
        .await?;
    }
}
