//! Platforms that take a file by its address fetch it themselves, as any stranger would.

use std::time::Duration;

use axum::body::Bytes;

/// More than any simulated platform takes.
const BYTES_MAX: usize = 110 * 1024 * 1024;
const LIMIT: Duration = Duration::from_secs(30);

/// What was found at an address; the error says why nothing was, as a platform would.
pub(crate) type Fetched = Result<Bytes, String>;

/// Without redirects, cookies or credentials.
#[derive(Clone)]
pub(crate) struct Fetcher(reqwest::Client);

impl Fetcher {
    pub(crate) fn new() -> Fetcher {
        // An error means that one is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only([])
            .timeout(LIMIT)
            .no_proxy()
            // A kept connection may end just when it is used again, and nobody here fetches twice.
            .pool_max_idle_per_host(0)
            .user_agent("sandbox/1.0")
            .build();
        Fetcher(client.expect("a client without certificates or proxies needs nothing"))
    }

    pub(crate) async fn fetch(&self, url: &str) -> Fetched {
        let answer = self.0.get(url).send().await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("the address answers HTTP {}", answer.status().as_u16()));
        }
        let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
        if bytes.len() > BYTES_MAX {
            return Err(format!("the file has {} bytes", bytes.len()));
        }
        Ok(bytes)
    }
}
