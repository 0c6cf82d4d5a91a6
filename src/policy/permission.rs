//! Who may do what: one table of everything that can be asked for from outside.
//!
//! A verb says what it needs, a role or a key says what it grants, and [`judge`] compares the two.
//! The API asks before it reads a request, the façade asks again; what has no verb has no route.

use crate::domain::organization::{Border, Role, Scope};

/// What somebody has: how much they may do, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    pub scope: Scope,
    pub border: Border,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Scope(Scope),
    Border(Border),
}

macro_rules! verbs {
    ($($verb:ident $name:literal $scope:ident $border:ident)*) => {
        /// Everything that can be asked for from outside. Named as the operations of the API are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Verb { $($verb),* }

        impl Verb {
            pub const ALL: &'static [Verb] = &[$(Verb::$verb),*];

            pub fn name(self) -> &'static str {
                match self { $(Verb::$verb => $name),* }
            }

            /// The least that it takes.
            pub fn needs(self) -> Grant {
                match self {
                    $(Verb::$verb => Grant { scope: Scope::$scope, border: Border::$border }),*
                }
            }
        }
    };
}

verbs! {
    AccountsList "accounts_list" Read Accounts
    AccountsShow "accounts_show" Read Accounts
    AccountsHealth "accounts_health" Read Accounts
    AccountsConnect "accounts_connect" Admin Organization
    AccountsDisconnect "accounts_disconnect" Admin Accounts
    AccountsPause "accounts_pause" Publish Accounts
    AccountsResume "accounts_resume" Publish Accounts
    AppsList "apps_list" Admin Organization
    AppsSet "apps_set" Admin Organization
    AppsRemove "apps_remove" Admin Organization
    AppsListShared "apps_list_shared" Admin Instance
    AppsSetShared "apps_set_shared" Admin Instance
    AppsRemoveShared "apps_remove_shared" Admin Instance
    AuditExport "audit_export" Admin Organization
    AuditVerify "audit_verify" Admin Organization
    ConnectionsShow "connections_show" Admin Organization
    ConnectionsChoose "connections_choose" Admin Organization
    DeliveriesList "deliveries_list" Read Accounts
    DeliveriesShow "deliveries_show" Read Accounts
    DeliveriesCancel "deliveries_cancel" Publish Accounts
    DeliveriesRemove "deliveries_remove" Publish Accounts
    DeliveriesResolve "deliveries_resolve" Publish Accounts
    DeliveriesRetry "deliveries_retry" Publish Accounts
    DeliveriesRevise "deliveries_revise" Publish Accounts
    EventsList "events_list" Read Accounts
    KeysList "keys_list" Admin Organization
    KeysCreate "keys_create" Admin Organization
    KeysRevoke "keys_revoke" Admin Organization
    InvitationsList "invitations_list" Admin Organization
    InvitationsCreate "invitations_create" Admin Organization
    InvitationsRevoke "invitations_revoke" Admin Organization
    MediaList "media_list" Read Organization
    MediaUpload "media_upload" Draft Accounts
    MediaShow "media_show" Read Accounts
    MediaDelete "media_delete" Draft Organization
    MediaFit "media_fit" Draft Accounts
    MembersList "members_list" Read Organization
    MembersShow "members_show" Read Organization
    MembersEdit "members_edit" Admin Organization
    MembersRemove "members_remove" Admin Organization
    MembersReset "members_reset" Admin Instance
    OrganizationsList "organizations_list" Read Accounts
    OrganizationsCreate "organizations_create" Admin Instance
    OrganizationsShow "organizations_show" Read Accounts
    OrganizationsEdit "organizations_edit" Admin Organization
    OrganizationsDelete "organizations_delete" Admin Instance
    OrganizationsRestore "organizations_restore" Admin Instance
    OrganizationsPause "organizations_pause" Publish Organization
    OrganizationsResume "organizations_resume" Publish Organization
    EverythingPause "organizations_pause_everything" Admin Instance
    EverythingResume "organizations_resume_everything" Admin Instance
    PlatformsList "platforms_list" Read Accounts
    PostsList "posts_list" Read Accounts
    PostsCreate "posts_create" Draft Accounts
    PostsValidate "posts_validate" Read Accounts
    PostsShow "posts_show" Read Accounts
    PostsEdit "posts_edit" Draft Accounts
    PostsDelete "posts_delete" Draft Accounts
    PostsCancel "posts_cancel" Draft Accounts
    PostsTimeline "posts_timeline" Read Accounts
    // Has no operation of its own: what it takes to make, change or cancel a post that goes out.
    PostsPlan "posts_plan" Publish Accounts
    VaultShow "vault_show" Admin Instance
    VaultRotate "vault_rotate" Admin Instance
}

impl Verb {
    pub fn named(name: &str) -> Option<Verb> {
        Verb::ALL.iter().copied().find(|verb| verb.name() == name)
    }
}

/// What a role grants to a person. A guest sees nothing.
pub fn of_role(role: Role) -> Option<Grant> {
    let (scope, border) = match role {
        Role::Owner => (Scope::Admin, Border::Instance),
        Role::Admin => (Scope::Admin, Border::Organization),
        Role::Editor => (Scope::Publish, Border::Organization),
        Role::Viewer => (Scope::Read, Border::Organization),
        Role::Guest => return None,
    };
    Some(Grant { scope, border })
}

/// Whether `grant` is enough for `verb`. A border is named before a scope: a wider scope would not
/// help.
pub fn judge(grant: Grant, verb: Verb) -> Result<(), Lack> {
    let needs = verb.needs();
    if grant.border < needs.border {
        Err(Lack::Border(needs.border))
    } else if grant.scope < needs.scope {
        Err(Lack::Scope(needs.scope))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(role: Role) -> Vec<&'static str> {
        let Some(grant) = of_role(role) else { return Vec::new() };
        let allowed = Verb::ALL.iter().filter(|verb| judge(grant, **verb).is_ok());
        allowed.map(|verb| verb.name()).collect()
    }

    #[test]
    fn an_owner_may_everything_and_a_guest_nothing() {
        assert_eq!(may(Role::Owner).len(), Verb::ALL.len());
        assert!(may(Role::Guest).is_empty());
    }

    #[test]
    fn an_admin_may_everything_but_what_concerns_the_instance() {
        let admin = may(Role::Admin);
        for verb in Verb::ALL {
            let of_instance = verb.needs().border == Border::Instance;
            assert_eq!(admin.contains(&verb.name()), !of_instance, "{}", verb.name());
        }
    }

    #[test]
    fn an_editor_plans_and_settles_posts_and_touches_neither_accounts_nor_keys() {
        let editor = may(Role::Editor);
        for verb in ["posts_create", "posts_plan", "deliveries_resolve", "media_delete"] {
            assert!(editor.contains(&verb), "{verb}");
        }
        for verb in ["accounts_connect", "accounts_disconnect", "keys_create", "keys_list"] {
            assert!(!editor.contains(&verb), "{verb}");
        }
    }

    #[test]
    fn a_viewer_changes_nothing() {
        for verb in may(Role::Viewer) {
            let action = verb.rsplit('_').next().unwrap_or_default();
            let reads = ["list", "show", "health", "validate", "timeline"];
            assert!(reads.contains(&action), "{verb}");
        }
    }

    #[test]
    fn more_never_allows_less() {
        let scopes = [Scope::Read, Scope::Draft, Scope::Publish, Scope::Admin];
        let borders = [Border::Accounts, Border::Organization, Border::Instance];
        for &verb in Verb::ALL {
            for (at, &scope) in scopes.iter().enumerate() {
                for (far, &border) in borders.iter().enumerate() {
                    if judge(Grant { scope, border }, verb).is_ok() {
                        for &scope in &scopes[at..] {
                            for &border in &borders[far..] {
                                assert_eq!(judge(Grant { scope, border }, verb), Ok(()));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_lacks_is_named() {
        let viewer = Grant { scope: Scope::Read, border: Border::Organization };
        assert_eq!(judge(viewer, Verb::PostsCreate), Err(Lack::Scope(Scope::Draft)));
        let bound = Grant { scope: Scope::Admin, border: Border::Accounts };
        assert_eq!(judge(bound, Verb::KeysList), Err(Lack::Border(Border::Organization)));
    }
}
