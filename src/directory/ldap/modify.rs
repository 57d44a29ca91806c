//! Changing the values of one attribute of one entry (RFC 4511 4.6).

use std::collections::HashSet;

use ldap3::Mod;
use ldap3::controls::{Assertion, MakeCritical as _};

use crate::certificate::Attribute;
use crate::error::{Code, Error, Result};
use crate::people::RawValue;

use super::connect::Connection;
use super::failure::{self, Doing};

/// A value of the attribute is not there (RFC 4511 4.1.9).
const NO_SUCH_ATTRIBUTE: u32 = 16;
/// The attribute has no equality rule, so that single values cannot be named.
const INAPPROPRIATE_MATCHING: u32 = 18;
/// A value is there already.
const ATTRIBUTE_OR_VALUE_EXISTS: u32 = 20;

/// What is done to an attribute.
#[derive(Debug)]
pub(super) struct Modification<'a> {
    /// The entry.
    pub(super) dn: &'a str,
    /// The attribute.
    pub(super) attribute: Attribute,
    /// The values it was read with; those that `after` has not go.
    pub(super) before: &'a [RawValue],
    /// The values it shall have; those that `before` has not come.
    pub(super) after: &'a [RawValue],
    /// entryCSN as it was read with the values, where the server has one (RFC 4533).
    pub(super) entry_csn: Option<&'a str>,
}

/// How a modification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modified {
    /// It was made.
    Done,
    /// The values are no longer as they were read; nothing was changed.
    Stale,
}

/// Makes a modification by naming single values, so that nobody else's are touched.
///
/// # Errors
/// `directory_refused`, `directory_denied`; those of the connection, after which it may have been made or not.
pub(super) async fn modify(
    connection: &mut Connection,
    active_directory: bool,
    modification: &Modification<'_>,
) -> Result<Modified> {
    let name = description(modification.attribute, active_directory);
    let mut changes = Vec::new();
    let removed = without(modification.before, modification.after);
    if !removed.is_empty() {
        changes.push(Mod::Delete(name, removed));
    }
    let added = without(modification.after, modification.before);
    if !added.is_empty() {
        changes.push(Mod::Add(name, added));
    }
    match send(connection, modification.dn, changes, None).await? {
        INAPPROPRIATE_MATCHING => replace(connection, name, modification).await,
        code => Ok(ended(code)),
    }
}

/// Replaces all values, provided that the entry was not touched since it was read (RFC 4528).
async fn replace(connection: &mut Connection, name: &[u8], modification: &Modification<'_>) -> Result<Modified> {
    let Some(csn) = modification.entry_csn else {
        let detail = "the server can neither change single values nor say whether the entry was changed meanwhile";
        return Err(Error::new(Code::DirectoryRefused).with("detail", detail).target(modification.dn));
    };
    let changes = vec![Mod::Replace(name, without(modification.after, &[]))];
    let untouched = format!("(entryCSN={})", ldap3::ldap_escape(csn));
    send(connection, modification.dn, changes, Some(untouched)).await.map(ended)
}

/// The result code, one of those a caller can do something about.
async fn send(
    connection: &mut Connection,
    dn: &str,
    changes: Vec<Mod<&[u8]>>,
    assertion: Option<String>,
) -> Result<u32> {
    let mut ldap = connection.operation();
    if let Some(filter) = assertion {
        ldap.with_controls(Assertion { filter }.critical());
    }
    match ldap.modify(dn, changes).await {
        Ok(result)
            if matches!(
                result.rc,
                failure::SUCCESS
                    | NO_SUCH_ATTRIBUTE
                    | INAPPROPRIATE_MATCHING
                    | ATTRIBUTE_OR_VALUE_EXISTS
                    | failure::ASSERTION_FAILED
            ) =>
        {
            Ok(result.rc)
        }
        Ok(result) => Err(failure::of_result(&result, Doing::Modify).target(dn)),
        Err(error) => Err(connection.failed(error, Doing::Modify).await),
    }
}

fn ended(code: u32) -> Modified {
    if code == failure::SUCCESS { Modified::Done } else { Modified::Stale }
}

/// Active Directory knows no `;binary`; standard servers want it for certificates, and not for CMS (RFC 4523 2.1).
fn description(attribute: Attribute, active_directory: bool) -> &'static [u8] {
    match attribute {
        Attribute::UserCertificate if !active_directory => b"userCertificate;binary",
        Attribute::UserCertificate => b"userCertificate",
        Attribute::UserSmimeCertificate => b"userSMIMECertificate",
        // no entry has it, so every directory refuses the name
        Attribute::IssuingCertificates => b"SMIMECertificateIssuingCA",
    }
}

fn without<'a>(values: &'a [RawValue], others: &[RawValue]) -> HashSet<&'a [u8]> {
    let is_other = |value: &RawValue| others.iter().any(|other| other.sha256 == value.sha256);
    values.iter().filter(|value| !is_other(value)).map(|value| value.bytes.as_ref()).collect()
}
