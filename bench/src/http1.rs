//! A cheap HTTP/1.1 client: one connection, one request at a time, written as given. Parses only as much of the
//! response head as needed. Supports bodies of a given length and chunked bodies.

use anyhow::Context;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Time-out of a response.
const PATIENCE: Duration = Duration::from_secs(20);
/// Buffer space reserved before each read.
const ROOM: usize = 64 * 1024;

/// A persistent connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The body of a chunked response.
    whole: Vec<u8>,
}

/// A response, valid until the next request.
#[derive(Debug)]
pub struct Answer<'a> {
    head: &'a str,
    /// The body, without the framing of chunks.
    pub body: &'a [u8],
}

impl Connection {
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(ROOM), whole: Vec::new() })
    }

    /// Connects from an address of this machine.
    pub async fn open_from(source: Ipv4Addr, address: SocketAddr) -> anyhow::Result<Self> {
        let stream = connect_from(source, address).await?;
        Ok(Self { stream, buffer: Vec::new(), whole: Vec::new() })
    }

    /// Sends a request's bytes and reads the response.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            self.fill().await?;
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let length = header(text, "content-length").map(str::parse::<usize>).transpose()?;
        let chunked = header(text, "transfer-encoding").is_some_and(|value| value == "chunked");
        let body = match length {
            _ if status(text) == 304 => head..head,
            Some(length) => {
                while self.buffer.len() < head + length {
                    self.fill().await?;
                }
                head..head + length
            }
            None if chunked => {
                self.chunks(head).await?;
                let head = std::str::from_utf8(&self.buffer[..head])?;
                return Ok(Answer { head, body: &self.whole });
            }
            None => anyhow::bail!("an answer of unknown length"),
        };
        Ok(Answer { head: std::str::from_utf8(&self.buffer[..head])?, body: &self.buffer[body] })
    }

    async fn chunks(&mut self, mut at: usize) -> anyhow::Result<()> {
        self.whole.clear();
        loop {
            let line = loop {
                match self.buffer[at..].windows(2).position(|bytes| bytes == b"\r\n") {
                    Some(end) => break at + end,
                    None => self.fill().await?,
                }
            };
            let size = std::str::from_utf8(&self.buffer[at..line])?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
            let (start, end) = (line + 2, line + 2 + size);
            while self.buffer.len() < end + 2 {
                self.fill().await?;
            }
            if size == 0 {
                return Ok(());
            }
            self.whole.extend_from_slice(&self.buffer[start..end]);
            at = end + 2;
        }
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        self.buffer.reserve(ROOM);
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
        anyhow::ensure!(read.context("no answer for 20 s")?? > 0, "the connection broke off");
        Ok(())
    }
}

/// A bare connection from an address of this machine.
pub async fn connect_from(source: Ipv4Addr, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Answer<'_> {
    pub fn status(&self) -> u16 {
        status(self.head)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// Names and values of all headers except those about the body's length.
    pub fn headers(&self) -> Vec<(String, String)> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let framing = |name: &str| {
            ["content-length", "transfer-encoding"].iter().any(|framing| framing.eq_ignore_ascii_case(name))
        };
        lines.filter(|(name, _)| !framing(name)).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }
}

fn status(head: &str) -> u16 {
    head.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn all_body_framings_are_read() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answers = [
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhello",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
                "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n",
            ];
            for answer in answers {
                assert_eq!(stream.read(&mut [0; 64]).await.unwrap(), 1);
                for part in answer.as_bytes().chunks(7) {
                    stream.write_all(part).await.unwrap();
                }
            }
        });
        let mut connection = Connection::open(address).await.unwrap();
        let answer = connection.ask(b"1").await.unwrap();
        assert_eq!((answer.status(), answer.body, answer.header("x")), (200, &b"hello"[..], Some("y")));
        assert_eq!(answer.headers(), [("x".to_owned(), "y".to_owned())]);
        assert_eq!(connection.ask(b"2").await.unwrap().body, b"hello");
        let held = connection.ask(b"3").await.unwrap();
        assert_eq!((held.status(), held.body, held.header("etag")), (304, &b""[..], Some("\"1\"")));
        assert!(connection.ask(b"4").await.is_err());
    }
}
