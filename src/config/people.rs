//! The settings about people: how long they stay logged in, and where else they can log in.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    domain::organization::Role,
    engine::{AppCredentials, LoginSettings, OidcSettings},
};

use super::{
    Fault, check_url, fault,
    secrets::read_either,
    words::{SecretText, Span},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Login {
    pub session_idle: Span,
    pub session_lasts: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// Empty: there is no single sign-on.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: SecretText,
    /// Read into `client_secret` when loaded.
    pub client_secret_file: PathBuf,
    pub name: String,
    /// Empty: only members, and who was invited.
    pub role: String,
}

impl Default for Login {
    fn default() -> Login {
        let day = 24 * 60 * 60;
        Login { session_idle: Span::seconds(day), session_lasts: Span::seconds(30 * day) }
    }
}

impl Default for Oidc {
    fn default() -> Oidc {
        Oidc {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: SecretText(None),
            client_secret_file: PathBuf::new(),
            name: "single sign-on".to_owned(),
            role: String::new(),
        }
    }
}

impl Login {
    pub(super) fn settings(&self) -> LoginSettings {
        LoginSettings { idle: self.session_idle.0, lasts: self.session_lasts.0 }
    }
}

impl Oidc {
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        self.client_secret = read_either(
            "oidc.client_secret_file",
            self.client_secret.clone(),
            &self.client_secret_file,
        )?;
        if self.issuer.is_empty() {
            return Ok(());
        }
        check_url(&self.issuer).map_err(|wrong| {
            let remedy = "Write it as the provider does, such as \"https://id.example.org\".";
            fault("oidc.issuer", &wrong, remedy)
        })?;
        if self.client_id.is_empty() {
            let remedy = "It comes from where you registered Fanfare with the provider.";
            return Err(fault("oidc.client_id", "is empty, but there is an issuer", remedy));
        }
        let role = Role::named(&self.role);
        // Whoever can make an account at the provider would own everything.
        let may_be = role.is_none_or(|role| role != Role::Owner && role != Role::Admin);
        if (role.is_none() && !self.role.is_empty()) || !may_be {
            let remedy = "Write \"editor\", \"viewer\" or \"guest\", or leave it empty.";
            return Err(fault("oidc.role", "is not a role for everybody", remedy));
        }
        Ok(())
    }

    pub(super) fn settings(&self) -> Option<OidcSettings> {
        let client_secret = self.client_secret.0.clone();
        (!self.issuer.is_empty()).then(|| OidcSettings {
            issuer: self.issuer.clone(),
            app: AppCredentials { client_id: self.client_id.clone(), client_secret },
            name: self.name.clone(),
            role: Role::named(&self.role),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_has_a_client_and_makes_nobody_an_admin() {
        let mut oidc = Oidc { issuer: "https://id.example.org".to_owned(), ..Oidc::default() };
        assert_eq!(oidc.settle().unwrap_err().key, "oidc.client_id");
        oidc.client_id = "fanfare".to_owned();
        for (role, known) in [("", None), ("viewer", Some(Role::Viewer))] {
            oidc.role = role.to_owned();
            oidc.settle().unwrap();
            assert_eq!(oidc.settings().unwrap().role, known);
        }
        for wrong in ["owner", "admin", "king"] {
            oidc.role = wrong.to_owned();
            assert_eq!(oidc.settle().unwrap_err().key, "oidc.role", "{wrong}");
        }
        oidc.issuer = "id.example.org".to_owned();
        assert_eq!(oidc.settle().unwrap_err().key, "oidc.issuer");
        assert!(Oidc::default().settings().is_none());
    }
}
