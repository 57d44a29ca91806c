//! The certificate that a client shows to a server in TLS, with its key.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::config::Secret;
use crate::error::{Code, Error, Result};

use super::key_file::{KeyFile, PrivateKey};

/// A certificate with its chain and its key.
#[derive(Clone)]
pub struct ClientCertificate {
    subject: String,
    certified: Arc<CertifiedKey>,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientCertificate").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl ClientCertificate {
    /// Reads a PFX (PKCS#12) or PEM file.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`; `config_secret_exposed` where a key without encryption can be read by others;
    /// `directory_certificate` for everything that is wrong inside, and for a certificate outside its dates: many servers
    /// refuse it without a word. The target is the file.
    pub fn read(path: &Path, password: Option<&Secret>) -> Result<Self> {
        let file = KeyFile::read(path, password, Code::DirectoryCertificate)?;
        let now_ms = i64::try_from(UnixTime::now().as_secs()).map_or(i64::MAX, |seconds| seconds.saturating_mul(1000));
        of_file(&file, now_ms).map_err(|error| error.target(path.display().to_string()))
    }

    /// The TLS configuration of a client that shows it to a server which asks.
    pub(super) fn shown_by(&self, config: &mut ClientConfig) {
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::clone(&self.certified)));
    }
}

fn of_file(file: &KeyFile, now_ms: i64) -> Result<ClientCertificate> {
    file.check_presence()?;
    let keys: Vec<_> = file.keys.iter().filter_map(signing).collect();
    if keys.is_empty() {
        return Err(file.defect("its key is damaged, or of a kind that TLS does not know", "certificate_unreadable"));
    }
    for key in keys {
        if let Some(leaf) = file.certificates.iter().find(|certificate| belongs(certificate, &*key)) {
            in_its_dates(leaf, now_ms)?;
            let certified = Arc::new(CertifiedKey::new(chain(leaf, &file.certificates), key));
            return Ok(ClientCertificate { subject: leaf.subject.clone(), certified });
        }
    }
    Err(file.mismatch())
}

fn in_its_dates(leaf: &Certificate, now_ms: i64) -> Result<()> {
    let day = |ms: i64| {
        let time = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000));
        time.map_or_else(|_| "a day no calendar has".to_owned(), |time| time.date().to_string())
    };
    let detail = match now_ms {
        now if now > leaf.not_after_ms => format!("it expired on {}", day(leaf.not_after_ms)),
        now if now < leaf.not_before_ms => format!("it is not valid before {}", day(leaf.not_before_ms)),
        _ => return Ok(()),
    };
    Err(Error::new(Code::DirectoryCertificate).with("detail", detail))
}

fn belongs(certificate: &Certificate, key: &dyn SigningKey) -> bool {
    // the key's bits are the last of a SubjectPublicKeyInfo
    key.public_key().is_some_and(|info| info.as_ref().ends_with(&certificate.details.public_key.bytes))
}

fn signing(key: &PrivateKey) -> Option<Arc<dyn SigningKey>> {
    let der = match key {
        PrivateKey::Pkcs8(der) => PrivateKeyDer::Pkcs8(der.as_slice().into()),
        PrivateKey::Pkcs1(der) => PrivateKeyDer::Pkcs1(der.as_slice().into()),
        PrivateKey::Sec1(der) => PrivateKeyDer::Sec1(der.as_slice().into()),
        PrivateKey::Unknown => return None,
    };
    any_supported_type(&der).ok()
}

/// A certificate and those of the file that issued it, each behind the one it issued (RFC 8446 4.4.2).
fn chain(leaf: &Certificate, all: &[Certificate]) -> Vec<CertificateDer<'static>> {
    let mut chain = vec![leaf];
    while let Some(last) = chain.last()
        && last.issuer != last.subject
        && let Some(issuer) = all.iter().find(|other| other.subject == last.issuer)
        && !chain.iter().any(|before| before.sha256 == issuer.sha256)
    {
        chain.push(issuer);
    }
    chain.into_iter().map(|certificate| CertificateDer::from(certificate.der.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const PASSWORD: &str = "pässwörd +&%";

    fn read(name: &str, password: Option<&str>) -> Result<ClientCertificate> {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join(name);
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sign_in").join(name);
        std::fs::write(&path, std::fs::read(data).unwrap()).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        ClientCertificate::read(&path, password.map(|text| Secret::new(text.to_owned())).as_ref())
    }

    #[test]
    fn keys_of_every_kind_are_taken_with_their_own_certificate_first() {
        for (name, password) in [
            ("modern.pfx", Some(PASSWORD)),
            ("legacy.pfx", Some(PASSWORD)),
            ("chain.pfx", Some(PASSWORD)),
            ("encrypted.pem", Some(PASSWORD)),
            ("plain.pem", None),
            ("pkcs1.pem", None),
            ("ec.pfx", Some(PASSWORD)),
            ("ec.pem", None),
        ] {
            let certificate = read(name, password).unwrap_or_else(|error| panic!("{name}: {error}"));
            // the file's other certificate did not issue it
            assert_eq!(certificate.certified.cert.len(), 1, "{name}");
            assert!(certificate.subject.starts_with("CN="), "{name}: {}", certificate.subject);
            let shown = format!("{certificate:?}");
            assert!(shown.contains(&certificate.subject) && shown.len() < 100, "{shown}");
        }
    }

    #[test]
    fn who_issued_it_follows_in_order() {
        let named = |name: &str| {
            let mut params = rcgen::CertificateParams::default();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            (params, rcgen::KeyPair::generate().unwrap())
        };
        let ((root, root_key), (sub, sub_key), (leaf, leaf_key)) = (named("root"), named("sub"), named("leaf"));
        let parsed = |certificate: rcgen::Certificate| Certificate::parse(certificate.der().as_ref()).unwrap();
        let of_sub = parsed(sub.signed_by(&sub_key, &rcgen::Issuer::from_params(&root, &root_key)).unwrap());
        let of_leaf = parsed(leaf.signed_by(&leaf_key, &rcgen::Issuer::from_params(&sub, &sub_key)).unwrap());
        let of_root = parsed(root.self_signed(&root_key).unwrap());
        let sent = chain(&of_leaf, &[of_root.clone(), of_leaf.clone(), of_sub.clone()]);
        let expected = [&of_leaf, &of_sub, &of_root].map(|certificate| certificate.der.to_vec());
        assert_eq!(sent.iter().map(|der| der.to_vec()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_remedy() {
        for (name, password, words) in [
            ("modern.pfx", Some("wrong s3cret"), "password"),
            ("no_key.pfx", Some(PASSWORD), "no private key"),
            ("cert.pem", None, "no private key"),
            ("mismatch.pem", None, "belongs to none"),
            ("old_encryption.pem", Some(PASSWORD), "old way"),
        ] {
            let error = read(name, password).unwrap_err();
            assert_eq!(error.code(), Code::DirectoryCertificate, "{name}: {error}");
            let text = error.to_string();
            assert!(text.contains(words) && !text.contains("s3cret") && !text.contains(PASSWORD), "{name}: {text}");
            assert!(error.get_remedy().is_some() && error.get_target().is_some_and(|file| file.ends_with(name)));
        }
    }
}
