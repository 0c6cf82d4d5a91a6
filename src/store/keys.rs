//! Where each record lives: a one-byte table, then the organization, then the rest.
//!
//! Invariants:
//! - the order of encoded keys is the order of [`Key`]s, so a scan finds neighbours together;
//! - a key reads back as what it was written from;
//! - no key is a prefix of a key of another record.

mod encoding;

use self::encoding::{Decoder, Encoder};
use crate::domain::{
    ids::{
        AccountId, DeliveryId, InvitationId, KeyId, MediaId, MemberId, OrganizationId, PostId,
        SessionId,
    },
    time::Timestamp,
};

/// The instance itself, where an organization is expected.
pub const INSTANCE: OrganizationId = OrganizationId(0);

/// The order of variants is the order of tables in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Of the store itself: its version, its epoch.
    Meta {
        name: String,
    },
    Organization(OrganizationId),
    Member(OrganizationId, MemberId),
    /// An API key by the hash of its text.
    ApiKey {
        hash: [u8; 32],
    },
    /// Which hash an API key has.
    ApiKeyOf(OrganizationId, KeyId),
    App {
        organization: OrganizationId,
        platform: String,
        server: String,
    },
    Person(MemberId),
    /// Whose an address is, or a name at the provider of single sign-on.
    PersonBy {
        name: String,
    },
    /// Where a person is a member.
    Membership(MemberId, OrganizationId),
    Session(MemberId, SessionId),
    Invitation(OrganizationId, InvitationId),
    Account(OrganizationId, AccountId),
    /// A sealed secret.
    Secret {
        organization: OrganizationId,
        owner: Owner,
        field: String,
    },
    Post(OrganizationId, PostId),
    Delivery(OrganizationId, DeliveryId),
    Media(OrganizationId, MediaId),
    /// The due come first, whoever they belong to.
    Timer(Timer),
    /// What waits on an account, in the order in which it goes out.
    Lane(LanePlace),
    /// Deliveries in a state that somebody looks for.
    Attention {
        organization: OrganizationId,
        state: u8,
        delivery: DeliveryId,
    },
    /// The rate budgets of an account or an app.
    Pace {
        organization: OrganizationId,
        owner: Owner,
    },
    Event {
        organization: OrganizationId,
        sequence: u64,
    },
    /// The last sequence that an organization's events have used.
    Sequence(OrganizationId),
    /// What the oldest of an organization's events is linked to.
    Anchor(OrganizationId),
    /// A login that was begun and not finished, by the hash of its state.
    OauthLogin {
        state: [u8; 32],
    },
    /// The answer to a request that may be repeated, by the hash of its key.
    Idempotency {
        organization: OrganizationId,
        key: [u8; 32],
    },
    /// What there is to choose from after a login, by the hash of its state.
    OauthChoice {
        state: [u8; 32],
    },
}

/// "Do this at that instant". `kind` is the owner's business; with `id` it says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    pub due: Timestamp,
    pub organization: OrganizationId,
    pub id: u128,
    pub kind: u8,
}

/// A delivery's place on its account's lane: lower ranks first, then lower priorities, then time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LanePlace {
    pub organization: OrganizationId,
    pub account: AccountId,
    pub rank: u8,
    pub priority: u8,
    pub due: Timestamp,
    pub delivery: DeliveryId,
}

/// Whose secret, or whose budgets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Account(AccountId),
    App {
        platform: String,
        server: String,
    },
    /// The instance or the organization itself.
    Itself,
    Person(MemberId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Table {
    Meta = 0x01,
    Organizations = 0x10,
    Members = 0x11,
    ApiKeys = 0x12,
    ApiKeysOf = 0x13,
    Apps = 0x14,
    People = 0x15,
    PeopleBy = 0x16,
    Memberships = 0x17,
    Sessions = 0x18,
    Invitations = 0x19,
    Accounts = 0x20,
    Secrets = 0x21,
    Posts = 0x30,
    Deliveries = 0x31,
    Media = 0x32,
    Timers = 0x40,
    Lanes = 0x41,
    Attention = 0x42,
    Paces = 0x43,
    Events = 0x50,
    Sequences = 0x51,
    Anchors = 0x52,
    OauthLogins = 0x60,
    Idempotency = 0x61,
    OauthChoices = 0x62,
}

/// Rows that continue a long value: this, the whole key, then the number of the row.
pub(super) const CONTINUATION: u8 = 0xf0;

/// Whether values of a table may be longer than one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    OneRow,
    Any,
}

/// Keys from `from` up to, but not including, `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub(super) from: Vec<u8>,
    pub(super) until: Vec<u8>,
}

impl Key {
    pub fn table(&self) -> Table {
        match self {
            Key::Meta { .. } => Table::Meta,
            Key::Organization(_) => Table::Organizations,
            Key::Member(..) => Table::Members,
            Key::ApiKey { .. } => Table::ApiKeys,
            Key::ApiKeyOf(..) => Table::ApiKeysOf,
            Key::App { .. } => Table::Apps,
            Key::Person(_) => Table::People,
            Key::PersonBy { .. } => Table::PeopleBy,
            Key::Membership(..) => Table::Memberships,
            Key::Session(..) => Table::Sessions,
            Key::Invitation(..) => Table::Invitations,
            Key::Account(..) => Table::Accounts,
            Key::Secret { .. } => Table::Secrets,
            Key::Post(..) => Table::Posts,
            Key::Delivery(..) => Table::Deliveries,
            Key::Media(..) => Table::Media,
            Key::Timer(_) => Table::Timers,
            Key::Lane(_) => Table::Lanes,
            Key::Attention { .. } => Table::Attention,
            Key::Pace { .. } => Table::Paces,
            Key::Event { .. } => Table::Events,
            Key::Sequence(_) => Table::Sequences,
            Key::Anchor(_) => Table::Anchors,
            Key::OauthLogin { .. } => Table::OauthLogins,
            Key::Idempotency { .. } => Table::Idempotency,
            Key::OauthChoice { .. } => Table::OauthChoices,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let key = Encoder::new(self.table());
        match self {
            Key::Meta { name } => key.text(name),
            Key::Organization(organization)
            | Key::Sequence(organization)
            | Key::Anchor(organization) => key.wide(organization.0),
            Key::Member(organization, id) => key.wide(organization.0).wide(id.0),
            Key::ApiKey { hash } => key.bytes(hash),
            Key::ApiKeyOf(organization, id) => key.wide(organization.0).wide(id.0),
            Key::App { organization, platform, server } => {
                key.wide(organization.0).text(platform).text(server)
            }
            Key::Person(id) => key.wide(id.0),
            Key::PersonBy { name } => key.text(name),
            Key::Membership(person, organization) => key.wide(person.0).wide(organization.0),
            Key::Session(person, id) => key.wide(person.0).wide(id.0),
            Key::Invitation(organization, id) => key.wide(organization.0).wide(id.0),
            Key::Account(organization, id) => key.wide(organization.0).wide(id.0),
            Key::Secret { organization, owner, field } => {
                key.wide(organization.0).owner(owner).text(field)
            }
            Key::Post(organization, id) => key.wide(organization.0).wide(id.0),
            Key::Delivery(organization, id) => key.wide(organization.0).wide(id.0),
            Key::Media(organization, id) => key.wide(organization.0).wide(id.0),
            Key::Timer(timer) => {
                key.long(timer.due.0).wide(timer.organization.0).wide(timer.id).byte(timer.kind)
            }
            Key::Lane(place) => key
                .wide(place.organization.0)
                .wide(place.account.0)
                .byte(place.rank)
                .byte(place.priority)
                .long(place.due.0)
                .wide(place.delivery.0),
            Key::Attention { organization, state, delivery } => {
                key.wide(organization.0).byte(*state).wide(delivery.0)
            }
            Key::Pace { organization, owner } => key.wide(organization.0).owner(owner),
            Key::Event { organization, sequence } => key.wide(organization.0).long(*sequence),
            Key::OauthLogin { state } | Key::OauthChoice { state } => key.bytes(state),
            Key::Idempotency { organization, key: hash } => key.wide(organization.0).bytes(hash),
        }
        .0
    }

    /// `None` for bytes that [`Key::encode`] never writes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Key> {
        let (&table, rest) = bytes.split_first()?;
        let mut rest = Decoder(rest);
        let key = rest.key(Table::from_byte(table)?)?;
        rest.0.is_empty().then_some(key)
    }
}

impl Table {
    pub(super) const ALL: [Table; 26] = [
        Table::Meta,
        Table::Organizations,
        Table::Members,
        Table::ApiKeys,
        Table::ApiKeysOf,
        Table::Apps,
        Table::People,
        Table::PeopleBy,
        Table::Memberships,
        Table::Sessions,
        Table::Invitations,
        Table::Accounts,
        Table::Secrets,
        Table::Posts,
        Table::Deliveries,
        Table::Media,
        Table::Timers,
        Table::Lanes,
        Table::Attention,
        Table::Paces,
        Table::Events,
        Table::Sequences,
        Table::Anchors,
        Table::OauthLogins,
        Table::Idempotency,
        Table::OauthChoices,
    ];

    fn byte(self) -> u8 {
        self as u8
    }

    fn from_byte(byte: u8) -> Option<Table> {
        Table::ALL.into_iter().find(|table| table.byte() == byte)
    }

    /// Writing to a table of one-row values never has to look for rows to clean up.
    pub(super) fn length(self) -> Length {
        match self {
            Table::ApiKeysOf
            | Table::PeopleBy
            | Table::Memberships
            | Table::Timers
            | Table::Lanes
            | Table::Attention
            | Table::Sequences
            | Table::Anchors => Length::OneRow,
            Table::Meta
            | Table::Organizations
            | Table::Members
            | Table::ApiKeys
            | Table::Apps
            | Table::People
            | Table::Sessions
            | Table::Invitations
            | Table::Accounts
            | Table::Secrets
            | Table::Posts
            | Table::Deliveries
            | Table::Media
            | Table::Paces
            | Table::Events
            | Table::OauthLogins
            | Table::Idempotency
            | Table::OauthChoices => Length::Any,
        }
    }
}

impl Span {
    /// All records, whatever their table.
    pub(super) fn everything() -> Span {
        Span { from: Vec::new(), until: vec![CONTINUATION] }
    }

    pub fn table(table: Table) -> Span {
        Span { from: vec![table.byte()], until: vec![table.byte() + 1] }
    }

    /// One organization's part of a table whose keys begin with the organization.
    pub fn organization(table: Table, organization: OrganizationId) -> Span {
        Span::prefix(Encoder::new(table).wide(organization.0).0)
    }

    /// Timers that are due at `now` or earlier.
    pub fn timers_due(now: Timestamp) -> Span {
        Span::timers_between(Timestamp(0), now)
    }

    /// Timers that are due at `from` or later, and at `until` or earlier.
    pub fn timers_between(from: Timestamp, until: Timestamp) -> Span {
        let table = Span::table(Table::Timers);
        let from = Encoder::new(Table::Timers).long(from.0).0;
        match until.0.checked_add(1) {
            Some(next) => Span { from, until: Encoder::new(Table::Timers).long(next).0 },
            None => Span { from, ..table },
        }
    }

    pub fn lane(organization: OrganizationId, account: AccountId) -> Span {
        Span::prefix(Encoder::new(Table::Lanes).wide(organization.0).wide(account.0).0)
    }

    pub fn attention(organization: OrganizationId, state: u8) -> Span {
        Span::prefix(Encoder::new(Table::Attention).wide(organization.0).byte(state).0)
    }

    /// Secrets of one owner.
    pub fn secrets(organization: OrganizationId, owner: &Owner) -> Span {
        Span::prefix(Encoder::new(Table::Secrets).wide(organization.0).owner(owner).0)
    }

    /// One person's part of a table whose keys begin with the person.
    pub fn person(table: Table, person: MemberId) -> Span {
        Span::prefix(Encoder::new(table).wide(person.0).0)
    }

    /// Only what comes after `key`.
    pub fn after(self, key: &Key) -> Span {
        let mut from = key.encode();
        from.push(0); // the very next key there could be
        Span { from: from.max(self.from), until: self.until }
    }

    /// Only what comes before `key`.
    pub fn before(self, key: &Key) -> Span {
        Span { until: key.encode().min(self.until), from: self.from }
    }

    fn prefix(from: Vec<u8>) -> Span {
        let mut until = from.clone();
        while until.last() == Some(&u8::MAX) {
            until.pop();
        }
        // The table's byte is never 255, so something is left to count up.
        if let Some(last) = until.last_mut() {
            *last += 1;
        }
        Span { from, until }
    }
}

#[cfg(test)]
mod tests;
