//! For the tests of this folder: one request over a real connection, one answer.

use std::net::Ipv4Addr;

use axum::Router;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Told {
    pub(crate) status: u16,
    /// Lower-case names.
    pub(crate) head: String,
    pub(crate) json: Value,
}

/// `head`: the request line and headers, each with its line end; `Host` and the length are added.
pub(crate) async fn exchange(router: Router, head: &str, body: &str) -> Told {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(axum::serve(listener, router).into_future());
    let length = body.len();
    let request =
        format!("{head}host: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.abort();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Told {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        json: serde_json::from_str(body).unwrap_or(Value::Null),
    }
}
