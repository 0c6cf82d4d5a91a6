//! How a command reaches the Fanfare of a data directory: through a socket in it, which speaks the
//! API and needs no key. Whoever can open it could read the directory as well.
//!
//! If none runs, the command starts one for itself that publishes nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Extension, Router};
use serde_json::Value;
use tokio::{net::UnixListener, sync::watch};

use crate::{
    api::{self, Operator},
    clock::Clock,
    config::Config,
    engine::Engine,
    entropy::Entropy,
};

use super::{Common, Failure, loopback, server};

const PATIENCE: Duration = Duration::from_secs(60);

/// Below the data directory, in a folder that only its owner may enter.
fn place(data: &Path) -> (PathBuf, PathBuf) {
    let folder = data.join("control");
    let socket = folder.join("socket");
    (folder, socket)
}

/// Answers there until told to stop. Without it Fanfare publishes as well, so a failure is only
/// complained about.
pub(super) fn listen(data: &Path, router: Router, stopping: watch::Receiver<bool>) {
    match bind(data) {
        Ok(listener) => {
            let router = router.layer(Extension(Operator));
            let asked = until(stopping);
            tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(asked).into_future());
        }
        Err(error) => {
            let (_, socket) = place(data);
            tracing::warn!(
                "There is no control socket, so commands such as `fanfare key` do not work while \
                 this runs: {}: {error}.",
                socket.display()
            );
        }
    }
}

async fn until(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone has stopped as well.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// Called only by who holds the data directory's lock, so what is there is left over.
fn bind(data: &Path) -> io::Result<UnixListener> {
    let (folder, socket) = place(data);
    fs::create_dir_all(&folder)?;
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    match fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    UnixListener::bind(&socket)
}

/// Does something with the Fanfare of the settings, and ends what was started for it.
pub(super) async fn with(
    common: &Common,
    act: impl AsyncFnOnce(&Control) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let control = Control::open(&common.load(None, None)?).await?;
    let done = act(&control).await;
    control.close().await;
    done
}

/// A Fanfare that answers commands.
pub(super) struct Control {
    socket: PathBuf,
    /// Started for this command alone.
    own: Option<(Engine, watch::Sender<bool>)>,
}

impl Control {
    async fn open(config: &Config) -> Result<Control, Failure> {
        let (_, socket) = place(&config.data.directory);
        if tokio::net::UnixStream::connect(&socket).await.is_ok() {
            return Ok(Control { socket, own: None });
        }
        let (clock, entropy) = (Clock::wall(), Entropy::system());
        let mut settings = config.settings(clock.clone(), entropy.clone());
        settings.quiet = true;
        let engine = server::start_engine(settings).await?;
        let (stopping, asked) = watch::channel(false);
        let outside = api::Settings {
            clock,
            entropy,
            requests_per_minute: 0,
            proxies: api::Proxies::default(),
            cors_origins: Vec::new(),
            stopping: asked.clone(),
        };
        let router = api::router(engine.clone(), outside);
        let listener = bind(&config.data.directory).map_err(|error| {
            Failure::Data(format!("{} cannot be listened on: {error}.", socket.display()))
        })?;
        let serve = axum::serve(listener, router.layer(Extension(Operator)));
        tokio::spawn(serve.with_graceful_shutdown(until(asked)).into_future());
        Ok(Control { socket, own: Some((engine, stopping)) })
    }

    /// What was answered, or the refusal in words. `path` is below `/api/v1`.
    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        organization: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        Ok(self.send(method, path, organization, &body).await?.json())
    }

    /// What was answered, as it is.
    pub(super) async fn text(
        &self,
        path: &str,
        organization: Option<&str>,
    ) -> Result<String, Failure> {
        let answer = self.send("GET", path, organization, "").await?;
        String::from_utf8(answer.body)
            .map_err(|_| Failure::NotDone("The answer is no text.".to_owned()))
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        organization: Option<&str>,
        body: &str,
    ) -> Result<loopback::Answer, Failure> {
        let path = format!("/api/v1{path}");
        let mut headers = vec![("accept", "application/json")];
        if let Some(organization) = organization {
            headers.push(("fanfare-organization", organization));
        }
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let sent = loopback::send_through(&self.socket, method, &path, &headers, body.as_bytes());
        let answer = match Clock::wall().within(PATIENCE, sent).await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => {
                let socket = self.socket.display();
                return Err(Failure::NotDone(format!("Nobody answers at {socket}: {error}.")));
            }
            None => return Err(Failure::NotDone("Fanfare gave no answer.".to_owned())),
        };
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let told = answer.json();
        let said = |field: &str| told[field].as_str().unwrap_or_default().to_owned();
        let (sentence, remedy) = (said("detail"), said("remedy"));
        Err(Failure::NotDone(match sentence.is_empty() {
            true => format!("It was refused with {}.", answer.status),
            false => format!("{sentence} {remedy}").trim_end().to_owned(),
        }))
    }

    /// Every item of a list, in all its pieces.
    pub(super) async fn all(
        &self,
        list: &str,
        organization: Option<&str>,
    ) -> Result<Vec<Value>, Failure> {
        let (mut all, mut path) = (Vec::new(), format!("{list}?limit=200"));
        loop {
            let mut piece = self.ask("GET", &path, organization, None).await?;
            if let Some(items) = piece["items"].as_array_mut() {
                all.append(items);
            }
            match piece["next"].as_str() {
                Some(next) => path = format!("{list}?limit=200&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    async fn close(self) {
        if let Some((engine, stopping)) = self.own {
            stopping.send_replace(true);
            engine.stop(Duration::ZERO).await;
            let _left_over = fs::remove_file(&self.socket);
        }
    }
}
