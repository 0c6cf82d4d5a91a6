//! Organizations and who may do what in them: community-management/organizations, read 2026-11-21.
//! Everybody administers two, and only looks at the figures of a third; `nobody` has none.

use serde_json::{Value, json};

use super::{Answer, Call, Caller, Linkedin, Reply, bad_request, not_found, page};

const FIRST_ID: u64 = 10_000_001;
const POSTING_ROLES: [&str; 4] =
    ["ADMINISTRATOR", "CONTENT_ADMINISTRATOR", "CONTENT_ADMIN", "DIRECT_SPONSORED_CONTENT_POSTER"];
const FOUNDED: [(&str, &str); 3] =
    [("Works", "ADMINISTRATOR"), ("Studio", "ADMINISTRATOR"), ("Partners", "ANALYST")];

pub(super) struct Organization {
    name: String,
    pub(super) vanity: String,
    /// Accounts and what they are there.
    roles: Vec<(usize, &'static str)>,
}

impl Organization {
    fn role(&self, account: usize) -> Option<&'static str> {
        let mut roles = self.roles.iter();
        roles.find(|(member, _)| *member == account).map(|(_, role)| *role)
    }

    pub(super) fn may_post(&self, account: usize) -> bool {
        self.role(account).is_some_and(|role| POSTING_ROLES.contains(&role))
    }
}

/// The id in `urn:li:organization:1`.
pub(super) fn number(urn: &str) -> Option<u64> {
    urn.strip_prefix("urn:li:organization:")?.parse().ok()
}

impl Linkedin {
    pub(super) fn found_organizations(&mut self, account: usize) {
        let handle = self.people.get(account).handle.clone();
        if handle.eq_ignore_ascii_case("nobody") {
            return;
        }
        for (name, role) in FOUNDED {
            let id = FIRST_ID + self.organizations.len() as u64;
            let organization = Organization {
                name: format!("{handle} {name}"),
                vanity: format!("{handle}-{}", name.to_lowercase()),
                roles: vec![(account, role)],
            };
            self.organizations.insert(id, organization);
        }
    }

    /// `GET /rest/organizationAcls`: in which organizations the caller has which role.
    pub(super) fn access(&self, call: &Call, caller: Caller) -> Reply {
        let scopes = ["rw_organization_admin", "r_organization_admin"];
        self.demand(call, caller, &scopes, "organizationAcls.FINDER-roleAssignee")?;
        let known = ["q", "role", "state", "start", "count"];
        if let Some((unknown, _)) =
            call.query.iter().find(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err(bad_request(&format!("Unexpected query parameter {unknown}")));
        }
        if call.query("q") != Some("roleAssignee") {
            return Err(bad_request("q must be roleAssignee"));
        }
        let state = call.query("state").unwrap_or("APPROVED");
        if !["APPROVED", "REQUESTED", "REJECTED", "REVOKED"].contains(&state) {
            return Err(bad_request("state is not one of the allowed values"));
        }
        let wanted = call.query("role");
        let rows: Vec<Value> = self
            .organizations
            .iter()
            .filter_map(|(id, organization)| Some((id, organization.role(caller.account)?)))
            .filter(|(_, role)| state == "APPROVED" && wanted.is_none_or(|it| it == *role))
            .map(|(id, role)| {
                json!({ "organization": format!("urn:li:organization:{id}"), "role": role,
                    "state": "APPROVED", "roleAssignee": self.person_urn(caller.account) })
            })
            .collect();
        page(call, "organizationAcls", rows)
    }

    pub(super) fn organization(&self, call: &Call, caller: Caller, id: &str) -> Reply {
        let scopes = ["rw_organization_admin", "r_organization_admin", "r_organization_social"];
        self.demand(call, caller, &scopes, "organizations.GET")?;
        let number: u64 = id.parse().map_err(|_| bad_request("The id must be a number"))?;
        let organization = self.organizations.get(&number);
        let organization = organization.ok_or_else(|| not_found("Organization not found"))?;
        let body = json!({
            "id": number, "localizedName": organization.name,
            "vanityName": organization.vanity,
            "name": { "localized": { "en_US": organization.name },
                "preferredLocale": { "country": "US", "language": "en" } },
            "primaryOrganizationType": "NONE",
        });
        Ok(Answer::json(200, &body))
    }
}
