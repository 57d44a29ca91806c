//! LDIF (RFC 2849): entries and modifications as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Columns after which a line is folded, as `ldapsearch` and `ldifde` do.
const WIDTH: usize = 76;

/// One attribute with one value, in the order of the file.
pub type Line = (String, Vec<u8>);

/// An entry: its DN and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Distinguished name.
    pub dn: String,
    /// Attributes, a pair per value.
    pub lines: Vec<Line>,
    /// A comment above the entry.
    pub comment: Option<String>,
}

impl Entry {
    /// An entry without attributes.
    pub fn new(dn: String) -> Self {
        Self { dn, lines: Vec::new(), comment: None }
    }

    /// Adds a value.
    pub fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.lines.push((name.to_owned(), value.as_ref().to_vec()));
    }
}

/// A file of entries. An export begins with its version; the loaders of Samba and slapd know no such line.
pub fn file(is_export: bool, entries: &[Entry]) -> String {
    let mut out = String::from(if is_export { "version: 1\n" } else { "" }) + "# made by smimesync-company\n";
    for entry in entries {
        out.push('\n');
        if let Some(comment) = &entry.comment {
            fold(&mut out, &format!("# {comment}"));
        }
        write_line(&mut out, "dn", entry.dn.as_bytes());
        for (name, value) in &entry.lines {
            write_line(&mut out, name, value);
        }
    }
    out
}

/// A change record that replaces all values of one attribute.
pub fn replace(dn: &str, attribute: &str, values: &[&[u8]]) -> String {
    let mut out = String::new();
    write_line(&mut out, "dn", dn.as_bytes());
    write_line(&mut out, "changetype", b"modify");
    write_line(&mut out, "replace", attribute.as_bytes());
    for value in values {
        write_line(&mut out, attribute, value);
    }
    out + "-\n"
}

fn write_line(out: &mut String, name: &str, value: &[u8]) {
    match std::str::from_utf8(value) {
        Ok(text) if is_safe(text) => fold(out, &format!("{name}: {text}")),
        _ => fold(out, &format!("{name}:: {}", STANDARD.encode(value))),
    }
}

/// RFC 2849's SAFE-STRING, without a trailing space, which editors lose.
fn is_safe(text: &str) -> bool {
    let plain = text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    plain && !text.starts_with([' ', ':', '<']) && !text.ends_with(' ')
}

fn fold(out: &mut String, line: &str) {
    let mut room = WIDTH;
    let mut used = 0;
    for letter in line.chars() {
        if used == room {
            out.push_str("\n ");
            room = WIDTH - 1;
            used = 0;
        }
        out.push(letter);
        used += 1;
    }
    out.push('\n');
}

/// One relative distinguished name value, escaped (RFC 4514 2.4).
pub fn escape(value: &str) -> String {
    let mut out = String::new();
    let last = value.chars().count().saturating_sub(1);
    for (i, letter) in value.chars().enumerate() {
        let at_edge = (i == 0 && (letter == ' ' || letter == '#')) || (i == last && letter == ' ');
        if at_edge || matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}
