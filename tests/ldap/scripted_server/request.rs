//! What a client sent, taken apart.

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    /// Number of its connection, from 0.
    pub(crate) connection: usize,
    /// Its number on its connection, from 0.
    pub(crate) number: usize,
    /// Its message id.
    pub(crate) id: i32,
    /// The operation.
    pub(crate) operation: Operation,
    /// OIDs and values of its controls.
    pub(crate) controls: Vec<(String, Vec<u8>)>,
    /// The operation and the controls as they came.
    pub(crate) bytes: Vec<u8>,
}

/// An operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A bind by name and password; other methods have neither.
    Bind { name: String, password: String },
    /// A search; the filter is left as it came.
    Search { base: String, scope: u8, filter: Vec<u8>, attributes: Vec<String> },
    /// An extended operation by its OID.
    Extended(String),
    /// The end of the connection.
    Unbind,
    /// Anything else, by its tag.
    Other(u8),
}

/// The values of a DirSync control ([MS-ADTS] 3.1.1.3.4.1.3).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DirSync {
    /// Flags.
    pub(crate) flags: i64,
    /// MaxBytes.
    pub(crate) max_bytes: i64,
    /// Cookie.
    pub(crate) cookie: Vec<u8>,
}

impl Request {
    /// Takes a message's content apart.
    pub(super) fn parse(connection: usize, number: usize, content: &[u8]) -> Self {
        let (_, id, bytes) = part(content);
        let (tag, operation, rest) = part(bytes);
        let controls = if rest.is_empty() { Vec::new() } else { controls(part(rest).1) };
        let operation = match tag {
            0x60 => {
                let (_, _, rest) = part(operation);
                let (_, name, rest) = part(rest);
                let (method, password, _) = part(rest);
                Operation::Bind {
                    name: text(name),
                    password: if method == 0x80 { text(password) } else { String::new() },
                }
            }
            0x63 => search(operation),
            0x77 => Operation::Extended(text(part(operation).1)),
            0x42 => Operation::Unbind,
            other => Operation::Other(other),
        };
        let id = i32::try_from(integer(id)).unwrap();
        Self { connection, number, id, operation, controls, bytes: bytes.to_vec() }
    }

    /// A control's value.
    pub(crate) fn control(&self, oid: &str) -> Option<&[u8]> {
        self.controls.iter().find(|(name, _)| name == oid).map(|(_, value)| value.as_slice())
    }

    /// Size and cookie of the paged results control (RFC 2696).
    pub(crate) fn page(&self) -> Option<(i64, Vec<u8>)> {
        let (_, size, rest) = part(part(self.control("1.2.840.113556.1.4.319")?).1);
        Some((integer(size), part(rest).1.to_vec()))
    }

    /// The DirSync control.
    pub(crate) fn dir_sync(&self) -> Option<DirSync> {
        let (_, flags, rest) = part(part(self.control("1.2.840.113556.1.4.841")?).1);
        let (_, max_bytes, rest) = part(rest);
        Some(DirSync { flags: integer(flags), max_bytes: integer(max_bytes), cookie: part(rest).1.to_vec() })
    }

    /// The cookie of the Sync Request control (RFC 4533 2.2): `None` without the control, empty without a cookie.
    pub(crate) fn sync_cookie(&self) -> Option<Vec<u8>> {
        let (_, _, rest) = part(part(self.control("1.3.6.1.4.1.4203.1.9.1.1")?).1);
        let cookie = if rest.first() == Some(&0x04) { part(rest).1.to_vec() } else { Vec::new() };
        Some(cookie)
    }

    /// The base of a search.
    pub(crate) fn base(&self) -> Option<&str> {
        match &self.operation {
            Operation::Search { base, .. } => Some(base),
            _ => None,
        }
    }

    /// Whether it is a search of the root DSE.
    pub(crate) fn is_root_dse(&self) -> bool {
        matches!(&self.operation, Operation::Search { base, scope: 0, .. } if base.is_empty())
    }

    /// The attributes a search asks for, as written.
    pub(crate) fn attributes(&self) -> &[String] {
        match &self.operation {
            Operation::Search { attributes, .. } => attributes,
            _ => &[],
        }
    }

    /// Whether the operation or a control holds this text somewhere.
    pub(crate) fn contains(&self, wanted: &str) -> bool {
        self.bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
    }
}

fn search(operation: &[u8]) -> Operation {
    let (_, base, rest) = part(operation);
    let (_, scope, rest) = part(rest);
    // dereferencing, limits, types only
    let rest = (0..4).fold(rest, |rest, _| part(rest).2);
    let (_, _, after) = part(rest);
    let filter = rest[..rest.len() - after.len()].to_vec();
    let mut attributes = Vec::new();
    let mut left = part(after).1;
    while !left.is_empty() {
        let (_, name, rest) = part(left);
        attributes.push(text(name));
        left = rest;
    }
    Operation::Search { base: text(base), scope: scope[0], filter, attributes }
}

fn controls(mut content: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let (_, control, rest) = part(content);
        let (_, oid, mut parts) = part(control);
        if parts.first() == Some(&0x01) {
            parts = part(parts).2;
        }
        let value = if parts.is_empty() { Vec::new() } else { part(parts).1.to_vec() };
        found.push((text(oid), value));
        content = rest;
    }
    found
}

/// The first element: its tag, its content, and what follows it.
fn part(bytes: &[u8]) -> (u8, &[u8], &[u8]) {
    let (tag, first) = (bytes[0], usize::from(bytes[1]));
    let octets = if first > 127 { first - 128 } else { 0 };
    let length = match octets {
        0 => first,
        _ => bytes[2..2 + octets].iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)),
    };
    let (content, rest) = bytes[2 + octets..].split_at(length);
    (tag, content, rest)
}

fn integer(octets: &[u8]) -> i64 {
    let sign = if octets.first().is_some_and(|octet| *octet > 127) { -1 } else { 0 };
    octets.iter().fold(sign, |sum, octet| sum << 8 | i64::from(*octet))
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}
