//! The certificate stores of Windows: a certificate by its thumbprint, and signatures made where its key is.

use std::fmt;
use std::ptr;

use windows_sys::Win32::Foundation::{GetLastError, NTE_BAD_TYPE};
use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_PAD_PSS, BCRYPT_PSS_PADDING_INFO, BCRYPT_SHA256_ALGORITHM, CERT_CONTEXT, CERT_FIND_SHA1_HASH,
    CERT_NCRYPT_KEY_SPEC, CERT_STORE_OPEN_EXISTING_FLAG, CERT_STORE_PROV_SYSTEM_W, CERT_STORE_READONLY_FLAG,
    CERT_SYSTEM_STORE_CURRENT_USER, CERT_SYSTEM_STORE_LOCAL_MACHINE, CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG,
    CRYPT_ACQUIRE_SILENT_FLAG, CRYPT_INTEGER_BLOB, CertCloseStore, CertFindCertificateInStore,
    CertFreeCertificateContext, CertOpenStore, CryptAcquireCertificatePrivateKey, HCERTSTORE, NCRYPT_KEY_HANDLE,
    NCRYPT_SILENT_FLAG, NCryptFreeObject, NCryptSignHash, X509_ASN_ENCODING,
};
use windows_sys::core::w;

/// Octets of SHA-256, and of the salt that JWA's PS256 wants (RFC 7518 3.5).
const SHA256_BYTES: u32 = 32;

/// Why a certificate in the store cannot be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    /// No store has the certificate.
    NotFound,
    /// Its key is not there, may not be used, or is of a kind that is not known, with Windows' own code.
    Key(u32),
}

/// A certificate in the store of this user or of this machine, and the key that belongs to it, which stays where it is.
pub struct StoreCertificate {
    context: Context,
    key: Key,
}

impl StoreCertificate {
    /// Looks in the personal store of the user, then in the machine's; the first certificate whose key can be used counts.
    ///
    /// # Errors
    /// What is wrong with the last one that was found.
    pub fn find(thumbprint: &[u8; 20]) -> Result<Self, StoreFailure> {
        let mut failure = StoreFailure::NotFound;
        for location in [CERT_SYSTEM_STORE_CURRENT_USER, CERT_SYSTEM_STORE_LOCAL_MACHINE] {
            let found = Store::open(location).and_then(|store| store.find(thumbprint));
            match found.map(|context| Key::of(&context).map(|key| Self { context, key })) {
                Some(Ok(certificate)) => return Ok(certificate),
                Some(Err(code)) => failure = StoreFailure::Key(code),
                None => {}
            }
        }
        Err(failure)
    }

    /// The certificate's DER.
    pub fn der(&self) -> Vec<u8> {
        self.context.der()
    }

    /// Signs a SHA-256 digest with RSASSA-PSS and a salt of the digest's length.
    ///
    /// # Errors
    /// Windows' own code.
    pub fn sign_pss_sha256(&self, digest: &[u8; 32]) -> Result<Vec<u8>, u32> {
        self.key.sign_pss_sha256(digest)
    }
}

impl fmt::Debug for StoreCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoreCertificate")
    }
}

/// An open store.
struct Store(HCERTSTORE);

impl Store {
    /// The personal store of a place, where there is one.
    fn open(location: u32) -> Option<Self> {
        let flags = location | CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG;
        // SAFETY: the provider is one of those that take a name, and the name is a text that ends with zero
        let store = unsafe { CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, w!("MY").cast()) };
        (!store.is_null()).then_some(Self(store))
    }

    fn find(&self, thumbprint: &[u8; 20]) -> Option<Context> {
        let hash = CRYPT_INTEGER_BLOB { cbData: 20, pbData: thumbprint.as_ptr().cast_mut() };
        // SAFETY: the store is open, the blob and what it points to outlive the call, which only reads them
        let context = unsafe {
            CertFindCertificateInStore(
                self.0,
                X509_ASN_ENCODING,
                0,
                CERT_FIND_SHA1_HASH,
                ptr::from_ref(&hash).cast(),
                ptr::null(),
            )
        };
        (!context.is_null()).then_some(Context(context))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the store was opened and is closed once; contexts taken from it keep what they need
        unsafe { CertCloseStore(self.0, 0) };
    }
}

/// A certificate of a store.
struct Context(*const CERT_CONTEXT);

// SAFETY: a certificate context is counted, never changed, and Windows allows its use from any thread
unsafe impl Send for Context {}
// SAFETY: as above
unsafe impl Sync for Context {}

impl Context {
    fn der(&self) -> Vec<u8> {
        // SAFETY: the context is alive, and it owns so many octets at this place
        unsafe {
            let context = &*self.0;
            let length = usize::try_from(context.cbCertEncoded).unwrap_or(0);
            std::slice::from_raw_parts(context.pbCertEncoded, length).to_vec()
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context was given to us and is released once
        unsafe { CertFreeCertificateContext(self.0) };
    }
}

/// A key that Windows keeps.
struct Key {
    handle: NCRYPT_KEY_HANDLE,
    /// Whether the handle is ours to release.
    owned: bool,
}

impl Key {
    /// The key of a certificate. Nobody is asked for a password: there may be nobody.
    fn of(context: &Context) -> Result<Self, u32> {
        let (mut handle, mut kind, mut owned) = (0, 0, 0);
        let flags = CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG | CRYPT_ACQUIRE_SILENT_FLAG;
        // SAFETY: the context is alive, and the three outputs are ours
        let done = unsafe {
            CryptAcquireCertificatePrivateKey(context.0, flags, ptr::null(), &mut handle, &mut kind, &mut owned)
        };
        if done == 0 {
            // SAFETY: it only reads what the call before left for this thread
            return Err(unsafe { GetLastError() });
        }
        let key = Self { handle, owned: owned != 0 && kind == CERT_NCRYPT_KEY_SPEC };
        // a handle of the older interface is none of ours, whatever was asked for
        if kind == CERT_NCRYPT_KEY_SPEC { Ok(key) } else { Err(NTE_BAD_TYPE.cast_unsigned()) }
    }

    fn sign_pss_sha256(&self, digest: &[u8; 32]) -> Result<Vec<u8>, u32> {
        let padding = BCRYPT_PSS_PADDING_INFO { pszAlgId: BCRYPT_SHA256_ALGORITHM, cbSalt: SHA256_BYTES };
        let sign = |output: &mut [u8]| {
            let (place, room) = (output.as_mut_ptr(), u32::try_from(output.len()).unwrap_or(u32::MAX));
            let place = if room == 0 { ptr::null_mut() } else { place };
            let mut length = 0;
            // SAFETY: the key is alive; padding and digest outlive the call; the output has as much room as is said
            let code = unsafe {
                NCryptSignHash(
                    self.handle,
                    ptr::from_ref(&padding).cast(),
                    digest.as_ptr(),
                    SHA256_BYTES,
                    place,
                    room,
                    &mut length,
                    BCRYPT_PAD_PSS | NCRYPT_SILENT_FLAG,
                )
            };
            if code == 0 { Ok(usize::try_from(length).unwrap_or(0)) } else { Err(code.cast_unsigned()) }
        };
        // without room it says how much it wants
        let mut signature = vec![0; sign(&mut [])?];
        let length = sign(&mut signature)?;
        signature.truncate(length);
        Ok(signature)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: the handle was given to us to release, once
            unsafe { NCryptFreeObject(self.handle) };
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents};
    use windows_sys::Win32::Security::Cryptography::{
        BCRYPT_RSA_ALGORITHM, BCRYPT_RSAKEY_BLOB, BCRYPT_RSAPUBLIC_BLOB, MS_KEY_STORAGE_PROVIDER,
        NCRYPT_LENGTH_PROPERTY, NCryptCreatePersistedKey, NCryptExportKey, NCryptFinalizeKey,
        NCryptOpenStorageProvider, NCryptSetProperty,
    };

    use super::*;
    use crate::certificate::Sha256;

    /// A new RSA key without a name, which is gone with its handle; and its exponent and modulus.
    fn new_key() -> (Key, Vec<u8>, Vec<u8>) {
        let (mut provider, mut handle, mut length) = (0, 0, 0);
        let mut blob = vec![0; 4096];
        // SAFETY: all inputs are constants of Windows, all outputs are ours and as large as is said
        unsafe {
            assert_eq!(NCryptOpenStorageProvider(&mut provider, MS_KEY_STORAGE_PROVIDER, 0), 0);
            assert_eq!(NCryptCreatePersistedKey(provider, &mut handle, BCRYPT_RSA_ALGORITHM, ptr::null(), 0, 0), 0);
            let length_property = NCRYPT_LENGTH_PROPERTY;
            assert_eq!(NCryptSetProperty(handle, length_property, 2048_u32.to_le_bytes().as_ptr(), 4, 0), 0);
            assert_eq!(NCryptFinalizeKey(handle, NCRYPT_SILENT_FLAG), 0);
            let kind = BCRYPT_RSAPUBLIC_BLOB;
            let code =
                NCryptExportKey(handle, 0, kind, ptr::null(), blob.as_mut_ptr(), 4096, &mut length, NCRYPT_SILENT_FLAG);
            assert_eq!(code, 0);
            NCryptFreeObject(provider);
        }
        // SAFETY: the blob begins with this header
        let header = unsafe { blob.as_ptr().cast::<BCRYPT_RSAKEY_BLOB>().read_unaligned() };
        let numbers = &blob[size_of::<BCRYPT_RSAKEY_BLOB>()..];
        let (exponent, modulus) = numbers.split_at(header.cbPublicExp as usize);
        let modulus = modulus[..header.cbModulus as usize].to_vec();
        (Key { handle, owned: true }, exponent.to_vec(), modulus)
    }

    #[test]
    fn windows_signs_as_ps256_wants_it() {
        let (key, e, n) = new_key();
        let signature = key.sign_pss_sha256(Sha256::of(b"message").as_bytes()).unwrap();
        let public = RsaPublicKeyComponents { n, e };
        public.verify(&RSA_PSS_2048_8192_SHA256, b"message", &signature).unwrap();
    }

    #[test]
    fn a_certificate_that_no_store_has_is_not_found() {
        assert_eq!(StoreCertificate::find(&[7; 20]).unwrap_err(), StoreFailure::NotFound);
    }
}
