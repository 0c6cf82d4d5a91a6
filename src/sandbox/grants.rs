//! Who may do what: grants, the tokens issued under them, and what becomes of those.
//!
//! Invariant: a token of a revoked grant is never live again.

use std::{collections::HashMap, time::Duration};

use crate::domain::time::Timestamp;

struct Grant {
    /// `None` for an app that acts for nobody.
    account: Option<usize>,
    client: String,
    scopes: Vec<String>,
    standing: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Live,
    Revoked,
}

struct Access {
    grant: usize,
    expires_at: Option<Timestamp>,
}

struct Refresh {
    grant: usize,
    expires_at: Option<Timestamp>,
    /// When it was exchanged, and for what.
    spent: Option<(Timestamp, Pair)>,
}

#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// What an access token is worth at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Worth {
    Live { grant: usize, account: Option<usize> },
    Expired,
    Revoked,
    Unknown,
}

/// What a refresh token is worth at an instant.
pub(crate) enum RefreshWorth {
    Fresh { grant: usize },
    Spent { grant: usize, age: Duration, pair: Pair },
    Expired,
    Revoked,
    Unknown,
}

#[derive(Default)]
pub(crate) struct Grants {
    grants: Vec<Grant>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
}

impl Grants {
    pub(crate) fn open(
        &mut self,
        account: Option<usize>,
        client: &str,
        scopes: Vec<String>,
    ) -> usize {
        self.grants.push(Grant {
            account,
            client: client.to_owned(),
            scopes,
            standing: Standing::Live,
        });
        self.grants.len() - 1
    }

    pub(crate) fn issue_access(
        &mut self,
        grant: usize,
        token: &str,
        expires_at: Option<Timestamp>,
    ) {
        let access = Access { grant, expires_at };
        self.access.insert(token.to_owned(), access);
    }

    pub(crate) fn issue_refresh(
        &mut self,
        grant: usize,
        token: &str,
        expires_at: Option<Timestamp>,
    ) {
        let refresh = Refresh { grant, expires_at, spent: None };
        self.refresh.insert(token.to_owned(), refresh);
    }

    pub(crate) fn judge(&self, token: &str, now: Timestamp) -> Worth {
        let Some(access) = self.access.get(token) else {
            return Worth::Unknown;
        };
        let grant = &self.grants[access.grant];
        if grant.standing == Standing::Revoked {
            return Worth::Revoked;
        }
        if access.expires_at.is_some_and(|end| end <= now) {
            return Worth::Expired;
        }
        Worth::Live { grant: access.grant, account: grant.account }
    }

    pub(crate) fn judge_refresh(&self, token: &str, now: Timestamp) -> RefreshWorth {
        let Some(refresh) = self.refresh.get(token) else {
            return RefreshWorth::Unknown;
        };
        let grant = refresh.grant;
        if self.grants[grant].standing == Standing::Revoked {
            return RefreshWorth::Revoked;
        }
        if refresh.expires_at.is_some_and(|end| end <= now) {
            return RefreshWorth::Expired;
        }
        match &refresh.spent {
            None => RefreshWorth::Fresh { grant },
            Some((at, pair)) => {
                RefreshWorth::Spent { grant, age: at.elapsed(now), pair: pair.clone() }
            }
        }
    }

    pub(crate) fn spend(&mut self, token: &str, now: Timestamp, pair: Pair) {
        if let Some(refresh) = self.refresh.get_mut(token) {
            refresh.spent = Some((now, pair));
        }
    }

    pub(crate) fn client(&self, grant: usize) -> &str {
        &self.grants[grant].client
    }

    pub(crate) fn account(&self, grant: usize) -> Option<usize> {
        self.grants[grant].account
    }

    pub(crate) fn scopes(&self, grant: usize) -> &[String] {
        &self.grants[grant].scopes
    }

    /// The grant behind an access or refresh token, whatever either is worth.
    pub(crate) fn behind(&self, token: &str) -> Option<usize> {
        let access = self.access.get(token).map(|access| access.grant);
        access.or_else(|| self.refresh.get(token).map(|refresh| refresh.grant))
    }

    pub(crate) fn revoke(&mut self, grant: usize) {
        self.grants[grant].standing = Standing::Revoked;
    }

    /// One token only, as OAuth's revocation of an access token may do.
    pub(crate) fn expire(&mut self, token: &str, now: Timestamp) {
        if let Some(access) = self.access.get_mut(token) {
            access.expires_at = Some(now);
        }
        if let Some(refresh) = self.refresh.get_mut(token) {
            refresh.expires_at = Some(now);
        }
    }
}
