//! The vault's keys: how much each has sealed, and a new one.

use crate::{
    domain::{
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        facade::Caller,
        janitor::JanitorMessage,
        keeper::{self, Urgency},
    },
    policy::permission::Verb,
    store::Sealed,
};

/// What is sealed, and with what.
#[derive(Clone, Debug)]
pub struct VaultView {
    /// Tells keys apart.
    pub key: String,
    pub sealed: Sealed,
    /// While there is an old key: when it may be forgotten, if nothing is sealed with it then.
    pub until: Option<Timestamp>,
}

impl Engine {
    pub fn vault(&self, caller: &Caller) -> Answer<VaultView> {
        caller.may(Verb::VaultShow)?;
        self.vault_view()
    }

    fn vault_view(&self) -> Answer<VaultView> {
        let vault = self.core.store.vault();
        let until = keeper::until(&self.core).map_err(Problem::from)?;
        Ok(VaultView {
            key: vault.key_name(),
            sealed: keeper::count(&self.core).map_err(Problem::from)?,
            until: until.filter(|_| vault.has_retired()),
        })
    }

    /// A new key seals from now on, and all that there is as well before this is answered. Refused
    /// while an earlier rotation is not at its end, so arriving twice rotates once.
    pub async fn rotate_vault(&self, caller: &Caller, urgency: Urgency) -> Answer<VaultView> {
        caller.may(Verb::VaultRotate)?;
        let Some(file) = &self.core.key_file else {
            let sentence = "The vault's key comes from the settings, where Fanfare cannot write.";
            return Err(Problem::new(Code::Conflict, sentence, keeper::BY_HAND));
        };
        // Two at once would write over each other's keys.
        let turn = self.core.rotating.lock().await;
        if self.core.store.vault().has_retired() {
            return Err(Problem::new(
                Code::Conflict,
                "The vault's key was changed a while ago, and the one before is still kept.",
                "See `fanfare vault status` for when it is forgotten; rotate again afterwards.",
            ));
        }
        keeper::rotate(&self.core, file, caller.organization, &caller.actor, urgency).await?;
        drop(turn);
        keeper::tend(&self.core, Some(file)).await.map_err(Problem::from)?;
        if let Some(doors) = self.doors.borrow().as_ref() {
            // While everything is being stopped nobody listens; the next start goes on.
            let _ = doors.janitor.cast(JanitorMessage::Vault);
        }
        self.vault_view()
    }
}
