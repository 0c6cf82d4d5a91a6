//! Writing records, inside a commit.
//!
//! Invariant: an index row is written and deleted together with the record that it belongs to.

use crate::{
    domain::{
        account::Account,
        delivery::Delivery,
        ids::{DeliveryId, KeyId, OrganizationId},
        login::{PendingChoice, PendingLogin, Remembered},
        media::Media,
        organization::{self, App, Organization, Pause},
        pace::Budgets,
        post::Post,
        secret::Secret,
    },
    store::{
        error::Error,
        keys::{INSTANCE, Key, LanePlace, Owner, Span, Timer},
        kv::Order,
        read::{Read, app_key, pause_key},
        records::encode,
        vault::Vault,
        view::View,
    },
};

impl View {
    pub fn put_organization(&mut self, organization: &Organization) -> Result<(), Error> {
        self.put(&Key::Organization(organization.id), encode(organization))
    }

    /// The panic switch of the whole instance.
    pub fn put_pause(&mut self, pause: Pause) -> Result<(), Error> {
        self.put(&pause_key(), encode(&pause))
    }

    pub fn put_api_key(&mut self, key: &organization::Key) -> Result<(), Error> {
        self.put(&Key::ApiKeyOf(key.organization, key.id), key.hash.to_vec())?;
        self.put(&Key::ApiKey { hash: key.hash }, encode(key))
    }

    /// A key that is not there is not missed.
    pub fn delete_api_key(&mut self, organization: OrganizationId, id: KeyId) -> Result<(), Error> {
        let place = Key::ApiKeyOf(organization, id);
        if let Some(hash) = self.get(&place)?.and_then(|hash| hash.try_into().ok()) {
            self.delete(&Key::ApiKey { hash })?;
        }
        self.delete(&place)
    }

    pub fn put_app(&mut self, app: &App) -> Result<(), Error> {
        self.put(&app_key(app.organization, &app.platform, &app.server), encode(app))
    }

    /// The record alone; its secrets are deleted with [`View::delete_secrets`].
    pub fn delete_app(
        &mut self,
        organization: Option<OrganizationId>,
        platform: &str,
        server: &str,
    ) -> Result<(), Error> {
        self.delete(&app_key(organization, platform, server))
    }

    pub fn put_account(&mut self, account: &Account) -> Result<(), Error> {
        self.put(&Key::Account(account.organization, account.id), encode(account))
    }

    pub fn put_post(&mut self, post: &Post) -> Result<(), Error> {
        self.put(&Key::Post(post.organization, post.id), encode(post))
    }

    /// For a post that was never written before.
    pub fn put_new_post(&mut self, post: &Post) {
        self.put_new(&Key::Post(post.organization, post.id), encode(post));
    }

    /// For a delivery that was never written before; see [`View::put_delivery`].
    pub fn put_new_delivery(&mut self, delivery: &Delivery) {
        self.put_new(&Key::Delivery(delivery.organization, delivery.id), encode(delivery));
    }

    /// The record alone: timer, lane and marks are the caller's, by their own methods.
    pub fn put_delivery(&mut self, delivery: &Delivery) -> Result<(), Error> {
        self.put(&Key::Delivery(delivery.organization, delivery.id), encode(delivery))
    }

    /// Its file must have been kept before.
    pub fn put_media(&mut self, media: &Media) -> Result<(), Error> {
        self.put(&Key::Media(media.organization, media.id), encode(media))
    }

    pub fn put_timer(&mut self, timer: Timer) -> Result<(), Error> {
        self.put(&Key::Timer(timer), Vec::new())
    }

    pub fn delete_timer(&mut self, timer: Timer) -> Result<(), Error> {
        self.delete(&Key::Timer(timer))
    }

    pub fn put_on_lane(&mut self, place: LanePlace) -> Result<(), Error> {
        self.put(&Key::Lane(place), Vec::new())
    }

    pub fn take_off_lane(&mut self, place: LanePlace) -> Result<(), Error> {
        self.delete(&Key::Lane(place))
    }

    /// Lists the delivery among those in `state`.
    pub fn mark(
        &mut self,
        organization: OrganizationId,
        state: u8,
        delivery: DeliveryId,
    ) -> Result<(), Error> {
        self.put(&Key::Attention { organization, state, delivery }, Vec::new())
    }

    pub fn unmark(
        &mut self,
        organization: OrganizationId,
        state: u8,
        delivery: DeliveryId,
    ) -> Result<(), Error> {
        self.delete(&Key::Attention { organization, state, delivery })
    }

    pub fn put_budgets(
        &mut self,
        organization: OrganizationId,
        owner: &Owner,
        budgets: &Budgets,
    ) -> Result<(), Error> {
        self.put(&Key::Pace { organization, owner: owner.clone() }, encode(budgets))
    }

    pub fn put_login(&mut self, state: [u8; 32], login: &PendingLogin) -> Result<(), Error> {
        self.put(&Key::OauthLogin { state }, encode(login))
    }

    /// Returns what it deletes, so that a state works once.
    pub fn take_login(&mut self, state: [u8; 32]) -> Result<Option<PendingLogin>, Error> {
        let login = self.login(state)?;
        self.delete(&Key::OauthLogin { state })?;
        Ok(login)
    }

    pub fn put_choice(&mut self, state: [u8; 32], choice: &PendingChoice) -> Result<(), Error> {
        self.put(&Key::OauthChoice { state }, encode(choice))
    }

    pub fn put_remembered(
        &mut self,
        organization: OrganizationId,
        key: [u8; 32],
        remembered: &Remembered,
    ) -> Result<(), Error> {
        self.put(&Key::Idempotency { organization, key }, encode(remembered))
    }

    pub fn secret(
        &self,
        organization: OrganizationId,
        owner: &Owner,
        field: &str,
    ) -> Result<Option<Secret>, Error> {
        secret(self, &self.vault, organization, owner, field)
    }

    /// Sealed here, with the key of today.
    pub fn put_secret(
        &mut self,
        organization: OrganizationId,
        owner: &Owner,
        field: &str,
        secret: &Secret,
    ) -> Result<(), Error> {
        let place = secret_key(organization, owner, field);
        let sealed = self.vault.seal(&place, secret);
        self.put(&place, sealed)
    }

    /// All that `owner` has.
    pub fn delete_secrets(
        &mut self,
        organization: OrganizationId,
        owner: &Owner,
    ) -> Result<(), Error> {
        let span = Span::secrets(organization, owner);
        for (place, _) in self.scan(&span, Order::Ascending, usize::MAX)? {
            self.delete(&place)?;
        }
        Ok(())
    }
}

/// Where a secret of the whole instance lies, too: its organization is [`INSTANCE`].
fn secret_key(organization: OrganizationId, owner: &Owner, field: &str) -> Key {
    debug_assert!(
        organization != INSTANCE || !matches!(owner, Owner::Account(_)),
        "an account has an organization"
    );
    Key::Secret { organization, owner: owner.clone(), field: field.to_owned() }
}

pub(super) fn secret(
    read: &impl Read,
    vault: &Vault,
    organization: OrganizationId,
    owner: &Owner,
    field: &str,
) -> Result<Option<Secret>, Error> {
    let place = secret_key(organization, owner, field);
    read.get(&place)?.map(|sealed| vault.open(&place, &sealed)).transpose()
}
