//! A private key and its certificates, from a PFX (PKCS#12) or PEM file.

use std::path::Path;

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use pkcs8::der::SecretDocument;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use crate::certificate::{Bundle, Certificate, is_pem, pem_objects};
use crate::config::Secret;
use crate::error::{Code, Error, Result};
use crate::platform;
use crate::text::Text;

/// Object identifier rsaEncryption (RFC 8017).
const RSA: &str = "1.2.840.113549.1.1.1";
/// Largest file that is read: a key and a chain are some ten kilobytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What a file holds.
pub(crate) struct KeyFile {
    /// Its keys.
    pub(crate) keys: Vec<PrivateKey>,
    /// Its certificates, in the file's order.
    pub(crate) certificates: Vec<Certificate>,
    /// Whether a password protects every key.
    encrypted: bool,
    code: Code,
}

/// A private key.
pub(crate) enum PrivateKey {
    /// RFC 5208.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// RFC 8017 A.1.2.
    Pkcs1(Zeroizing<Vec<u8>>),
    /// RFC 5915.
    Sec1(Zeroizing<Vec<u8>>),
    /// Of a kind that is not known.
    Unknown,
}

impl PrivateKey {
    fn of_pkcs8(der: Zeroizing<Vec<u8>>) -> Option<Self> {
        PrivateKeyInfoRef::try_from(der.as_slice()).is_ok().then_some(Self::Pkcs8(der))
    }

    /// Whether it is an RSA key.
    pub(crate) fn is_rsa(&self) -> bool {
        match self {
            Self::Pkcs8(der) => {
                let info = PrivateKeyInfoRef::try_from(der.as_slice());
                info.is_ok_and(|info| info.algorithm.oid.to_string() == RSA)
            }
            Self::Pkcs1(_) => true,
            Self::Sec1(_) | Self::Unknown => false,
        }
    }
}

impl KeyFile {
    /// Reads a file; which of the two forms it has is told by its content.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`; `config_secret_exposed` where a key without encryption can be read by others;
    /// `code` for everything that is wrong inside. The target is the file.
    pub(crate) fn read(path: &Path, password: Option<&Secret>, code: Code) -> Result<Self> {
        let target = path.display().to_string();
        let failed = |error: std::io::Error| platform::file_error(path, &error);
        if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
            return Err(UNREADABLE.error(code).target(target));
        }
        let bytes = Zeroizing::new(std::fs::read(path).map_err(failed)?);
        let password = password.map_or("", Secret::reveal);
        let contents = if is_pem(&bytes) { of_pem(&bytes, password) } else { of_pkcs12(&bytes, password) };
        let Contents { keys, certificates, encrypted } =
            contents.map_err(|defect| defect.error(code).target(&*target))?;
        let file = Self { keys, certificates, encrypted, code };
        if !file.encrypted && platform::others_can_read(path).map_err(failed)? {
            return Err(Error::new(Code::ConfigSecretExposed).target(target));
        }
        Ok(file)
    }

    /// An error about the file; the remedy is the sentence `sign_in.<remedy>`.
    pub(crate) fn defect(&self, detail: &'static str, remedy: &'static str) -> Error {
        Defect { detail, remedy }.error(self.code)
    }

    /// Refuses a file without a key, or without a certificate.
    ///
    /// # Errors
    /// The code of [`KeyFile::read`].
    pub(crate) fn check_presence(&self) -> Result<()> {
        if self.keys.is_empty() {
            return Err(NO_KEY.error(self.code));
        }
        if self.certificates.is_empty() {
            return Err(self.defect("the file holds no certificate", "certificate_absent"));
        }
        Ok(())
    }

    /// That no key belongs to a certificate.
    pub(crate) fn mismatch(&self) -> Error {
        self.defect("the key belongs to none of the file's certificates", "certificate_mismatch")
    }
}

struct Contents {
    keys: Vec<PrivateKey>,
    certificates: Vec<Certificate>,
    encrypted: bool,
}

/// What is wrong inside a file.
struct Defect {
    detail: &'static str,
    remedy: &'static str,
}

const NO_KEY: Defect = Defect { detail: "the file holds no private key", remedy: "certificate_no_key" };
const UNREADABLE: Defect = Defect { detail: "the file is neither PFX nor PEM", remedy: "certificate_unreadable" };
const WRONG_PASSWORD: Defect = Defect { detail: "the password does not open the file", remedy: "certificate_password" };

impl Defect {
    fn error(&self, code: Code) -> Error {
        Error::new(code).with("detail", self.detail).remedy(Text::plain("sign_in", self.remedy))
    }
}

fn of_pkcs12(bytes: &[u8], password: &str) -> std::result::Result<Contents, Defect> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| match error {
        Pkcs12Error::MacError(_) => WRONG_PASSWORD,
        Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => {
            Defect { detail: "the file is encrypted in a way that is not known", remedy: "certificate_unreadable" }
        }
        // without a MAC a wrong password shows only in what comes out of the decryption
        Pkcs12Error::UnpadError | Pkcs12Error::Pkcs5Error(_) => WRONG_PASSWORD,
        _ if Certificate::parse(bytes).is_ok() => NO_KEY,
        _ => UNREADABLE,
    })?;
    let keys = archive
        .keys
        .into_iter()
        .map(|bag| PrivateKey::of_pkcs8(Zeroizing::new(bag.key.as_der().to_vec())).unwrap_or(PrivateKey::Unknown));
    let certificates = archive.certs.iter().filter_map(|bag| Certificate::parse(bag.cert.as_der()).ok());
    Ok(Contents { keys: keys.collect(), certificates: certificates.collect(), encrypted: !password.is_empty() })
}

fn of_pem(bytes: &[u8], password: &str) -> std::result::Result<Contents, Defect> {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let (mut keys, mut encrypted) = (Vec::new(), true);
    for object in pem_objects(&text) {
        let key = match (object.label, object.contents) {
            ("PRIVATE KEY", Some(der)) => {
                encrypted = false;
                PrivateKey::of_pkcs8(der).ok_or(UNREADABLE)?
            }
            ("RSA PRIVATE KEY", Some(der)) => {
                encrypted = false;
                PrivateKey::Pkcs1(der)
            }
            ("EC PRIVATE KEY", Some(der)) => {
                encrypted = false;
                PrivateKey::Sec1(der)
            }
            ("ENCRYPTED PRIVATE KEY", Some(der)) => {
                let der = decrypt(&der, password)?;
                PrivateKey::of_pkcs8(Zeroizing::new(der.as_bytes().to_vec())).ok_or(WRONG_PASSWORD)?
            }
            ("DSA PRIVATE KEY", _) => PrivateKey::Unknown,
            // headers between the lines are the encryption of before PKCS#8
            ("RSA PRIVATE KEY" | "EC PRIVATE KEY", None) => {
                let detail = "its key is encrypted in OpenSSL's old way";
                return Err(Defect { detail, remedy: "certificate_old_encryption" });
            }
            ("PRIVATE KEY" | "ENCRYPTED PRIVATE KEY", None) => return Err(UNREADABLE),
            _ => continue,
        };
        keys.push(key);
    }
    Ok(Contents { keys, certificates: Bundle::read(bytes).certificates, encrypted })
}

fn decrypt(der: &[u8], password: &str) -> std::result::Result<SecretDocument, Defect> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| UNREADABLE)?;
    info.decrypt(password).map_err(|_| WRONG_PASSWORD)
}
