//! What types alone cannot say of a configuration: ranges, what belongs together, what this version cannot do.

use std::path::Path;

use crate::certificate::Attribute;
use crate::error::{Code, Error, Result};

use super::read::{Source, pointer_error, rfc3339};
use super::{BindMethod, Config, Directory, DirectoryKind, Secret};

/// Longest time that can be given to one answer.
const DAY_MS: u64 = 86_400_000;

pub(super) fn ranges(config: &Config) -> Result<()> {
    let wrong = |pointer: &str, detail: &str| Err(pointer_error(Source::Configuration, pointer, detail));
    if config.directory.is_some() && !config.directories.is_empty() {
        return wrong("/directories", "expected either directory or directories");
    }
    let policy = &config.policy;
    if let Some(at) = &policy.at {
        rfc3339(at, Source::Configuration, "/policy/at")?;
    }
    for (index, name) in policy.attributes.iter().enumerate() {
        if Attribute::from_description(name).is_none() {
            return wrong(&format!("/policy/attributes/{index}"), "expected userCertificate or userSMIMECertificate");
        }
    }
    if policy.attributes.is_empty() {
        return wrong("/policy/attributes", "expected at least one attribute");
    }
    let guard = &config.guard;
    let numbers = [
        ("/policy/max_values", u64::from(policy.max_values), 1, 1000),
        ("/policy/max_value_bytes", u64::from(policy.max_value_bytes), 1, 1 << 20),
        ("/policy/min_rsa_bits", u64::from(policy.min_rsa_bits), 1024, 16384),
        ("/guard/max_removals_percent", u64::from(guard.max_removals_percent), 0, 100),
        ("/guard/max_people_losing_last_percent", u64::from(guard.max_people_losing_last_percent), 0, 100),
        ("/guard/max_shrink_percent", u64::from(guard.max_shrink_percent), 0, 100),
        ("/guard/max_newly_unfit_percent", u64::from(guard.max_newly_unfit_percent), 0, 100),
        ("/guard/window_hours", u64::from(guard.window_hours), 1, 8784),
        ("/policy/full_every_days", u64::from(policy.full_every_days), 1, 3660),
        ("/revocation/timeout_ms", config.revocation.timeout_ms, 1, DAY_MS),
        ("/revocation/max_bytes", config.revocation.max_bytes, 1, 1 << 32),
        ("/guard/max_clock_skew_ms", guard.max_clock_skew_ms, 0, i64::MAX as u64),
        ("/log/files", u64::from(config.log.files), 1, 1000),
        ("/log/max_bytes", config.log.max_bytes, 4096, 1 << 40),
    ];
    for (pointer, value, low, high) in numbers {
        if !(low..=high).contains(&value) {
            return wrong(pointer, &format!("expected {low} to {high}"));
        }
    }
    let concurrency = config.exchange.as_ref().and_then(|exchange| exchange.concurrency);
    if concurrency.is_some_and(|count| !(1..=64).contains(&count)) {
        return wrong("/exchange/concurrency", "expected 1 to 64");
    }
    let patience = config.exchange.as_ref().and_then(|exchange| exchange.timeout_ms);
    if patience.is_some_and(|milliseconds| !(1..=DAY_MS).contains(&milliseconds)) {
        return wrong("/exchange/timeout_ms", &format!("expected 1 to {DAY_MS}"));
    }
    if let Some(auth) = config.exchange.as_ref().map(|exchange| &exchange.auth).filter(|_| cfg!(windows))
        && let Some(text) = &auth.certificate_thumbprint
    {
        let pointer = "/exchange/auth/certificate_thumbprint";
        if auth.certificate_file.is_some() {
            return wrong(pointer, "expected either certificate_file or certificate_thumbprint");
        }
        if thumbprint(text).is_none() {
            return wrong(pointer, "expected the 40 hexadecimal digits of a SHA-1 hash");
        }
    }
    for (pointer, directory) in directories(config) {
        if directory.site.is_some() && directory.domain.is_none() {
            return wrong(&format!("{pointer}/site"), "expected domain beside it");
        }
        if directory.timeout_ms.is_some_and(|milliseconds| !(1..=DAY_MS).contains(&milliseconds)) {
            return wrong(&format!("{pointer}/timeout_ms"), &format!("expected 1 to {DAY_MS}"));
        }
        if directory.page_size.is_some_and(|size| !(1..=100_000).contains(&size)) {
            return wrong(&format!("{pointer}/page_size"), "expected 1 to 100000");
        }
    }
    Ok(())
}

pub(super) fn unsupported(config: &Config) -> Result<()> {
    let cannot =
        |pointer: String, what: &str| Err(Error::new(Code::ConfigUnsupported).target(pointer).with("detail", what));
    for (pointer, directory) in directories(config) {
        let bind = &directory.bind;
        let is_file = directory.kind == DirectoryKind::Ldif;
        let kerberos = cfg!(feature = "gssapi");
        let asked = [
            ("group", is_file && directory.group.is_some(), "selection by group in a file"),
            ("bind/method", !kerberos && bind.method == BindMethod::Gssapi, "Kerberos in a build without it"),
            ("bind/keytab", !kerberos && bind.keytab.is_some(), "Kerberos in a build without it"),
        ];
        for (key, set, what) in asked {
            if set {
                return cannot(format!("{pointer}/{key}"), what);
            }
        }
    }
    if let Some(exchange) = &config.exchange {
        let auth = &exchange.auth;
        if auth.certificate_thumbprint.is_some() && !cfg!(windows) {
            let what = "a certificate in the Windows store; give its file in certificate_file";
            return cannot("/exchange/auth/certificate_thumbprint".into(), what);
        }
    }
    if config.trust.os_store {
        return cannot("/trust/os_store".into(), "the operating system's anchors");
    }
    Ok(())
}

/// The octets of a thumbprint as Windows shows it: with spaces or colons in between, and with a mark of writing direction in
/// front where it was copied out of a dialog.
pub fn thumbprint(text: &str) -> Option<[u8; 20]> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ':' | '\u{200E}' | '\u{200F}')).collect();
    hex::decode(digits).ok()?.try_into().ok()
}

/// Reads the files of secrets.
pub(super) fn secrets(config: &mut Config) -> Result<()> {
    let base = config.base_dir.clone();
    let read = |secret: &mut Option<Secret>| -> Result<()> {
        secret.as_mut().map_or(Ok(()), |secret| secret.resolve(base.as_deref().map(Path::new)))
    };
    for directory in config.directory.iter_mut().chain(&mut config.directories) {
        read(&mut directory.bind.password)?;
        read(&mut directory.bind.certificate_password)?;
    }
    if let Some(exchange) = &mut config.exchange {
        read(&mut exchange.auth.secret)?;
        read(&mut exchange.auth.certificate_password)?;
        read(&mut exchange.auth.token)?;
        read(&mut exchange.proxy)?;
    }
    Ok(())
}

fn directories(config: &Config) -> impl Iterator<Item = (String, &Directory)> {
    let one = config.directory.iter().map(|directory| ("/directory".to_owned(), directory));
    let more =
        config.directories.iter().enumerate().map(|(index, directory)| (format!("/directories/{index}"), directory));
    one.chain(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_read_as_windows_shows_them() {
        let octets = Some([0xAB; 20]);
        assert_eq!(thumbprint(&"ab".repeat(20)), octets);
        assert_eq!(thumbprint(&format!("\u{200E}{}", "AB ".repeat(20))), octets);
        assert_eq!(thumbprint(&"aB:".repeat(20)), octets);
        for wrong in ["", "ab", "zz", &"ab".repeat(32)] {
            assert_eq!(thumbprint(wrong), None, "{wrong}");
        }
    }
}
