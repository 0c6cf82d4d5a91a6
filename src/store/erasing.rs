//! Erasing all that an organization has, a piece in each commit.
//!
//! Invariant: the organization's own record goes last, by whoever erases; until then it says that
//! there may be more.

use crate::{
    domain::ids::OrganizationId,
    store::{
        error::Error,
        keys::{Key, Span, Table},
        kv::Order,
        people::ReadPeople,
        read::Read,
        view::View,
    },
};

/// What opens a door first, then what is secret, then the rest. Timers and logins that were begun
/// have keys of other kinds.
const TABLES: [Table; 16] = [
    Table::ApiKeysOf,
    Table::Members,
    Table::Invitations,
    Table::Secrets,
    Table::Apps,
    Table::Lanes,
    Table::Attention,
    Table::Accounts,
    Table::Deliveries,
    Table::Posts,
    Table::Media,
    Table::Paces,
    Table::Idempotency,
    Table::Events,
    Table::Sequences,
    Table::Anchors,
];

impl View {
    /// Deletes up to `limit` of what the organization has; zero when nothing is left but its own
    /// record. Who is in no other organization is forgotten with their membership.
    pub fn erase(&mut self, organization: OrganizationId, limit: usize) -> Result<usize, Error> {
        for table in TABLES {
            let span = Span::organization(table, organization);
            let rows = self.scan(&span, Order::Ascending, limit)?;
            for (key, _) in &rows {
                if let Key::ApiKeyOf(organization, id) = *key {
                    self.delete_api_key(organization, id)?;
                } else if let Key::Member(organization, id) = *key {
                    self.delete_member(organization, id)?;
                    if let Some(person) = self.person(id)?
                        && self.memberships(id)?.is_empty()
                    {
                        self.delete_person(&person)?;
                    }
                } else {
                    self.delete(key)?;
                }
            }
            if !rows.is_empty() {
                return Ok(rows.len());
            }
        }
        Ok(0)
    }

    pub fn delete_organization(&mut self, organization: OrganizationId) -> Result<(), Error> {
        self.delete(&Key::Organization(organization))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new table is either erased with its organization or named here with the reason.
    #[test]
    fn every_table_is_erased_or_known_to_be_no_organization_s() {
        let others = [
            Table::Meta,
            // Last, by whoever erases.
            Table::Organizations,
            // By hash: deleted through `ApiKeysOf`.
            Table::ApiKeys,
            // Of people, who may be elsewhere too.
            Table::People,
            Table::PeopleBy,
            Table::Memberships,
            Table::Sessions,
            // By their time, and by the hash of a state: found by whoever erases.
            Table::Timers,
            Table::OauthLogins,
            Table::OauthChoices,
        ];
        for table in Table::ALL {
            assert!(TABLES.contains(&table) != others.contains(&table), "{table:?}");
        }
    }
}
