//! The application's certificate with its key, from a PFX (PKCS#12) or PEM file, or in the Windows store.

use std::fmt;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256};
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::config::Secret;
use crate::error::{Code, Error, Result};
use crate::net::{KeyFile, PrivateKey};
use crate::text::Text;
#[cfg(windows)]
use crate::{
    certificate::{KeyKind, Sha256},
    platform::{StoreCertificate, StoreFailure},
};

/// An RSA key, the one kind Entra ID takes, and the certificate it belongs to.
pub(in crate::exchange) struct SigningKey {
    signer: Signer,
    certificate: Certificate,
}

/// Who signs.
enum Signer {
    /// This process, with a key from a file.
    Own(Box<KeyPair>),
    /// Windows, with a key that never leaves it.
    #[cfg(windows)]
    Store(StoreCertificate),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("thumbprint", &self.certificate.thumbprint).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a file; which of the two forms it has is told by its content.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`; `config_secret_exposed` where a key without encryption can be read by others;
    /// `exchange_certificate` for everything that is wrong inside. The target is the file.
    pub(in crate::exchange) fn read(path: &Path, password: Option<&Secret>) -> Result<Self> {
        let file = KeyFile::read(path, password, Code::ExchangeCertificate)?;
        matching(&file).map_err(|error| error.target(path.display().to_string()))
    }

    /// Finds a certificate in the personal store of this user or of this machine; its key stays there.
    ///
    /// # Errors
    /// `exchange_certificate` where no store has it, or its key cannot be used. The target is the pointer.
    #[cfg(windows)]
    pub(in crate::exchange) fn in_store(thumbprint: &[u8; 20]) -> Result<Self> {
        let target = "/exchange/auth/certificate_thumbprint";
        let found = StoreCertificate::find(thumbprint).map_err(|failure| {
            let error = match failure {
                StoreFailure::NotFound => {
                    defect("neither this user's store nor this machine's has the certificate", "certificate_not_stored")
                }
                StoreFailure::Key(code) => {
                    defect(&format!("its key cannot be used, Windows says {code:#010X}"), "certificate_key_denied")
                }
            };
            error.target(target)
        })?;
        let certificate = Certificate::parse(&found.der())
            .map_err(|_| defect("it cannot be understood", "certificate_unreadable").target(target))?;
        if !matches!(certificate.details.public_key.kind, KeyKind::Rsa { .. }) {
            return Err(defect("its key is not RSA", "certificate_not_rsa").target(target));
        }
        Ok(Self { signer: Signer::Store(found), certificate })
    }

    /// The certificate.
    pub(in crate::exchange) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Refuses a certificate outside its dates, which Entra ID would, too.
    ///
    /// # Errors
    /// `exchange_certificate` with the remedy.
    pub(in crate::exchange) fn usable_at(&self, now_ms: i64) -> Result<()> {
        let Certificate { not_before_ms, not_after_ms, .. } = self.certificate;
        if now_ms > not_after_ms {
            return Err(defect(&format!("it expired on {}", day(not_after_ms)), "certificate_expired"));
        }
        if now_ms < not_before_ms {
            return Err(defect(&format!("it is not valid before {}", day(not_before_ms)), "certificate_not_yet_valid"));
        }
        Ok(())
    }

    /// Signs with RSASSA-PSS, SHA-256 and a salt of the digest's length: JWA's PS256.
    ///
    /// # Errors
    /// `exchange_certificate` where the key cannot sign.
    pub(in crate::exchange) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        match &self.signer {
            Signer::Own(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| defect("its key cannot sign", "certificate_unreadable"))?;
                Ok(signature)
            }
            #[cfg(windows)]
            Signer::Store(certificate) => {
                let digest = Sha256::of(message);
                certificate.sign_pss_sha256(digest.as_bytes()).map_err(|code| {
                    defect(&format!("its key cannot sign, Windows says {code:#010X}"), "certificate_key_denied")
                })
            }
        }
    }
}

/// The key of a file with the certificate that belongs to it; a file may hold a chain besides.
fn matching(file: &KeyFile) -> Result<SigningKey> {
    if !file.keys.is_empty() && !file.keys.iter().any(PrivateKey::is_rsa) {
        return Err(file.defect("its key is not RSA", "certificate_not_rsa"));
    }
    let pairs: Vec<_> = file.keys.iter().filter_map(pair).collect();
    if !file.keys.is_empty() && pairs.is_empty() {
        return Err(file.defect("its RSA key is damaged, or not of 2048 to 8192 bits", "certificate_not_rsa"));
    }
    file.check_presence()?;
    for pair in pairs {
        if let Some(certificate) = file.certificates.iter().find(|certificate| belongs(certificate, &pair)) {
            return Ok(SigningKey { signer: Signer::Own(Box::new(pair)), certificate: certificate.clone() });
        }
    }
    Err(file.mismatch())
}

fn pair(key: &PrivateKey) -> Option<KeyPair> {
    match key {
        PrivateKey::Pkcs8(der) if key.is_rsa() => KeyPair::from_pkcs8(der).ok(),
        PrivateKey::Pkcs1(der) => KeyPair::from_der(der).ok(),
        PrivateKey::Pkcs8(_) | PrivateKey::Sec1(_) | PrivateKey::Unknown => None,
    }
}

fn belongs(certificate: &Certificate, pair: &KeyPair) -> bool {
    // both are the DER of an RSAPublicKey
    *certificate.details.public_key.bytes == *pair.public_key().as_ref()
}

fn defect(detail: &str, remedy: &'static str) -> Error {
    Error::new(Code::ExchangeCertificate).with("detail", detail).remedy(Text::plain("sign_in", remedy))
}

/// A day in UTC, for a message.
pub(in crate::exchange) fn day(milliseconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(milliseconds.div_euclid(1000));
    time.map_or_else(|_| "a day no calendar has".to_owned(), |time| time.date().to_string())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    const PASSWORD: &str = "pässwörd +&%";

    /// The file with this name, readable by its owner alone.
    fn private(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sign_in").join(name);
        std::fs::write(&path, std::fs::read(data).unwrap()).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        (folder, path)
    }

    fn read(name: &str, password: Option<&str>) -> Result<SigningKey> {
        let (_folder, path) = private(name);
        SigningKey::read(&path, password.map(|text| Secret::new(text.to_owned())).as_ref())
    }

    #[test]
    fn every_usual_file_gives_the_same_key_and_certificate() {
        let mut seen = Vec::new();
        for (name, password) in [
            ("modern.pfx", Some(PASSWORD)),
            ("legacy.pfx", Some(PASSWORD)),
            ("chain.pfx", Some(PASSWORD)),
            ("encrypted.pem", Some(PASSWORD)),
            ("plain.pem", None),
            ("pkcs1.pem", None),
        ] {
            let key = read(name, password).unwrap();
            assert_eq!(key.certificate().subject, "CN=SmimeSync sign-in test", "{name}");
            let signature = key.sign(b"message").unwrap();
            let public = &key.certificate().details.public_key.bytes;
            UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public).verify(b"message", &signature).unwrap();
            seen.push(key.certificate().thumbprint.clone());
        }
        seen.dedup();
        assert_eq!(seen.len(), 1);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_remedy() {
        for (name, password, words, remedy) in [
            ("modern.pfx", Some("wrong s3cret"), "password", "certificate_password"),
            ("modern.pfx", None, "password", "certificate_password"),
            ("legacy.pfx", Some("wrong s3cret"), "password", "certificate_password"),
            ("encrypted.pem", Some("wrong s3cret"), "password", "certificate_password"),
            ("no_key.pfx", Some(PASSWORD), "no private key", "private key"),
            ("cert.pem", None, "no private key", "private key"),
            ("ec.pfx", Some(PASSWORD), "not RSA", "RSA key"),
            ("ec.pem", None, "not RSA", "RSA key"),
            ("mismatch.pem", None, "belongs to none", "its own key"),
            ("old_encryption.pem", Some(PASSWORD), "old way", "openssl pkcs8"),
        ] {
            let error = read(name, password).unwrap_err();
            assert_eq!(error.code(), Code::ExchangeCertificate, "{name}: {error}");
            let text = error.to_string();
            assert!(text.contains(words) && text.contains(remedy), "{name}: {text}");
            assert!(!text.contains("s3cret") && !text.contains(PASSWORD), "{name}: {text}");
            assert!(error.get_target().is_some_and(|target| target.ends_with(name)), "{error:?}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("empty", &b""[..]), ("noise", b"\x30\x03\x02\x01\x03"), ("text", b"-----BEGIN X-----")] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(SigningKey::read(&path, None).unwrap_err().code(), Code::ExchangeCertificate, "{name}");
        }
        let large = folder.path().join("large");
        std::fs::File::create(&large).unwrap().set_len((1 << 20) + 1).unwrap();
        assert_eq!(SigningKey::read(&large, None).unwrap_err().code(), Code::ExchangeCertificate);
        let error = SigningKey::read(&folder.path().join("gone"), None).unwrap_err();
        assert_eq!(error.code(), Code::FileNotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_bare_key_that_others_can_read_is_refused() {
        let open = |name: &str, password: Option<&str>| {
            let (_folder, path) = private(name);
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
            SigningKey::read(&path, password.map(|text| Secret::new(text.to_owned())).as_ref())
        };
        assert_eq!(open("plain.pem", None).unwrap_err().code(), Code::ConfigSecretExposed);
        assert_eq!(open("pkcs1.pem", Some(PASSWORD)).unwrap_err().code(), Code::ConfigSecretExposed);
        open("modern.pfx", Some(PASSWORD)).unwrap();
        open("encrypted.pem", Some(PASSWORD)).unwrap();
    }

    #[test]
    fn a_certificate_outside_its_dates_is_refused_with_the_day() {
        let key = read("modern.pfx", Some(PASSWORD)).unwrap();
        let Certificate { not_before_ms, not_after_ms, .. } = *key.certificate();
        key.usable_at(not_before_ms).unwrap();
        key.usable_at(not_after_ms).unwrap();
        let late = key.usable_at(not_after_ms + 1).unwrap_err().to_string();
        assert!(late.contains("expired on 2120-01-01") && late.contains("new certificate"), "{late}");
        let early = key.usable_at(not_before_ms - 1).unwrap_err().to_string();
        assert!(early.contains("not valid before 2020-01-01") && early.contains("clock"), "{early}");
    }

    #[test]
    fn nothing_of_the_key_shows() {
        let shown = format!("{:?}", read("plain.pem", None).unwrap());
        assert!(shown.contains("thumbprint") && shown.len() < 100, "{shown}");
    }
}
