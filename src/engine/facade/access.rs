//! Who calls, and whether they may.

use crate::{
    domain::{
        ids::{AccountId, OrganizationId},
        organization::{Actor, Border, Reach, Scope},
        post::Post,
        problem::{Code, Problem},
    },
    engine::{Answer, Engine, facade::Caller},
    policy::permission::{self, Grant, Lack, Verb},
    store::Read,
};

impl Caller {
    pub fn grant(&self) -> Grant {
        Grant { scope: self.scope, border: self.reach.border() }
    }

    /// Refuses what the caller is not allowed.
    pub fn may(&self, verb: Verb) -> Answer<()> {
        permission::judge(self.grant(), verb).map_err(|lack| match lack {
            Lack::Scope(needed) => Problem::new(
                Code::Forbidden,
                format!(
                    "This needs the scope `{}`; you have `{}`.",
                    needed.name(),
                    self.scope.name()
                ),
                "Use a key with a wider scope, or ask an admin of the organization for one.",
            ),
            Lack::Border(Border::Instance) => Problem::new(
                Code::Forbidden,
                "This concerns the whole instance, and only its owner may do it.",
                "Use the key that `fanfare init` gave, or another one that reaches the instance.",
            ),
            Lack::Border(Border::Organization | Border::Accounts) => Problem::new(
                Code::Forbidden,
                "This concerns the whole organization; your key is bound to some of its accounts.",
                "Use a key that is not bound to accounts.",
            ),
        })
    }

    pub(super) fn may_reach(&self, organization: OrganizationId) -> Answer<()> {
        if self.organization == organization || self.reach == Reach::Instance {
            return Ok(());
        }
        // The same words as for one that does not exist: nothing is told of others.
        Err(no_organization(organization))
    }

    /// Whether the account is there, as far as this caller is concerned.
    pub fn sees(&self, account: AccountId) -> bool {
        self.reach.covers(account)
    }

    /// Who is bound to accounts sees a post if it goes to none but these; one that goes to nobody
    /// yet, if they wrote it.
    pub(super) fn sees_post(&self, post: &Post) -> bool {
        match &self.reach {
            Reach::Organization | Reach::Instance => true,
            Reach::Accounts(accounts) => match post.targets.is_empty() {
                true => post.author == self.actor,
                false => post.targets.iter().all(|target| accounts.contains(target)),
            },
        }
    }
}

impl Engine {
    /// For the command line, which needs no key: whoever may read the data directory.
    pub fn operator(&self, organization: OrganizationId) -> Caller {
        Caller {
            organization,
            scope: Scope::Admin,
            reach: Reach::Instance,
            actor: Actor::Operator,
            session: None,
        }
    }

    /// The operator in the organization that was founded first.
    pub fn operator_at_home(&self) -> Answer<Caller> {
        let first = self.core.store.organizations(None, 1)?;
        let Some(first) = first.first() else {
            return Err(Problem::new(
                Code::WrongState,
                "There is no organization yet.",
                "Run `fanfare init` first.",
            ));
        };
        Ok(self.operator(first.id))
    }
}

pub(super) fn no_organization(id: OrganizationId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no organization {id}."),
        "List the organizations to find its id.",
    )
}
