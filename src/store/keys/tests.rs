//! Keys encode in order and read back.

use proptest::prelude::*;

use super::*;

/// Small numbers and short texts, so that many keys share their beginnings.
fn any_key() -> impl Strategy<Value = Key> {
    let wide = || prop_oneof![0..3_u128, any::<u128>()];
    let long = || prop_oneof![0..3_u64, any::<u64>()];
    let text = || prop_oneof!["[\\x00-\\x02a]{0,3}", ".{0,8}"];
    let hash = || prop_oneof![Just([0; 32]), any::<[u8; 32]>()];
    let numbers = (wide(), wide(), wide(), long(), any::<u8>(), any::<u8>());
    (0..Table::ALL.len(), numbers, text(), text(), hash(), 0..4_u8).prop_map(
        |(table, (first, second, third, long, small, other), name, more, hash, owner)| {
            let organization = OrganizationId(first);
            let due = Timestamp(long);
            let account = AccountId(second);
            let delivery = DeliveryId(third);
            let owner = match owner {
                0 => Owner::Account(account),
                1 => Owner::App { platform: more.clone(), server: name.clone() },
                2 => Owner::Itself,
                _ => Owner::Person(MemberId(second)),
            };
            match Table::ALL[table] {
                Table::Meta => Key::Meta { name },
                Table::Organizations => Key::Organization(organization),
                Table::Members => Key::Member(organization, MemberId(second)),
                Table::ApiKeys => Key::ApiKey { hash },
                Table::ApiKeysOf => Key::ApiKeyOf(organization, KeyId(second)),
                Table::Apps => Key::App { organization, platform: name, server: more },
                Table::People => Key::Person(MemberId(first)),
                Table::PeopleBy => Key::PersonBy { name },
                Table::Memberships => Key::Membership(MemberId(first), OrganizationId(second)),
                Table::Sessions => Key::Session(MemberId(first), SessionId(second)),
                Table::Invitations => Key::Invitation(organization, InvitationId(second)),
                Table::Accounts => Key::Account(organization, account),
                Table::Secrets => Key::Secret { organization, owner, field: name },
                Table::Posts => Key::Post(organization, PostId(second)),
                Table::Deliveries => Key::Delivery(organization, delivery),
                Table::Media => Key::Media(organization, MediaId(second)),
                Table::Timers => Key::Timer(Timer { due, organization, id: second, kind: small }),
                Table::Lanes => Key::Lane(LanePlace {
                    organization,
                    account,
                    rank: small,
                    priority: other,
                    due,
                    delivery,
                }),
                Table::Attention => Key::Attention { organization, state: small, delivery },
                Table::Paces => Key::Pace { organization, owner },
                Table::Events => Key::Event { organization, sequence: long },
                Table::Sequences => Key::Sequence(organization),
                Table::Anchors => Key::Anchor(organization),
                Table::OauthLogins => Key::OauthLogin { state: hash },
                Table::OauthChoices => Key::OauthChoice { state: hash },
                Table::Idempotency => Key::Idempotency { organization, key: hash },
            }
        },
    )
}

proptest! {
    #[test]
    fn encoded_order_is_the_order_of_keys(left in any_key(), right in any_key()) {
        prop_assert_eq!(left.encode().cmp(&right.encode()), left.cmp(&right));
    }

    #[test]
    fn key_reads_back(key in any_key()) {
        prop_assert_eq!(Key::decode(&key.encode()), Some(key));
    }

    #[test]
    fn bytes_that_are_no_key_are_refused_without_a_panic(bytes: Vec<u8>) {
        if let Some(key) = Key::decode(&bytes) {
            prop_assert_eq!(key.encode(), bytes);
        }
    }
}

#[test]
fn span_of_an_organization_holds_its_own_keys_and_no_others() {
    for organization in [0, 1, 255, u128::MAX - 1, u128::MAX] {
        let span = Span::organization(Table::Posts, OrganizationId(organization));
        let inside = |organization, post| {
            let key = Key::Post(OrganizationId(organization), PostId(post)).encode();
            span.from <= key && key < span.until
        };
        assert!(inside(organization, 0) && inside(organization, u128::MAX));
        assert!(!inside(organization.wrapping_add(1), 0));
        assert!(!inside(organization.wrapping_sub(1), u128::MAX));
    }
}

#[test]
fn due_timers_include_this_millisecond_and_not_the_next() {
    let span = Span::timers_due(Timestamp(7));
    let timer = |due| {
        Key::Timer(Timer { due: Timestamp(due), organization: INSTANCE, id: u128::MAX, kind: 255 })
            .encode()
    };
    assert!(span.from <= timer(0) && timer(7) < span.until && timer(8) >= span.until);
    let always = Span::timers_due(Timestamp(u64::MAX));
    assert!(always.from <= timer(0) && timer(u64::MAX) < always.until);
    assert!(Span::timers_between(Timestamp(7), Timestamp(7)).from > timer(6));
}
