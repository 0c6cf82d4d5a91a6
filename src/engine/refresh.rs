//! Renews one account's token, in a child so that the account stays awake.
//!
//! Invariant: the old pair stays in the store until the new one is on disk.

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::{
    domain::{
        ids::{AccountId, OrganizationId},
        secret::Secret,
    },
    engine::{account::AccountMessage, core::Core, tokens},
};

pub(super) struct RefreshActor;

pub(super) struct Refreshing {
    pub(super) core: Core,
    pub(super) organization: OrganizationId,
    pub(super) account: AccountId,
    /// The access token that is to be replaced; `None`: whichever there is.
    pub(super) refused: Option<Secret>,
    pub(super) parent: ActorRef<AccountMessage>,
}

pub(super) enum RefreshMessage {
    /// From ourselves, once.
    Begin,
}

impl Actor for RefreshActor {
    type Msg = RefreshMessage;
    type State = Refreshing;
    type Arguments = Refreshing;

    async fn pre_start(
        &self,
        myself: ActorRef<RefreshMessage>,
        refreshing: Refreshing,
    ) -> Result<Refreshing, ActorProcessingErr> {
        myself.cast(RefreshMessage::Begin)?;
        Ok(refreshing)
    }

    async fn handle(
        &self,
        myself: ActorRef<RefreshMessage>,
        RefreshMessage::Begin: RefreshMessage,
        state: &mut Refreshing,
    ) -> Result<(), ActorProcessingErr> {
        let busy = state.core.busy();
        let Refreshing { core, organization, account, refused, .. } = &*state;
        let outcome = tokens::refresh(core, *organization, *account, refused.as_ref()).await?;
        drop(busy);
        // An account that is gone is being stopped; the new pair is in the store.
        let _ = state.parent.cast(AccountMessage::Refreshed(outcome));
        myself.stop(None);
        Ok(())
    }
}
