//! The running system: actors that carry out what `policy` decides, and the façade by which
//! everything outside reaches them. (STUB FOR THE API BRANCH; the real one replaces it at merge.)

pub mod facade;

use std::{path::PathBuf, time::Duration};

use tokio::sync::watch;

use crate::{
    clock::Clock,
    domain::{
        account::Account, delivery::Delivery, event::Event, ids::*, media::Media,
        organization::Organization, problem::Problem, secret::Secret, time::Timestamp,
    },
    engine::facade::*,
    entropy::Entropy,
};

#[derive(Clone)]
pub struct Engine {}

/// What an engine is started with.
pub struct Settings {
    pub data: PathBuf,
    pub cache_bytes: u64,
    /// 64 hexadecimal digits or base 64; `None`: a key file is made in the data directory.
    pub vault_key: Option<Secret>,
    pub vault_key_file: Option<PathBuf>,
    /// The address under which browsers and platforms reach this instance, without a slash.
    pub public_url: String,
    pub net: NetSettings,
    /// Base URLs that replace a platform's own: platform → endpoint → URL.
    pub endpoints: std::collections::BTreeMap<String, std::collections::BTreeMap<String, String>>,
    /// The instance's OAuth clients: platform → (id, secret).
    pub apps: std::collections::BTreeMap<String, AppCredentials>,
    pub posts_per_hour: u32,
    pub grace: Duration,
    /// An account that has nothing to do for so long is put to rest.
    pub rest_after: Duration,
    /// A larger upload is refused.
    pub upload_bytes_max: u64,
    pub clock: Clock,
    pub entropy: Entropy,
}

#[derive(Clone)]
pub struct AppCredentials {
    pub client_id: String,
    pub client_secret: Option<Secret>,
}

#[derive(Clone)]
pub struct NetSettings {
    pub timeout: Duration,
    pub connect_timeout: Duration,
    pub reply_bytes_max: u64,
    pub private_addresses_allowed: bool,
    /// `http://127.0.0.1:9009`: reachable though private and without TLS.
    pub allowed_origins: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Readiness {
    pub ready: bool,
    /// Why not, for people; empty when ready.
    pub reason: String,
    pub version: &'static str,
    pub late_deliveries: usize,
    pub oldest_late: Option<Timestamp>,
}

pub type Answer<T> = Result<T, Problem>;

#[allow(unused_variables, clippy::unused_async)]
impl Engine {
    /// The error is a sentence that says what happened and what to do.
    pub async fn start(settings: Settings) -> Result<Engine, String> {
        unimplemented!()
    }
    /// Lets what runs end for at most `deadline`; starts nothing new.
    pub async fn stop(&self, deadline: Duration) {
        unimplemented!()
    }
    /// Resolves, with the reason as a sentence, when the engine had to stop by itself.
    pub async fn stopped(&self) -> String {
        unimplemented!()
    }
    pub fn readiness(&self) -> Readiness {
        unimplemented!()
    }
    pub fn clock(&self) -> &Clock {
        unimplemented!()
    }

    /// Who this API key belongs to.
    pub fn authenticate(&self, key: &str) -> Answer<Caller> {
        unimplemented!()
    }
    /// For the command line, which needs no key: whoever may read the data directory.
    pub fn operator(&self, organization: OrganizationId) -> Caller {
        unimplemented!()
    }
    pub fn is_founded(&self) -> bool {
        unimplemented!()
    }
    /// The first organization, its owner, and an admin key of the instance.
    pub async fn found(&self, founding: Founding) -> Answer<Founded> {
        unimplemented!()
    }

    pub async fn create_organization(
        &self,
        caller: &Caller,
        name: &str,
        once: Option<Once>,
    ) -> Answer<Founded> {
        unimplemented!()
    }
    pub fn organizations(&self, caller: &Caller, page: &Page) -> Answer<Listing<Organization>> {
        unimplemented!()
    }
    pub fn organization(&self, caller: &Caller, id: OrganizationId) -> Answer<Organization> {
        unimplemented!()
    }
    pub async fn edit_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
        edit: OrganizationEdit,
    ) -> Answer<Organization> {
        unimplemented!()
    }
    pub async fn pause_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        unimplemented!()
    }
    pub async fn resume_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        unimplemented!()
    }
    pub async fn pause_everything(&self, caller: &Caller) -> Answer<()> {
        unimplemented!()
    }
    pub async fn resume_everything(&self, caller: &Caller) -> Answer<()> {
        unimplemented!()
    }
    pub fn everything_paused(&self) -> bool {
        unimplemented!()
    }

    pub async fn connect(&self, caller: &Caller, request: ConnectRequest) -> Answer<Connecting> {
        unimplemented!()
    }
    /// The platform's redirect. Its state names who asked, so it needs no key; it works once.
    pub async fn connected(&self, platform: &str, callback: Callback) -> Answer<Account> {
        unimplemented!()
    }
    pub fn accounts(&self, caller: &Caller, page: &Page) -> Answer<Listing<Account>> {
        unimplemented!()
    }
    pub fn account(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        unimplemented!()
    }
    pub async fn health(&self, caller: &Caller, id: AccountId) -> Answer<Health> {
        unimplemented!()
    }
    pub async fn pause_account(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        unimplemented!()
    }
    pub async fn resume_account(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        unimplemented!()
    }
    /// Revokes our access at the platform, deletes the tokens, holds what was planned.
    pub async fn disconnect(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        unimplemented!()
    }

    /// `bytes` was read and limited by the caller (at most [`Engine::upload_bytes_max`]).
    pub async fn upload(
        &self,
        caller: &Caller,
        name: &str,
        file: Upload,
        once: Option<Once>,
    ) -> Answer<Media> {
        unimplemented!()
    }
    /// A file to write an upload to; it is gone when dropped without [`Engine::upload`].
    pub async fn begin_upload(&self, caller: &Caller) -> Answer<Upload> {
        unimplemented!()
    }
    pub fn upload_bytes_max(&self) -> u64 {
        unimplemented!()
    }
    pub fn media_list(&self, caller: &Caller, page: &Page) -> Answer<Listing<Media>> {
        unimplemented!()
    }
    pub fn media(&self, caller: &Caller, id: MediaId) -> Answer<Media> {
        unimplemented!()
    }
    pub async fn delete_media(&self, caller: &Caller, id: MediaId) -> Answer<()> {
        unimplemented!()
    }

    /// `true` beside the view: this request arrived before and nothing was done now.
    pub async fn create_post(
        &self,
        caller: &Caller,
        post: NewPost,
        once: Option<Once>,
    ) -> Answer<(PostView, Repeated)> {
        unimplemented!()
    }
    pub fn validate_post(&self, caller: &Caller, post: &NewPost) -> Answer<Validation> {
        unimplemented!()
    }
    pub fn posts(&self, caller: &Caller, page: &Page) -> Answer<Listing<PostView>> {
        unimplemented!()
    }
    pub fn post(&self, caller: &Caller, id: PostId) -> Answer<PostView> {
        unimplemented!()
    }
    pub async fn edit_post(&self, caller: &Caller, id: PostId, edit: PostEdit) -> Answer<PostView> {
        unimplemented!()
    }
    pub async fn cancel_post(&self, caller: &Caller, id: PostId) -> Answer<PostView> {
        unimplemented!()
    }
    /// Oldest first: everything that happened to the post and its deliveries.
    pub fn timeline(&self, caller: &Caller, id: PostId) -> Answer<Vec<Event>> {
        unimplemented!()
    }

    /// `state`: a name as in [`State::name`](crate::domain::delivery::State::name).
    pub fn deliveries(
        &self,
        caller: &Caller,
        state: Option<&str>,
        account: Option<AccountId>,
        page: &Page,
    ) -> Answer<Listing<Delivery>> {
        unimplemented!()
    }
    pub fn delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        unimplemented!()
    }
    /// Failed, held or waiting: now, from where it stands.
    pub async fn retry_delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        unimplemented!()
    }
    pub async fn cancel_delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        unimplemented!()
    }
    pub async fn resolve_delivery(
        &self,
        caller: &Caller,
        id: DeliveryId,
        resolution: Resolution,
    ) -> Answer<Delivery> {
        unimplemented!()
    }
    /// Takes down what is live at the platform.
    pub async fn remove_delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        unimplemented!()
    }

    /// Oldest first, after sequence `after`, at most `limit`.
    pub fn events(&self, caller: &Caller, after: u64, limit: usize) -> Answer<Vec<Event>> {
        unimplemented!()
    }
    /// The sequence of the newest event.
    pub fn last_event(&self, caller: &Caller) -> Answer<u64> {
        unimplemented!()
    }
    /// Changes whenever new events are on disk.
    pub fn changed(&self) -> watch::Receiver<u64> {
        unimplemented!()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    No,
    Yes,
}

/// A file that is being received.
#[derive(Debug)]
pub struct Upload {}

#[allow(unused_variables, clippy::unused_async)]
impl Upload {
    /// Refuses what goes beyond the limit, and a full disk, with a problem.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        unimplemented!()
    }
}

/// The platforms that this build has, for listings.
pub fn platforms() -> Vec<&'static crate::domain::platform::Profile> {
    unimplemented!()
}
