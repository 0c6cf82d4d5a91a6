//! The accounts of one simulated platform. Whoever signs in under a new handle gets an account.

use std::collections::HashMap;

use crate::domain::time::Timestamp;

pub(crate) struct Person {
    /// What the platform calls the account: a number, or a DID.
    pub(crate) id: String,
    pub(crate) handle: String,
    pub(crate) joined: Timestamp,
}

/// Accounts are known to the rest of the sandbox by their place in this list.
#[derive(Default)]
pub(crate) struct People {
    list: Vec<Person>,
    by_handle: HashMap<String, usize>,
    by_id: HashMap<String, usize>,
}

impl People {
    pub(crate) fn get(&self, number: usize) -> &Person {
        &self.list[number]
    }

    pub(crate) fn by_handle(&self, handle: &str) -> Option<usize> {
        self.by_handle.get(&handle.to_ascii_lowercase()).copied()
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The account of that handle; `id` is only asked for when there is none yet.
    pub(crate) fn welcome(
        &mut self,
        handle: &str,
        now: Timestamp,
        id: impl FnOnce() -> String,
    ) -> usize {
        if let Some(known) = self.by_handle(handle) {
            return known;
        }
        let number = self.list.len();
        let id = id();
        self.by_id.insert(id.clone(), number);
        self.by_handle.insert(handle.to_ascii_lowercase(), number);
        let handle = handle.to_owned();
        self.list.push(Person { id, handle, joined: now });
        number
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|person| person.handle.as_str())
    }
}
