//! What one organization can see: its own.
//!
//! Invariants:
//! - every read is of a key that begins with this organization, or of a record that says it is its;
//! - nothing here writes, and nothing here opens a secret.

use crate::{
    domain::{
        account::Account,
        delivery::Delivery,
        event::Event,
        ids::{AccountId, DeliveryId, MediaId, MemberId, OrganizationId, PostId},
        media::Media,
        organization::{App, Key, Member, Organization},
        pace::Budgets,
        post::Post,
    },
    store::{Error, LanePlace, Owner, Read, Store},
};

#[derive(Clone)]
pub struct Tenant {
    store: Store,
    id: OrganizationId,
}

impl Tenant {
    pub(super) fn new(store: Store, id: OrganizationId) -> Tenant {
        Tenant { store, id }
    }

    pub fn id(&self) -> OrganizationId {
        self.id
    }

    pub fn organization(&self) -> Result<Option<Organization>, Error> {
        Read::organization(&self.store, self.id)
    }

    pub fn member(&self, id: MemberId) -> Result<Option<Member>, Error> {
        self.store.member(self.id, id)
    }

    pub fn members(&self) -> Result<Vec<Member>, Error> {
        self.store.members(self.id)
    }

    pub fn api_keys(&self) -> Result<Vec<Key>, Error> {
        self.store.api_keys(self.id)
    }

    /// Its own apps, not the instance's.
    pub fn apps(&self) -> Result<Vec<App>, Error> {
        self.store.apps(Some(self.id))
    }

    pub fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        self.store.account(self.id, id)
    }

    /// In the order of their making.
    pub fn accounts(&self, after: Option<AccountId>, limit: usize) -> Result<Vec<Account>, Error> {
        self.store.accounts(self.id, after, limit)
    }

    pub fn post(&self, id: PostId) -> Result<Option<Post>, Error> {
        self.store.post(self.id, id)
    }

    /// Newest first, as all lists that name what they come `before`.
    pub fn posts(&self, before: Option<PostId>, limit: usize) -> Result<Vec<Post>, Error> {
        self.store.posts(self.id, before, limit)
    }

    pub fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, Error> {
        self.store.delivery(self.id, id)
    }

    pub fn deliveries(
        &self,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        self.store.deliveries(self.id, before, limit)
    }

    pub fn attention(&self, state: u8, limit: usize) -> Result<Vec<DeliveryId>, Error> {
        self.store.attention(self.id, state, limit)
    }

    pub fn media(&self, id: MediaId) -> Result<Option<Media>, Error> {
        Read::media(&self.store, self.id, id)
    }

    pub fn media_list(&self, before: Option<MediaId>, limit: usize) -> Result<Vec<Media>, Error> {
        self.store.media_list(self.id, before, limit)
    }

    pub fn event(&self, sequence: u64) -> Result<Option<Event>, Error> {
        self.store.event(self.id, sequence)
    }

    pub fn events_before(&self, before: Option<u64>, limit: usize) -> Result<Vec<Event>, Error> {
        self.store.events_before(self.id, before, limit)
    }

    /// Oldest first.
    pub fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Event>, Error> {
        self.store.events_after(self.id, after, limit)
    }

    pub fn lane(&self, account: AccountId, limit: usize) -> Result<Vec<LanePlace>, Error> {
        self.store.lane(self.id, account, limit)
    }

    pub fn budgets(&self, account: AccountId) -> Result<Budgets, Error> {
        self.store.budgets(self.id, &Owner::Account(account))
    }
}
