//! Starting: open, recover, begin.
//!
//! Everything that was interrupted is on a lane, so recovery reads the lanes and nothing else; it
//! does not grow with what is planned.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64},
    },
};

use ractor::{Actor, ActorRef};
use tokio::sync::{Semaphore, watch};
use url::Url;

use crate::{
    domain::{
        account::Account,
        delivery::State,
        ids::{DeliveryId, OrganizationId},
        organization::Pause,
    },
    engine::{
        Engine,
        core::{Core, Halt, Parts},
        directory::{DirectoryMessage, Home},
        passwords::Passwords,
        root::{House, RootActor},
        settings::{NetSettings, Place, PrivateAddresses, Settings},
        throttle::Throttle,
        tokens,
        transitions::{self, RANK_STAGING, TIMER_DELIVERY},
    },
    net::{self, Client},
    policy::agenda::STAGE_LEAD,
    store::{self, KeyRing, LanePlace, MasterKey, Opened, Read, Store},
};

pub(super) async fn engine(settings: Settings) -> Result<Engine, String> {
    let client = Client::new(
        net_settings(&settings.net)?,
        settings.clock.clone(),
        settings.mortality.clone(),
    );
    let (settings, opened) = open(settings).await?;
    let key_file = key_file(&settings);
    let paused = opened.store.pause().map_err(|error| error.to_string())?;
    let core = Core::new(Parts {
        store: opened.store,
        client,
        epoch: opened.epoch,
        public_url: settings.public_url,
        endpoints: settings.endpoints,
        versions: settings.versions,
        apps: settings.apps,
        posts_per_hour: settings.posts_per_hour,
        grace: settings.grace,
        audit_keep: settings.audit_keep,
        deletion_grace: settings.deletion_grace,
        rest_after: settings.rest_after,
        upload_bytes_max: settings.upload_bytes_max,
        fitting: Semaphore::new(1),
        login: settings.login,
        oidc: settings.oidc,
        provider: Mutex::default(),
        passwords: Passwords::new(),
        throttle: Throttle::default(),
        setup: Mutex::default(),
        key_file,
        rotating: Default::default(),
        everything_paused: AtomicBool::new(settings.quiet || paused != Pause::Running),
        stopping: AtomicBool::default(),
        pulse: AtomicU64::default(),
        keys_used: Default::default(),
        renewals: tokens::Renewals::default(),
        busy: watch::Sender::default(),
        clock: settings.clock,
        entropy: settings.entropy,
    });
    core.beat();
    let doors = watch::Sender::default();
    let fatal = watch::Sender::default();
    let (doors_seen, fatal_seen) = (doors.subscribe(), fatal.subscribe());
    let house = House { core: core.clone(), doors, fatal };
    let (root, _) = Actor::spawn(None, RootActor, house)
        .await
        .map_err(|error| format!("Fanfare could not begin: {error}"))?;
    Ok(Engine { core, root, doors: doors_seen, fatal: fatal_seen })
}

fn net_settings(chosen: &NetSettings) -> Result<net::Settings, String> {
    let mut allowed_origins = Vec::with_capacity(chosen.allowed_origins.len());
    for origin in &chosen.allowed_origins {
        let url = Url::parse(origin).map_err(|error| {
            format!("the allowed origin `{origin}` is not a URL ({error}): write it as `http://127.0.0.1:7701`")
        })?;
        allowed_origins.push(url);
    }
    Ok(net::Settings {
        total: chosen.timeout,
        connect: chosen.connect_timeout,
        reply_bytes_max: usize::try_from(chosen.reply_bytes_max).unwrap_or(usize::MAX),
        private_addresses: match chosen.private_addresses {
            PrivateAddresses::Refused => net::PrivateAddresses::Refused,
            PrivateAddresses::Allowed => net::PrivateAddresses::Allowed,
        },
        allowed_origins,
        ..net::Settings::standard()
    })
}

/// Opening may wait for the disk for a second or two.
async fn open(settings: Settings) -> Result<(Settings, Opened), String> {
    let opened = tokio::task::spawn_blocking(move || {
        let opened = open_store(&settings).map_err(|error| error.to_string());
        (settings, opened)
    });
    match opened.await {
        Ok((settings, opened)) => Ok((settings, opened?)),
        Err(error) => Err(format!("Fanfare could not open its store: {error}")),
    }
}

fn open_store(settings: &Settings) -> Result<Opened, store::Error> {
    let mortality = settings.mortality.clone();
    match &settings.data {
        Place::Memory(rows) => {
            let key = MasterKey::from_bytes([7; 32]);
            Store::in_memory(rows.clone(), key, mortality)
        }
        Place::Directory(directory) => {
            let vault_keys = vault_keys(settings, directory)?;
            Store::open(store::Settings {
                directory: directory.clone(),
                cache_bytes: settings.cache_bytes,
                vault_keys,
                mortality,
            })
        }
    }
}

fn vault_keys(settings: &Settings, directory: &Path) -> Result<KeyRing, store::Error> {
    if let Some(keys) = &settings.vault_key {
        return KeyRing::parse(keys.expose(), "in the settings");
    }
    let file = key_file(settings).unwrap_or_else(|| directory.join(KEY_FILE));
    KeyRing::from_file(&file, directory)
}

/// In the data directory, unless the settings name another place.
const KEY_FILE: &str = "vault.key";

/// `None`: the keys are in the settings.
fn key_file(settings: &Settings) -> Option<PathBuf> {
    match (&settings.vault_key, &settings.vault_key_file, &settings.data) {
        (Some(_), _, _) => None,
        (None, Some(file), _) => Some(file.clone()),
        (None, None, Place::Directory(directory)) => Some(directory.join(KEY_FILE)),
        (None, None, Place::Memory(_)) => None,
    }
}

/// Tells every account with something on its lane; they find there what was interrupted.
pub(super) async fn recover(
    core: &Core,
    directory: &ActorRef<DirectoryMessage>,
) -> Result<(), Halt> {
    sweep_all(core).await?;
    let mut staging: BTreeMap<Home, Vec<DeliveryId>> = BTreeMap::new();
    let mut homes = Vec::new();
    each_place(core, |place| {
        let home = Home { organization: place.organization, account: place.account };
        if place.rank == RANK_STAGING {
            staging.entry(home).or_default().push(place.delivery);
        }
        if homes.last() != Some(&home) {
            homes.push(home);
        }
    })?;
    approaching(core, &mut staging)?;
    let _ = directory.cast(DirectoryMessage::Wake(homes));
    for (home, deliveries) in staging {
        let _ = directory.cast(DirectoryMessage::Approaching(home, deliveries));
    }
    Ok(())
}

/// Deliveries whose time comes soon, and whose earlier timer has fired in an earlier life.
fn approaching(core: &Core, found: &mut BTreeMap<Home, Vec<DeliveryId>>) -> Result<(), Halt> {
    let now = core.now();
    for timer in core.store.timers_between(now, now.after(STAGE_LEAD), APPROACHING_MAX)? {
        if timer.kind != TIMER_DELIVERY {
            continue;
        }
        // One that cannot be read is complained about when its timer fires.
        let read = core.store.delivery(timer.organization, DeliveryId(timer.id));
        let Ok(Some(delivery)) = read else { continue };
        if delivery.state == State::Planned && delivery.timer == Some(delivery.due) {
            let home = Home { organization: timer.organization, account: delivery.account };
            found.entry(home).or_default().push(delivery.id);
        }
    }
    Ok(())
}

/// More than this at once are prepared when their time comes.
const APPROACHING_MAX: usize = 10_000;

const PLACES_AT_ONCE: usize = 1_000;

fn each_place(core: &Core, mut visit: impl FnMut(&LanePlace)) -> Result<(), Halt> {
    let mut after = None;
    loop {
        let places = core.store.lanes(after, PLACES_AT_ONCE)?;
        places.iter().for_each(&mut visit);
        after = places.last().copied();
        if places.len() < PLACES_AT_ONCE {
            return Ok(());
        }
    }
}

/// Accounts with something on their lane, of one organization or of all.
pub(super) fn homes(core: &Core, only: Option<OrganizationId>) -> Result<Vec<Home>, Halt> {
    let mut homes: Vec<Home> = Vec::new();
    each_place(core, |place| {
        let home = Home { organization: place.organization, account: place.account };
        let wanted = only.is_none_or(|organization| organization == place.organization);
        if wanted && homes.last() != Some(&home) {
            homes.push(home);
        }
    })?;
    Ok(homes)
}

/// After downtime, or after the process stood still: what is too late is held, not sent.
pub(super) async fn sweep_all(core: &Core) -> Result<(), Halt> {
    for home in homes(core, None)? {
        match sweep_home(core, home).await {
            // Its account fails alone, and is set aside; the others go on.
            Err(halt) if halt.is_unreadable() => {
                tracing::error!(account.id = %home.account, %halt, "a lane cannot be read");
            }
            swept => swept?,
        }
    }
    Ok(())
}

async fn sweep_home(core: &Core, home: Home) -> Result<(), Halt> {
    let Some(account) = core.store.account(home.organization, home.account)? else {
        return Ok(());
    };
    // It may have been lost a moment before the process died.
    if let Some(why) = transitions::lost(&account) {
        tokens::hold_lane(core, account.clone(), why).await?;
    }
    sweep_account(core, &account).await
}

pub(super) async fn sweep_account(core: &Core, account: &Account) -> Result<(), Halt> {
    let now = core.now();
    // Nothing is late on most lanes; a read tells, and a commit is not needed.
    let any_late = core
        .store
        .lane(account.organization, account.id, usize::MAX)?
        .iter()
        .any(|place| transitions::may_be_missed(place, now));
    if !any_late {
        return Ok(());
    }
    loop {
        let account = account.clone();
        let held = core
            .commit("sweep", move |view| transitions::sweep(view, &account, now, SWEEP_AT_ONCE))
            .await?;
        if held == 0 {
            return Ok(());
        }
    }
}

const SWEEP_AT_ONCE: usize = 100;
