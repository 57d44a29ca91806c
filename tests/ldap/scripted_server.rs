//! A server that says what a test wants, byte for byte (RFC 4511).

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// What the server does about one request.
pub(crate) enum Act {
    /// Sends these protocol operations, each in a message of its own, with controls.
    Send(Vec<(Vec<u8>, Vec<u8>)>),
    /// Sends these bytes as they are.
    Raw(Vec<u8>),
    /// Sends these protocol operations and closes the connection.
    SendAndClose(Vec<(Vec<u8>, Vec<u8>)>),
    /// Says nothing more.
    Silence,
}

/// Starts a server that takes connections one after the other and acts on each request as `script` says.
/// The script gets the request's number on its connection (the bind is 0) and the request's bytes.
pub(crate) fn serve(script: impl Fn(usize, &[u8]) -> Act + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let _ = converse(stream, &script);
        }
    });
    url
}

fn converse(mut stream: TcpStream, script: &impl Fn(usize, &[u8]) -> Act) -> std::io::Result<()> {
    for number in 0.. {
        let request = message(&mut stream)?;
        // SEQUENCE { INTEGER id, operation, ... }; ids stay below 128 here
        let (id, operation) = (request[2], &request[3..]);
        if operation.first() == Some(&0x42) {
            return Ok(());
        }
        let (operations, close) = match script(number, operation) {
            Act::Send(operations) => (operations, false),
            Act::SendAndClose(operations) => (operations, true),
            Act::Raw(bytes) => {
                stream.write_all(&bytes)?;
                continue;
            }
            Act::Silence => {
                std::thread::sleep(Duration::from_secs(5));
                return Ok(());
            }
        };
        for (operation, controls) in operations {
            let controls = if controls.is_empty() { Vec::new() } else { tlv(0xA0, &controls) };
            stream.write_all(&tlv(0x30, &[tlv(0x02, &[id]), operation, controls].concat()))?;
        }
        if close {
            return Ok(());
        }
    }
    Ok(())
}

/// One message's content: what is behind the outer length.
fn message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut length = usize::from(head[1]);
    if length > 127 {
        let mut octets = vec![0; length - 128];
        stream.read_exact(&mut octets)?;
        length = octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content)?;
    Ok(content)
}

/// Tag, length, value.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

fn octets(text: &[u8]) -> Vec<u8> {
    tlv(0x04, text)
}

/// A result without controls: `tag` 0x61 for a bind, 0x65 for a search.
pub(crate) fn result(tag: u8, code: u8, words: &str) -> (Vec<u8>, Vec<u8>) {
    (tlv(tag, &[tlv(0x0A, &[code]), octets(b""), octets(words.as_bytes())].concat()), Vec::new())
}

/// The end of a page, with the cookie of the next one.
pub(crate) fn page_end(cookie: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let value = tlv(0x30, &[tlv(0x02, &[0]), octets(cookie)].concat());
    let control = tlv(0x30, &[octets(b"1.2.840.113556.1.4.319"), octets(&value)].concat());
    (result(0x65, 0, "").0, control)
}

/// An entry.
pub(crate) fn entry(dn: &str, attributes: &[(&str, &[&[u8]])]) -> (Vec<u8>, Vec<u8>) {
    let attribute = |(name, values): &(&str, &[&[u8]])| {
        let values: Vec<u8> = values.iter().flat_map(|value| octets(value)).collect();
        tlv(0x30, &[octets(name.as_bytes()), tlv(0x31, &values)].concat())
    };
    let attributes: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    (tlv(0x64, &[octets(dn.as_bytes()), tlv(0x30, &attributes)].concat()), Vec::new())
}

/// A person with a mail address.
pub(crate) fn person(number: u32) -> (Vec<u8>, Vec<u8>) {
    let (dn, mail) = (format!("cn=u{number},dc=x"), format!("u{number}@x.test"));
    entry(
        &dn,
        &[("objectClass", &[b"inetOrgPerson"]), ("mail", &[mail.as_bytes()]), ("userCertificate;binary", &[b"0a"])],
    )
}

/// A reference to another server.
pub(crate) fn reference(url: &str) -> (Vec<u8>, Vec<u8>) {
    (tlv(0x73, &octets(url.as_bytes())), Vec::new())
}
