//! Sealing anew what a retired key has sealed, so that the key can be forgotten.

use crate::{
    domain::{
        delivery::Delivery,
        login::{PendingChoice, PendingLogin},
    },
    store::{
        Store,
        error::Error,
        keys::{Key, Span, Table},
        kv::Order,
        opening::check_key,
        read::Read,
        records::{decode, encode},
        vault::{SealedWith, Vault},
        view::View,
    },
};

/// How many sealed texts there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    pub current: usize,
    pub retired: usize,
    /// By a key that we do not have.
    pub strange: usize,
}

/// What a piece of a table holds.
#[derive(Debug)]
pub struct Look {
    pub sealed: Sealed,
    /// Sealed with a retired key.
    pub due: Vec<Key>,
    /// Where the next piece begins; `None` after the last.
    pub next: Option<Key>,
}

impl Sealed {
    pub fn and(self, other: Sealed) -> Sealed {
        Sealed {
            current: self.current + other.current,
            retired: self.retired + other.retired,
            strange: self.strange + other.strange,
        }
    }
}

impl Store {
    /// The tables in which something sealed may lie.
    pub const SEALED: [Table; 4] =
        [Table::Secrets, Table::Deliveries, Table::OauthLogins, Table::OauthChoices];

    /// Looks at up to `limit` rows of a table, after `after`.
    pub fn sealed(&self, table: Table, after: Option<&Key>, limit: usize) -> Result<Look, Error> {
        let span = Span::table(table);
        let span = after.map_or(span.clone(), |after| span.after(after));
        let rows = self.scan(&span, Order::Ascending, limit)?;
        let next = if rows.len() < limit { None } else { rows.last().map(|(key, _)| key.clone()) };
        let mut look = Look { sealed: Sealed::default(), due: Vec::new(), next };
        for (key, value) in rows {
            // What cannot be read is told by whoever needs it.
            let Ok(Some(text)) = sealed_in(&key, &value) else { continue };
            match self.vault().sealed_with(&text) {
                Some(SealedWith::Current) => look.sealed.current += 1,
                Some(SealedWith::Retired) => {
                    look.sealed.retired += 1;
                    look.due.push(key);
                }
                // An earlier version left steps unsealed.
                None if table == Table::Deliveries => {}
                None => look.sealed.strange += 1,
            }
        }
        Ok(look)
    }
}

impl View {
    /// Seals one record's secret with the current key, if a retired one has sealed it. One that is
    /// damaged stays as it is.
    pub fn reseal(&mut self, key: &Key) -> Result<(), Error> {
        let Some(value) = self.get(key)? else { return Ok(()) };
        let Some(text) = sealed_in(key, &value)? else { return Ok(()) };
        let Some(anew) = anew(&self.vault, key, &text) else { return Ok(()) };
        let table = key.table();
        let value = if table == Table::Deliveries {
            encode(&Delivery { step: anew, ..decode(key, &value)? })
        } else if table == Table::OauthLogins {
            encode(&PendingLogin { verifier: anew, ..decode(key, &value)? })
        } else if table == Table::OauthChoices {
            encode(&PendingChoice { sealed: anew, ..decode(key, &value)? })
        } else {
            anew
        };
        self.put(key, value)
    }

    /// The store says from now on that the current key is the one that it was made with.
    pub fn adopt_key(&mut self) -> Result<(), Error> {
        let check = self.vault.check(&check_key());
        self.put(&check_key(), check)
    }
}

fn anew(vault: &Vault, key: &Key, text: &[u8]) -> Option<Vec<u8>> {
    match vault.open_with(key, text) {
        Ok((secret, SealedWith::Retired)) => Some(vault.seal(key, &secret)),
        Ok((_, SealedWith::Current)) | Err(_) => None,
    }
}

/// What a vault has sealed in a record, if it has one with something.
fn sealed_in(key: &Key, value: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let table = key.table();
    let text = if table == Table::Secrets {
        value.to_vec()
    } else if table == Table::Deliveries {
        decode::<Delivery>(key, value)?.step
    } else if table == Table::OauthLogins {
        decode::<PendingLogin>(key, value)?.verifier
    } else if table == Table::OauthChoices {
        decode::<PendingChoice>(key, value)?.sealed
    } else {
        return Ok(None);
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}
