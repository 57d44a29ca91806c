//! LDIF content records (RFC 2849), one at a time, in bounded memory.

use std::io::{BufRead, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::directory::entry::Entry;
use crate::error::{Code, Error, Result};

/// Longest line after unfolding, in bytes: the base64 of the largest LDAP message. RFC 2849 has no limit.
pub(super) const MAX_LINE_BYTES: usize = 24 << 20;
/// Largest record, in bytes of its unfolded lines.
pub(super) const MAX_RECORD_BYTES: usize = 64 << 20;

/// A record of the file.
#[derive(Debug)]
pub(super) enum Record {
    /// A content record.
    Entry {
        /// The entry.
        entry: Entry,
        /// The line of its DN, from 1.
        line: u64,
    },
    /// What `ldapsearch` writes at its end: the result of the search the file came from.
    SearchResult {
        /// LDAP result code.
        code: u32,
        /// The result's words.
        words: String,
    },
}

/// Reads records from a file.
pub(super) struct Reader<R> {
    input: BufReader<R>,
    /// The line at hand, unfolded, without its end.
    line: Vec<u8>,
    /// Number of the line at hand.
    line_number: u64,
    /// Physical lines read so far.
    lines_read: u64,
    version_allowed: bool,
}

struct Line<'a> {
    description: &'a str,
    value: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// A reader of `input`, which need not be buffered.
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(1 << 17, input),
            line: Vec::new(),
            line_number: 0,
            lines_read: 0,
            version_allowed: true,
        }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// `ldif_syntax` and `ldif_change_record` with the line, `file_unreadable`.
    pub(super) fn next(&mut self) -> Result<Option<Record>> {
        loop {
            if !self.next_line()? {
                return Ok(None);
            }
            if self.line.is_empty() {
                continue;
            }
            let number = self.line_number;
            let Line { description, value } = parse_line(&self.line, number)?;
            if std::mem::take(&mut self.version_allowed) && description.eq_ignore_ascii_case("version") {
                if value != b"1" {
                    return Err(syntax(number, "version other than 1"));
                }
                continue;
            }
            match description.to_ascii_lowercase().as_str() {
                "dn" => return self.entry(value, number).map(Some),
                // what ldapsearch writes besides entries: RFC 2849 does not know it, files of administrators do
                "search" => {
                    if let Some(result) = self.search_result()? {
                        return Ok(Some(result));
                    }
                }
                "ref" => while self.next_line()? && !self.line.is_empty() {},
                _ => return Err(syntax(number, "a record does not begin with dn")),
            }
        }
    }

    fn entry(&mut self, dn: Vec<u8>, number: u64) -> Result<Record> {
        let dn = String::from_utf8(dn).map_err(|_| syntax(number, "the DN is not UTF-8"))?;
        let mut size = dn.len();
        let mut entry = Entry::new(dn);
        let mut first = true;
        while self.next_line()? && !self.line.is_empty() {
            size += self.line.len();
            if size > MAX_RECORD_BYTES {
                return Err(syntax(self.line_number, "a record longer than 64 MiB"));
            }
            let Line { description, value } = parse_line(&self.line, self.line_number)?;
            let is = |name: &str| description.eq_ignore_ascii_case(name);
            // ldifde writes its exports as records that add
            if first && is("changetype") && value.eq_ignore_ascii_case(b"add") {
                first = false;
                continue;
            }
            if is("changetype") || (first && is("control")) {
                return Err(Error::new(Code::LdifChangeRecord).with("line", self.line_number.to_string()));
            }
            if is("dn") {
                return Err(syntax(self.line_number, "no empty line before dn"));
            }
            if !entry.add(description, [value]) {
                return Err(syntax(self.line_number, "a record with more than 4096 attributes"));
            }
            first = false;
        }
        Ok(Record::Entry { entry, line: number })
    }

    fn search_result(&mut self) -> Result<Option<Record>> {
        let mut result = None;
        while self.next_line()? && !self.line.is_empty() {
            let Line { description, value } = parse_line(&self.line, self.line_number)?;
            if description.eq_ignore_ascii_case("result") {
                let text = String::from_utf8_lossy(&value).into_owned();
                let (code, words) = text.split_once(' ').unwrap_or((text.as_str(), ""));
                let code = code.parse().map_err(|_| syntax(self.line_number, "a search result without a code"))?;
                result = Some(Record::SearchResult { code, words: words.to_owned() });
            }
        }
        Ok(result)
    }

    /// Reads the next line that is no comment, unfolded, into `line`; `false` at the end of the file.
    fn next_line(&mut self) -> Result<bool> {
        loop {
            self.line.clear();
            self.line_number = self.lines_read + 1;
            if !self.physical_line()? {
                return Ok(false);
            }
            if self.lines_read == 1 {
                self.byte_order_mark()?;
            }
            if self.line.first() == Some(&b' ') {
                return Err(syntax(self.line_number, "a continuation of nothing"));
            }
            if self.line.is_empty() {
                return Ok(true);
            }
            while self.peek()? == Some(b' ') {
                self.input.consume(1);
                self.physical_line()?;
            }
            if self.line.first() != Some(&b'#') {
                return Ok(true);
            }
        }
    }

    fn byte_order_mark(&mut self) -> Result<()> {
        if self.line.starts_with(b"\xFF\xFE") || self.line.starts_with(b"\xFE\xFF") {
            return Err(syntax(1, "UTF-16 instead of UTF-8"));
        }
        if self.line.starts_with(b"\xEF\xBB\xBF") {
            self.line.drain(..3);
        }
        Ok(())
    }

    /// Appends one line as it is in the file, without its end; `false` at the end of the file.
    fn physical_line(&mut self) -> Result<bool> {
        let before = self.line.len();
        let room = (MAX_LINE_BYTES + 2).saturating_sub(before);
        let read = (&mut self.input).take(room as u64).read_until(b'\n', &mut self.line).map_err(|e| unreadable(&e))?;
        if read == 0 {
            return Ok(false);
        }
        self.lines_read += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.line.len() > before && self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
        } else if read == room {
            return Err(syntax(self.line_number, "a line longer than 24 MiB"));
        }
        Ok(true)
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        Ok(self.input.fill_buf().map_err(|error| unreadable(&error))?.first().copied())
    }
}

fn parse_line(line: &[u8], number: u64) -> Result<Line<'_>> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| syntax(number, "a line without a colon"))?;
    let description = std::str::from_utf8(&line[..colon])
        .ok()
        .filter(|text| is_description(text))
        .ok_or_else(|| syntax(number, "no attribute name before the colon"))?;
    let value = match &line[colon + 1..] {
        [b'<', ..] => return Err(syntax(number, "a value that is elsewhere (:<)")),
        [b':', encoded @ ..] => {
            STANDARD.decode(encoded.trim_ascii()).map_err(|_| syntax(number, "a value that is not base64"))?
        }
        plain => {
            let spaces = plain.iter().take_while(|byte| **byte == b' ').count();
            plain[spaces..].to_vec()
        }
    };
    Ok(Line { description, value })
}

/// RFC 2849's AttributeDescription, with what options of Active Directory add (`;range=0-*`).
pub(super) fn is_description(text: &str) -> bool {
    let mut parts = text.split(';');
    let name = parts.next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !name.is_empty()
        && name.chars().all(is_name)
        && parts.all(|option| !option.is_empty() && option.chars().all(|c| is_name(c) || matches!(c, '=' | '*')))
}

fn syntax(line: u64, detail: &str) -> Error {
    Error::new(Code::LdifSyntax).with("line", line.to_string()).with("detail", detail)
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::new(Code::FileUnreadable).with("detail", error.to_string())
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
