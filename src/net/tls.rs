//! TLS for the directory and for Exchange Online: always verified, TLS 1.2 and 1.3.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};

use crate::error::{Code, Error, Result};
use crate::platform;

/// A client configuration that trusts the authorities in `ca_files` and, if `os_store`, the operating system's.
///
/// # Errors
/// `file_not_found`, `file_unreadable`, `trust_unreadable` for a file without a certificate. Without any authority every
/// server is refused.
pub fn client_config(ca_files: &[std::path::PathBuf], os_store: bool) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for path in ca_files {
        let bytes = std::fs::read(path).map_err(|error| platform::file_error(path, &error))?;
        let unreadable = || Error::new(Code::TrustUnreadable).target(path.display().to_string());
        let found = certificates(&bytes);
        if found.is_empty() {
            return Err(unreadable());
        }
        for certificate in found {
            roots.add(certificate).map_err(|_| unreadable())?;
        }
    }
    if os_store {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(Code::Internal).with("detail", error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    if bytes.first() == Some(&0x30) {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    CertificateDer::pem_slice_iter(bytes).filter_map(std::result::Result::ok).collect()
}
