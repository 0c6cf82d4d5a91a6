//! Bytes whose order is the order of what they stand for.
//!
//! Numbers are big-endian. Texts end in two zero bytes, and a zero inside is followed by 255.

use super::{Key, LanePlace, Owner, Table, Timer};
use crate::domain::{
    ids::{
        AccountId, DeliveryId, InvitationId, KeyId, MediaId, MemberId, OrganizationId, PostId,
        SessionId,
    },
    time::Timestamp,
};

pub(super) struct Encoder(pub(super) Vec<u8>);

impl Encoder {
    pub(super) fn new(table: Table) -> Encoder {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(table.byte());
        Encoder(bytes)
    }

    pub(super) fn byte(self, value: u8) -> Encoder {
        self.bytes(&[value])
    }

    pub(super) fn long(self, value: u64) -> Encoder {
        self.bytes(&value.to_be_bytes())
    }

    pub(super) fn wide(self, value: u128) -> Encoder {
        self.bytes(&value.to_be_bytes())
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Encoder {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn text(mut self, text: &str) -> Encoder {
        for &byte in text.as_bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(u8::MAX);
            }
        }
        self.bytes(&[0, 0])
    }

    pub(super) fn owner(self, owner: &Owner) -> Encoder {
        match owner {
            Owner::Account(account) => self.byte(1).wide(account.0),
            Owner::App { platform, server } => self.byte(2).text(platform).text(server),
            Owner::Itself => self.byte(3),
            Owner::Person(person) => self.byte(4).wide(person.0),
        }
    }
}

pub(super) struct Decoder<'a>(pub(super) &'a [u8]);

impl Decoder<'_> {
    pub(super) fn key(&mut self, table: Table) -> Option<Key> {
        Some(match table {
            Table::Meta => Key::Meta { name: self.text()? },
            Table::Organizations => Key::Organization(self.organization()?),
            Table::Members => Key::Member(self.organization()?, self.member()?),
            Table::ApiKeys => Key::ApiKey { hash: self.array()? },
            Table::ApiKeysOf => Key::ApiKeyOf(self.organization()?, KeyId(self.wide()?)),
            Table::Apps => Key::App {
                organization: self.organization()?,
                platform: self.text()?,
                server: self.text()?,
            },
            Table::People => Key::Person(self.member()?),
            Table::PeopleBy => Key::PersonBy { name: self.text()? },
            Table::Memberships => Key::Membership(self.member()?, self.organization()?),
            Table::Sessions => Key::Session(self.member()?, SessionId(self.wide()?)),
            Table::Invitations => Key::Invitation(self.organization()?, InvitationId(self.wide()?)),
            Table::Accounts => Key::Account(self.organization()?, self.account()?),
            Table::Secrets => Key::Secret {
                organization: self.organization()?,
                owner: self.owner()?,
                field: self.text()?,
            },
            Table::Posts => Key::Post(self.organization()?, PostId(self.wide()?)),
            Table::Deliveries => Key::Delivery(self.organization()?, self.delivery()?),
            Table::Media => Key::Media(self.organization()?, MediaId(self.wide()?)),
            Table::Timers => Key::Timer(Timer {
                due: self.timestamp()?,
                organization: self.organization()?,
                id: self.wide()?,
                kind: self.byte()?,
            }),
            Table::Lanes => Key::Lane(LanePlace {
                organization: self.organization()?,
                account: self.account()?,
                rank: self.byte()?,
                priority: self.byte()?,
                due: self.timestamp()?,
                delivery: self.delivery()?,
            }),
            Table::Attention => Key::Attention {
                organization: self.organization()?,
                state: self.byte()?,
                delivery: self.delivery()?,
            },
            Table::Paces => Key::Pace { organization: self.organization()?, owner: self.owner()? },
            Table::Events => {
                Key::Event { organization: self.organization()?, sequence: self.long()? }
            }
            Table::Sequences => Key::Sequence(self.organization()?),
            Table::Anchors => Key::Anchor(self.organization()?),
            Table::OauthLogins => Key::OauthLogin { state: self.array()? },
            Table::OauthChoices => Key::OauthChoice { state: self.array()? },
            Table::Idempotency => {
                Key::Idempotency { organization: self.organization()?, key: self.array()? }
            }
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn long(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn wide(&mut self) -> Option<u128> {
        self.array().map(u128::from_be_bytes)
    }

    fn timestamp(&mut self) -> Option<Timestamp> {
        self.long().map(Timestamp)
    }

    fn organization(&mut self) -> Option<OrganizationId> {
        self.wide().map(OrganizationId)
    }

    fn member(&mut self) -> Option<MemberId> {
        self.wide().map(MemberId)
    }

    fn account(&mut self) -> Option<AccountId> {
        self.wide().map(AccountId)
    }

    fn delivery(&mut self) -> Option<DeliveryId> {
        self.wide().map(DeliveryId)
    }

    fn owner(&mut self) -> Option<Owner> {
        match self.byte()? {
            1 => Some(Owner::Account(self.account()?)),
            2 => Some(Owner::App { platform: self.text()?, server: self.text()? }),
            3 => Some(Owner::Itself),
            4 => Some(Owner::Person(self.member()?)),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        let mut text = Vec::new();
        loop {
            match (self.byte()?, self.0.first()) {
                (0, Some(&u8::MAX)) => {
                    self.byte()?;
                    text.push(0);
                }
                (0, Some(0)) => {
                    self.byte()?;
                    return String::from_utf8(text).ok();
                }
                (0, _) => return None,
                (byte, _) => text.push(byte),
            }
        }
    }
}
