//! The smallest HTTP client that can talk to ourselves: HTTP/1.0, plain, one request a connection.
//!
//! For the health check, the control socket and the robot of the demonstration. Whatever
//! leaves the machine goes through `net`.

use std::{io, path::Path};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use url::Url;

pub(super) struct Answer {
    pub(super) status: u16,
    /// Lower-case names.
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub(super) async fn get(url: &str) -> io::Result<Answer> {
    send("GET", url, &[], b"").await
}

pub(super) async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let url = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
    let (Some(host), "http") = (url.host_str(), url.scheme()) else {
        return Err(wrong("only http:// addresses with a host can be asked"));
    };
    let port = url.port_or_known_default().unwrap_or(80);
    // Brackets are how a URL writes an IPv6 address, not how a socket does.
    let address = (host.trim_matches(['[', ']']), port);
    let stream = TcpStream::connect(address).await?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let begin = format!("{method} {}{query} HTTP/1.0\r\nhost: {host}:{port}\r\n", url.path());
    exchange(stream, begin, headers, body).await
}

/// Through a socket in the file system; `path` with its query.
#[cfg(unix)]
pub(super) async fn send_through(
    socket: &Path,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let stream = tokio::net::UnixStream::connect(socket).await?;
    let begin = format!("{method} {path} HTTP/1.0\r\nhost: localhost\r\n");
    exchange(stream, begin, headers, body).await
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut head: String,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    parse(&answer).ok_or_else(|| wrong("what answered does not speak HTTP"))
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    first.next().filter(|version| version.starts_with("HTTP/1."))?;
    let status = first.next()?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers = lines.filter_map(header).collect();
    Some(Answer { status, headers, body: answer[end + 4..].to_vec() })
}

fn wrong(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_read_and_noise_is_not() {
        let answer = parse(b"HTTP/1.0 302 Found\r\nLocation: /x:y\r\n\r\nbody").unwrap();
        assert_eq!((answer.status, answer.header("location")), (302, Some("/x:y")));
        assert_eq!(answer.body, b"body");
        for noise in [b"".as_slice(), b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200"]
        {
            assert!(parse(noise).is_none());
        }
    }
}
