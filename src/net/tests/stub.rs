//! A server on this machine that does as told, and remembers what it heard.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

use crate::{
    clock::Clock,
    domain::mortality::Mortality,
    net::{Client, Settings},
};

/// What the server does with a request that it has read to its end.
pub(in crate::net) enum Act {
    Say(String),
    SayAfter(Duration, String),
    /// Says this, then closes.
    SayAndClose(String),
    /// Goes on sending this until nobody listens.
    SayForever(String),
    Close,
    Hang,
}

#[derive(Clone)]
pub(in crate::net) struct Server {
    pub(super) port: u16,
    pub(super) connections: Arc<AtomicUsize>,
    /// As they arrived: head and body.
    requests: Arc<Mutex<Vec<String>>>,
    in_flight: Arc<AtomicUsize>,
    pub(super) in_flight_max: Arc<AtomicUsize>,
}

impl Server {
    pub(in crate::net) async fn start(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            requests: Arc::default(),
            in_flight: Arc::default(),
            in_flight_max: Arc::default(),
        };
        let (serving, act) = (server.clone(), Arc::new(act));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, SeqCst);
                let (serving, act) = (serving.clone(), act.clone());
                tokio::spawn(async move { serving.attend(stream, &*act).await });
            }
        });
        server
    }

    async fn attend(&self, mut stream: TcpStream, act: &(dyn Fn(&str) -> Act + Send + Sync)) {
        while let Some(request) = hear(&mut stream).await {
            let act = act(&request);
            self.requests.lock().unwrap().push(request);
            let now = self.in_flight.fetch_add(1, SeqCst) + 1;
            self.in_flight_max.fetch_max(now, SeqCst);
            if let Act::SayAfter(wait, _) = act {
                Clock::wall().sleep(wait).await;
            }
            if let Act::Hang = act {
                std::future::pending::<()>().await;
            }
            self.in_flight.fetch_sub(1, SeqCst);
            match act {
                Act::Say(words) | Act::SayAfter(_, words) => {
                    let _ = stream.write_all(words.as_bytes()).await;
                }
                Act::SayAndClose(words) => {
                    let _ = stream.write_all(words.as_bytes()).await;
                    return;
                }
                Act::SayForever(words) => while stream.write_all(words.as_bytes()).await.is_ok() {},
                Act::Close | Act::Hang => return,
            }
        }
    }

    pub(in crate::net) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The standard ones, with this server allowed.
    pub(in crate::net) fn settings(&self) -> Settings {
        let allowed_origins = vec![Url::parse(&self.url("/")).unwrap()];
        Settings { allowed_origins, ..Settings::standard() }
    }

    pub(in crate::net) fn client(&self) -> Client {
        Client::new(self.settings(), Clock::wall(), Mortality::default())
    }

    pub(in crate::net) fn heard(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// One request to its end; `None` when the client is gone.
async fn hear(stream: &mut TcpStream) -> Option<String> {
    let mut heard = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let text = String::from_utf8_lossy(&heard);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
    }
}

pub(in crate::net) fn says(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

pub(in crate::net) fn ok(body: &str) -> String {
    says("200 OK", "content-type: application/json\r\n", body)
}
