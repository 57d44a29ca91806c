//! An HTTP server on loopback that answers as the test says and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Status, further headers, body.
    Whole(u16, String, Vec<u8>),
    /// A body that ends before its length says.
    Cut(Vec<u8>),
    /// A byte now and then.
    Drip,
    /// A body that never ends, as fast as it is taken.
    Endless,
    /// Nothing at all.
    Silence,
}

impl Reply {
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self::Whole(200, String::new(), body.to_vec())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Whole(status, String::new(), Vec::new())
    }

    pub(crate) fn redirect(place: &str) -> Self {
        Self::Whole(302, format!("Location: {place}\r\n"), Vec::new())
    }
}

/// A request: its line and headers, and its body.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// What is replied to a path and a body.
type Replier = Box<dyn Fn(&str, &[u8]) -> Reply + Send>;

/// A running server.
pub(crate) struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    reply: Arc<Mutex<Replier>>,
}

impl Server {
    /// A server that replies by the path.
    pub(crate) fn start(reply: impl Fn(&str) -> Reply + Send + 'static) -> Self {
        Self::answering(move |path, _| reply(path))
    }

    /// A server that replies by the path and what is sent along.
    pub(crate) fn answering(reply: impl Fn(&str, &[u8]) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let reply: Arc<Mutex<Replier>> = Arc::new(Mutex::new(Box::new(reply)));
        let server = Self { url, asked: Arc::clone(&asked), reply: Arc::clone(&reply) };
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (asked, reply) = (Arc::clone(&asked), Arc::clone(&reply));
                std::thread::spawn(move || serve(stream, &asked, &reply));
            }
        });
        server
    }

    /// Replies otherwise from now on.
    pub(crate) fn now(&self, reply: impl Fn(&str) -> Reply + Send + 'static) {
        *self.reply.lock().unwrap() = Box::new(move |path, _| reply(path));
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What was asked since the last look.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn serve(stream: TcpStream, asked: &Mutex<Vec<Asked>>, reply: &Mutex<Replier>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
        let line = head[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let reply = (reply.lock().unwrap())(&path, &body);
    asked.lock().unwrap().push(Asked { head, body });
    // whoever stopped listening has seen enough
    let _ = answer(stream, &reply);
}

fn answer(mut stream: TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head = |status: u16, headers: &str, length: usize| {
        write!(stream, "HTTP/1.1 {status} x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n")
    };
    match reply {
        Reply::Whole(status, headers, body) => {
            head(*status, headers, body.len())?;
            stream.write_all(body)
        }
        Reply::Cut(body) => {
            head(200, "", body.len() + 100)?;
            stream.write_all(body)
        }
        Reply::Drip => {
            head(200, "", 1000)?;
            loop {
                stream.write_all(b"0")?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Reply::Endless => {
            write!(stream, "HTTP/1.1 200 x\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'0'; 65536])?;
            }
        }
        Reply::Silence => {
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        }
    }
}
