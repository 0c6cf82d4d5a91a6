//! Choosing, after signing in, which pages or organizations become accounts.
//!
//! Invariant: a choice may be made again until it expires; whoever was chosen before stays what it
//! is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    connectors::{Grant, Target},
    domain::{
        account::{Account, Connection, Identity},
        login::{PendingChoice, PendingTarget},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::unexpected,
        facade::{
            Caller, Choice, ChoiceTarget,
            arriving::{Arrival, Newcomer},
            connecting::{hash, name_of, state_named},
        },
    },
    policy::permission::Verb,
    store::{Key, Read},
};

impl Engine {
    /// A connection that was begun, with what there is to choose from; for programs.
    pub fn connection(&self, caller: &Caller, name: &str) -> Answer<Choice> {
        caller.may(Verb::ConnectionsShow)?;
        let state = state_named(name).ok_or_else(unknown_connection)?;
        let choice = self.choice_at(state)?;
        if choice.organization != caller.organization {
            return Err(unknown_connection());
        }
        self.choice_of(state, &choice)
    }

    /// Connects the chosen pages. Arriving twice, or with more of them, it connects what is not
    /// connected yet; the others stay as they are.
    pub async fn choose(
        &self,
        caller: &Caller,
        name: &str,
        chosen: &[String],
    ) -> Answer<Vec<Account>> {
        caller.may(Verb::ConnectionsChoose)?;
        self.refuse_when_stopping()?;
        let state = state_named(name).ok_or_else(unknown_connection)?;
        let choice = self.choice_at(state)?;
        if choice.organization != caller.organization {
            return Err(unknown_connection());
        }
        self.take_chosen(state, choice, chosen).await
    }

    /// The same from the page that the platform led the person back to: they prove who they are by
    /// the state, which nobody else was ever given.
    pub async fn choose_as_visitor(
        &self,
        platform: &str,
        state: &str,
        chosen: &[String],
    ) -> Answer<Vec<Account>> {
        self.refuse_when_stopping()?;
        let (state, choice) = self.visited(platform, state)?;
        self.take_chosen(state, choice, chosen).await
    }

    /// What there is to choose from, for that person.
    pub fn choice_of_visitor(&self, platform: &str, state: &str) -> Answer<Choice> {
        let (state, choice) = self.visited(platform, state)?;
        self.choice_of(state, &choice)
    }

    fn visited(&self, platform: &str, state: &str) -> Answer<([u8; 32], PendingChoice)> {
        let state = hash(state);
        let (now, choice) = (self.core.now(), self.core.store.choice(state)?);
        let choice = choice.filter(|choice| choice.until > now && choice.platform == platform);
        choice.map(|choice| (state, choice)).ok_or_else(|| {
            Problem::new(
                Code::NotFound,
                "This choice is over: after signing in, it can be made for an hour.",
                "Begin to connect the account again.",
            )
        })
    }

    fn choice_at(&self, state: [u8; 32]) -> Answer<PendingChoice> {
        let now = self.core.now();
        let choice = self.core.store.choice(state)?;
        choice.filter(|choice| choice.until > now).ok_or_else(unknown_connection)
    }

    pub(super) fn choice_of(&self, state: [u8; 32], choice: &PendingChoice) -> Answer<Choice> {
        let accounts = self.core.store.accounts(choice.organization, None, usize::MAX)?;
        let connected = |identity: &Identity| {
            let same = accounts.iter().find(|account| {
                account.platform == choice.platform
                    && account.server == choice.server
                    && account.identity.remote_id == identity.remote_id
                    && account.connection == Connection::Connected
            });
            same.map(|account| account.id)
        };
        Ok(Choice {
            connection: name_of(state),
            platform: choice.platform.clone(),
            until: choice.until,
            missing_scopes: choice.missing_scopes.clone(),
            targets: choice
                .targets
                .iter()
                .map(|target| ChoiceTarget {
                    identity: target.identity.clone(),
                    obstacle: target.obstacle.clone(),
                    account: connected(&target.identity),
                })
                .collect(),
        })
    }

    pub(super) async fn take_chosen(
        &self,
        state: [u8; 32],
        choice: PendingChoice,
        chosen: &[String],
    ) -> Answer<Vec<Account>> {
        if chosen.is_empty() {
            let sentence = "Nothing was chosen.";
            let remedy = "Choose at least one.";
            return Err(Problem::new(Code::Invalid, sentence, remedy).at("targets"));
        }
        let kept = self
            .core
            .store
            .vault()
            .open(&Key::OauthChoice { state }, &choice.sealed)
            .map_err(Problem::from)?;
        let kept: Tokens = serde_json::from_str(kept.expose())
            .map_err(|_| unexpected("the tokens of a choice cannot be read"))?;
        let now = self.core.now();
        let mut newcomers = Vec::with_capacity(chosen.len());
        for (at, remote_id) in chosen.iter().enumerate() {
            let target = target_named(&choice, remote_id, at)?;
            newcomers.push(Newcomer {
                id: self.new_account(),
                platform: choice.platform.clone(),
                identity: target.identity.clone(),
                endpoints: choice.endpoints.clone(),
                grant: kept.grant_for(remote_id, &choice, now),
                missing_scopes: choice.missing_scopes.clone(),
                arrival: Arrival {
                    organization: choice.organization,
                    actor: choice.actor.clone(),
                    server: choice.server.clone(),
                    login: choice.login.clone(),
                    app: choice.app.clone(),
                    reconnect: choice.reconnect,
                },
            });
        }
        self.welcome(newcomers).await
    }
}

fn target_named<'a>(
    choice: &'a PendingChoice,
    remote_id: &str,
    at: usize,
) -> Answer<&'a PendingTarget> {
    let place = format!("targets[{at}]");
    let found = choice.targets.iter().find(|target| target.identity.remote_id == remote_id);
    let target = found.ok_or_else(|| {
        let sentence = format!("`{remote_id}` is none of the targets of this connection.");
        Problem::new(Code::Invalid, sentence, "Use an `id` from its `targets`.").at(&*place)
    })?;
    match &target.obstacle {
        None => Ok(target),
        Some(obstacle) => {
            let sentence = format!("{} cannot be connected: {obstacle}", target.identity.name);
            let remedy = "Mend that on the platform and sign in again, or leave it out.";
            Err(Problem::new(Code::Invalid, sentence, remedy).at(&*place))
        }
    }
}

fn unknown_connection() -> Problem {
    Problem::new(
        Code::NotFound,
        "There is nothing to choose for this connection: nobody has agreed to it yet, or it led to \
         one account alone, or it is over.",
        "Open its `visit_url` first. If that was done, look whether the account is in the list of \
         accounts; after an hour, begin to connect again.",
    )
}

/// What a choice keeps sealed.
#[derive(Serialize, Deserialize)]
struct Tokens {
    access: String,
    refresh: Option<String>,
    /// Targets with tokens of their own, which do not end.
    own: BTreeMap<String, String>,
}

pub(super) fn tokens_of(targets: &[Target], grant: &Grant) -> Answer<Secret> {
    let own = targets.iter().filter_map(|target| {
        let access = target.access.as_ref()?.expose().to_owned();
        Some((target.identity.remote_id.clone(), access))
    });
    let tokens = Tokens {
        access: grant.access.expose().to_owned(),
        refresh: grant.refresh.as_ref().map(|refresh| refresh.expose().to_owned()),
        own: own.collect(),
    };
    let written = serde_json::to_string(&tokens);
    written.map(Secret::new).map_err(|_| unexpected("the tokens of a choice cannot be written"))
}

impl Tokens {
    fn grant_for(&self, remote_id: &str, choice: &PendingChoice, now: Timestamp) -> Grant {
        let lasts = |ends: Option<Timestamp>| ends.map(|ends| now.elapsed(ends));
        match self.own.get(remote_id) {
            Some(own) => Grant {
                access: Secret::new(own.as_str()),
                refresh: None,
                access_lasts: None,
                refresh_lasts: None,
                scopes: String::new(),
            },
            None => Grant {
                access: Secret::new(self.access.as_str()),
                refresh: self.refresh.as_deref().map(Secret::new),
                access_lasts: lasts(choice.access_ends),
                refresh_lasts: lasts(choice.refresh_ends),
                scopes: String::new(),
            },
        }
    }
}
