//! Reading records, from the store or from a commit in the making.

use crate::{
    domain::{
        account::Account,
        delivery::Delivery,
        event::Event,
        ids::{AccountId, DeliveryId, KeyId, MediaId, MemberId, OrganizationId, PostId},
        login::{PendingChoice, PendingLogin, Remembered},
        media::Media,
        organization::{self, App, Member, Organization, Pause},
        pace::Budgets,
        post::Post,
        time::Timestamp,
    },
    store::{
        audit::sequence_of,
        error::Error,
        keys::{INSTANCE, Key, LanePlace, Owner, Span, Table, Timer},
        kv::Order,
        records::{Record, decode},
        shelf::{Shelf, Values, describe},
    },
};

pub trait Read {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Error>;

    fn scan(&self, span: &Span, order: Order, limit: usize) -> Result<Vec<(Key, Vec<u8>)>, Error>;

    fn organization(&self, id: OrganizationId) -> Result<Option<Organization>, Error> {
        record(self, &Key::Organization(id))
    }

    /// All of them, in the order of their making. The instance is not one.
    fn organizations(
        &self,
        after: Option<OrganizationId>,
        limit: usize,
    ) -> Result<Vec<Organization>, Error> {
        let span = Span::table(Table::Organizations);
        records(self, &after_id(span, after.map(Key::Organization)), Order::Ascending, limit)
    }

    /// The panic switch of the whole instance.
    fn pause(&self) -> Result<Pause, Error> {
        Ok(record(self, &pause_key())?.unwrap_or(Pause::Running))
    }

    fn member(&self, organization: OrganizationId, id: MemberId) -> Result<Option<Member>, Error> {
        record(self, &Key::Member(organization, id))
    }

    fn members(&self, organization: OrganizationId) -> Result<Vec<Member>, Error> {
        let span = Span::organization(Table::Members, organization);
        records(self, &span, Order::Ascending, usize::MAX)
    }

    /// By the SHA-256 of its text.
    fn api_key(&self, hash: [u8; 32]) -> Result<Option<organization::Key>, Error> {
        record(self, &Key::ApiKey { hash })
    }

    fn api_keys(&self, organization: OrganizationId) -> Result<Vec<organization::Key>, Error> {
        let span = Span::organization(Table::ApiKeysOf, organization);
        let mut keys = Vec::new();
        for (place, hash) in self.scan(&span, Order::Ascending, usize::MAX)? {
            let hash = <[u8; 32]>::try_from(hash.as_slice()).map_err(|_| {
                Error::unreadable(format!("the record {place:?}"), "it is not a hash")
            })?;
            keys.extend(self.api_key(hash)?);
        }
        Ok(keys)
    }

    fn api_key_named(
        &self,
        organization: OrganizationId,
        id: KeyId,
    ) -> Result<Option<organization::Key>, Error> {
        let hash = self.get(&Key::ApiKeyOf(organization, id))?;
        match hash.and_then(|hash| <[u8; 32]>::try_from(hash.as_slice()).ok()) {
            Some(hash) => self.api_key(hash),
            None => Ok(None),
        }
    }

    /// `None` asks for the instance's own.
    fn app(
        &self,
        organization: Option<OrganizationId>,
        platform: &str,
        server: &str,
    ) -> Result<Option<App>, Error> {
        record(self, &app_key(organization, platform, server))
    }

    fn apps(&self, organization: Option<OrganizationId>) -> Result<Vec<App>, Error> {
        let span = Span::organization(Table::Apps, organization.unwrap_or(INSTANCE));
        records(self, &span, Order::Ascending, usize::MAX)
    }

    fn account(
        &self,
        organization: OrganizationId,
        id: AccountId,
    ) -> Result<Option<Account>, Error> {
        record(self, &Key::Account(organization, id))
    }

    /// In the order of their making.
    fn accounts(
        &self,
        organization: OrganizationId,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Account>, Error> {
        let span = Span::organization(Table::Accounts, organization);
        let after = after.map(|id| Key::Account(organization, id));
        records(self, &after_id(span, after), Order::Ascending, limit)
    }

    fn post(&self, organization: OrganizationId, id: PostId) -> Result<Option<Post>, Error> {
        record(self, &Key::Post(organization, id))
    }

    /// Newest first, as all lists that name what they come `before`.
    fn posts(
        &self,
        organization: OrganizationId,
        before: Option<PostId>,
        limit: usize,
    ) -> Result<Vec<Post>, Error> {
        let span = Span::organization(Table::Posts, organization);
        let before = before.map(|id| Key::Post(organization, id));
        records(self, &before_id(span, before), Order::Descending, limit)
    }

    fn delivery(
        &self,
        organization: OrganizationId,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, Error> {
        record(self, &Key::Delivery(organization, id))
    }

    fn deliveries(
        &self,
        organization: OrganizationId,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        let span = Span::organization(Table::Deliveries, organization);
        let before = before.map(|id| Key::Delivery(organization, id));
        records(self, &before_id(span, before), Order::Descending, limit)
    }

    fn media(&self, organization: OrganizationId, id: MediaId) -> Result<Option<Media>, Error> {
        record(self, &Key::Media(organization, id))
    }

    fn media_list(
        &self,
        organization: OrganizationId,
        before: Option<MediaId>,
        limit: usize,
    ) -> Result<Vec<Media>, Error> {
        let span = Span::organization(Table::Media, organization);
        let before = before.map(|id| Key::Media(organization, id));
        records(self, &before_id(span, before), Order::Descending, limit)
    }

    fn event(&self, organization: OrganizationId, sequence: u64) -> Result<Option<Event>, Error> {
        record(self, &Key::Event { organization, sequence })
    }

    fn events_before(
        &self,
        organization: OrganizationId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Event>, Error> {
        let span = Span::organization(Table::Events, organization);
        let before = before.map(|sequence| Key::Event { organization, sequence });
        records(self, &before_id(span, before), Order::Descending, limit)
    }

    /// Oldest first: what a reader with a cursor has not seen.
    fn events_after(
        &self,
        organization: OrganizationId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Error> {
        let span = Span::organization(Table::Events, organization);
        let after = Key::Event { organization, sequence: after };
        records(self, &span.after(&after), Order::Ascending, limit)
    }

    /// The last sequence that was used; zero before the first.
    fn last_sequence(&self, organization: OrganizationId) -> Result<u64, Error> {
        let key = Key::Sequence(organization);
        match self.get(&key)? {
            Some(value) => sequence_of(&key, &value),
            None => Ok(0),
        }
    }

    /// Every login that was begun and not finished.
    fn logins(&self) -> Result<Vec<([u8; 32], PendingLogin)>, Error> {
        let rows = self.scan(&Span::table(Table::OauthLogins), Order::Ascending, usize::MAX)?;
        rows.into_iter()
            .filter_map(|(key, value)| {
                if let Key::OauthLogin { state } = key { Some((state, key, value)) } else { None }
            })
            .map(|(state, key, value)| Ok((state, decode(&key, &value)?)))
            .collect()
    }

    /// Every choice that was not forgotten yet.
    fn choices(&self) -> Result<Vec<([u8; 32], PendingChoice)>, Error> {
        let rows = self.scan(&Span::table(Table::OauthChoices), Order::Ascending, usize::MAX)?;
        rows.into_iter()
            .filter_map(|(key, value)| {
                if let Key::OauthChoice { state } = key { Some((state, key, value)) } else { None }
            })
            .map(|(state, key, value)| Ok((state, decode(&key, &value)?)))
            .collect()
    }

    /// Remembered requests of the whole instance, after `after`.
    fn all_remembered(
        &self,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Remembered)>, Error> {
        let span = after_id(Span::table(Table::Idempotency), after);
        let rows = self.scan(&span, Order::Ascending, limit)?;
        rows.into_iter()
            .map(|(key, value)| {
                let remembered = decode(&key, &value)?;
                Ok((key, remembered))
            })
            .collect()
    }

    /// Media of the whole instance, after `after`.
    fn all_media(&self, after: Option<Key>, limit: usize) -> Result<Vec<(Key, Media)>, Error> {
        let span = after_id(Span::table(Table::Media), after);
        let rows = self.scan(&span, Order::Ascending, limit)?;
        rows.into_iter()
            .map(|(key, value)| {
                let media = decode(&key, &value)?;
                Ok((key, media))
            })
            .collect()
    }

    fn next_timer(&self) -> Result<Option<Timer>, Error> {
        Ok(timers(self.scan(&Span::table(Table::Timers), Order::Ascending, 1)?).next())
    }

    /// Due at `now` or before, the earliest first.
    fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Timer>, Error> {
        Ok(timers(self.scan(&Span::timers_due(now), Order::Ascending, limit)?).collect())
    }

    /// Due between these instants, both included, the earliest first.
    fn timers_between(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timer>, Error> {
        let span = Span::timers_between(from, until);
        Ok(timers(self.scan(&span, Order::Ascending, limit)?).collect())
    }

    /// In the order in which they go out.
    fn lane(
        &self,
        organization: OrganizationId,
        account: AccountId,
        limit: usize,
    ) -> Result<Vec<LanePlace>, Error> {
        let rows = self.scan(&Span::lane(organization, account), Order::Ascending, limit)?;
        Ok(places(rows).collect())
    }

    /// Every lane of the instance, account by account, after `after`; for recovery at the start.
    fn lanes(&self, after: Option<LanePlace>, limit: usize) -> Result<Vec<LanePlace>, Error> {
        let span = after_id(Span::table(Table::Lanes), after.map(Key::Lane));
        Ok(places(self.scan(&span, Order::Ascending, limit)?).collect())
    }

    /// Deliveries that were marked as being in `state`, in the order of their making.
    fn attention(
        &self,
        organization: OrganizationId,
        state: u8,
        limit: usize,
    ) -> Result<Vec<DeliveryId>, Error> {
        let rows = self.scan(&Span::attention(organization, state), Order::Ascending, limit)?;
        Ok(rows.into_iter().filter_map(|(key, _)| marked(&key)).collect())
    }

    /// Empty before anything was taken.
    fn budgets(&self, organization: OrganizationId, owner: &Owner) -> Result<Budgets, Error> {
        let key = Key::Pace { organization, owner: owner.clone() };
        Ok(record(self, &key)?.unwrap_or_default())
    }

    /// By the hash of its state.
    fn login(&self, state: [u8; 32]) -> Result<Option<PendingLogin>, Error> {
        record(self, &Key::OauthLogin { state })
    }

    /// By the hash of its login's state.
    fn choice(&self, state: [u8; 32]) -> Result<Option<PendingChoice>, Error> {
        record(self, &Key::OauthChoice { state })
    }

    /// By the hash of the caller's key.
    fn remembered(
        &self,
        organization: OrganizationId,
        key: [u8; 32],
    ) -> Result<Option<Remembered>, Error> {
        record(self, &Key::Idempotency { organization, key })
    }
}

impl Read for Shelf {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        self.value(&key.encode())
    }

    fn scan(&self, span: &Span, order: Order, limit: usize) -> Result<Vec<(Key, Vec<u8>)>, Error> {
        decoded(self.values(span, order, |_| true, limit)?)
    }
}

pub(super) fn decoded(rows: Values) -> Result<Vec<(Key, Vec<u8>)>, Error> {
    rows.into_iter()
        .map(|(key, value)| match Key::decode(&key) {
            Some(key) => Ok((key, value)),
            None => Err(Error::unreadable(describe(&key), "its key is not one that we write")),
        })
        .collect()
}

pub(super) fn number(key: &Key, value: &[u8]) -> Result<u64, Error> {
    <[u8; 8]>::try_from(value)
        .map(u64::from_be_bytes)
        .map_err(|_| Error::unreadable(format!("the record {key:?}"), "it is not a number"))
}

pub(super) fn pause_key() -> Key {
    Key::Meta { name: "pause".to_owned() }
}

pub(super) fn app_key(organization: Option<OrganizationId>, platform: &str, server: &str) -> Key {
    Key::App {
        organization: organization.unwrap_or(INSTANCE),
        platform: platform.to_owned(),
        server: server.to_owned(),
    }
}

pub(super) fn record<R: Record>(
    read: &(impl Read + ?Sized),
    key: &Key,
) -> Result<Option<R>, Error> {
    read.get(key)?.map(|value| decode(key, &value)).transpose()
}

pub(super) fn records<R: Record>(
    read: &(impl Read + ?Sized),
    span: &Span,
    order: Order,
    limit: usize,
) -> Result<Vec<R>, Error> {
    let rows = read.scan(span, order, limit)?;
    rows.into_iter().map(|(key, value)| decode(&key, &value)).collect()
}

fn after_id(span: Span, after: Option<Key>) -> Span {
    match after {
        Some(key) => span.after(&key),
        None => span,
    }
}

fn before_id(span: Span, before: Option<Key>) -> Span {
    match before {
        Some(key) => span.before(&key),
        None => span,
    }
}

fn timers(rows: Vec<(Key, Vec<u8>)>) -> impl Iterator<Item = Timer> {
    rows.into_iter()
        .filter_map(|(key, _)| if let Key::Timer(timer) = key { Some(timer) } else { None })
}

fn places(rows: Vec<(Key, Vec<u8>)>) -> impl Iterator<Item = LanePlace> {
    rows.into_iter()
        .filter_map(|(key, _)| if let Key::Lane(place) = key { Some(place) } else { None })
}

fn marked(key: &Key) -> Option<DeliveryId> {
    if let Key::Attention { delivery, .. } = key { Some(*delivery) } else { None }
}
