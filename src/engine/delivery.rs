//! One delivery under way: *commit the step, send, commit the answer*, until it ends or has to
//! wait.
//!
//! Owns: nothing that is not stored; it may be killed at any await.
//! Parent: its account, which hears how it ended.
//! Never: a wait. What has to wait is stored with a timer, and another actor goes on with it.

mod attempt;
mod doubt;
pub(super) mod steps;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::{
    domain::ids::{AccountId, DeliveryId, OrganizationId},
    engine::{
        account::AccountMessage,
        core::{Core, Halt},
        transitions::Purpose,
    },
    net::Secrets,
    policy::{lane::End, retry::Refreshed},
};

pub(super) struct DeliveryActor;

/// What an account hands over.
pub(super) struct Assignment {
    pub(super) core: Core,
    pub(super) organization: OrganizationId,
    pub(super) account: AccountId,
    pub(super) delivery: DeliveryId,
    pub(super) purpose: Purpose,
    pub(super) secrets: Arc<Secrets>,
    pub(super) refreshed: Refreshed,
    pub(super) parent: ActorRef<AccountMessage>,
}

pub(super) enum DeliveryMessage {
    /// From ourselves, once.
    Begin,
}

impl Actor for DeliveryActor {
    type Msg = DeliveryMessage;
    type State = Assignment;
    type Arguments = Assignment;

    async fn pre_start(
        &self,
        myself: ActorRef<DeliveryMessage>,
        assignment: Assignment,
    ) -> Result<Assignment, ActorProcessingErr> {
        myself.cast(DeliveryMessage::Begin)?;
        Ok(assignment)
    }

    async fn handle(
        &self,
        myself: ActorRef<DeliveryMessage>,
        DeliveryMessage::Begin: DeliveryMessage,
        state: &mut Assignment,
    ) -> Result<(), ActorProcessingErr> {
        let busy = state.core.busy();
        let end = match attempt::carry_out(state).await {
            Ok(end) => end,
            // Whoever was first has told whom it concerns.
            Err(Halt::Fenced) => End::Settled,
            Err(halt) => return Err(Box::new(halt)),
        };
        drop(busy);
        let delivery = state.delivery;
        // An account that is gone is being stopped; the store has everything.
        let _ = state.parent.cast(AccountMessage::Ended { delivery, end });
        myself.stop(None);
        Ok(())
    }
}
