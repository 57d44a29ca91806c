//! TLS for the directory and for Exchange Online: always verified, TLS 1.2 and 1.3.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::{Code, Error, Result};
use crate::platform;

use super::ClientCertificate;

/// The authorities that may vouch for servers, and the certificate of a client that has one.
#[derive(Debug, Clone)]
pub struct Authorities {
    roots: Arc<RootCertStore>,
    client: Option<ClientCertificate>,
}

impl Authorities {
    /// Those in `ca_files` and, if `os_store`, the operating system's.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`, `trust_unreadable` for a file without a certificate.
    pub fn load(ca_files: &[PathBuf], os_store: bool) -> Result<Self> {
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
        Ok(Self { roots: Arc::new(roots), client: None })
    }

    /// The same with a certificate of the client's own, shown to servers that ask for one.
    #[must_use]
    pub fn with_client(self, client: Option<ClientCertificate>) -> Self {
        Self { client, ..self }
    }

    /// A client configuration that trusts them. Without any authority every server is refused.
    ///
    /// # Errors
    /// Only defects of this library.
    pub fn config(&self) -> Result<Arc<ClientConfig>> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| internal(&error))?;
        Ok(self.finished(builder.with_root_certificates(Arc::clone(&self.roots)).with_no_client_auth()))
    }

    fn finished(&self, mut config: ClientConfig) -> Arc<ClientConfig> {
        if let Some(client) = &self.client {
            client.shown_by(&mut config);
        }
        Arc::new(config)
    }

    /// The same configuration for one connection, and who tells afterwards which certificates the server sent, whether
    /// they were accepted or not.
    ///
    /// # Errors
    /// Only defects of this library.
    pub fn witnessed_config(&self) -> Result<(Arc<ClientConfig>, Arc<Witness>)> {
        let inner = if self.roots.is_empty() {
            None
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::clone(&self.roots), provider());
            Some(builder.build().map_err(|error| Error::new(Code::Internal).with("detail", error.to_string()))?)
        };
        let witness = Arc::new(Witness { inner, provider: provider(), seen: Mutex::default() });
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| internal(&error))?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&witness) as _;
        // it verifies as rustls's own does, which it asks
        let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok((self.finished(config), witness))
    }
}

/// A client configuration that trusts the authorities in `ca_files` and, if `os_store`, the operating system's.
///
/// # Errors
/// Those of [`Authorities::load`].
pub fn client_config(ca_files: &[PathBuf], os_store: bool) -> Result<Arc<ClientConfig>> {
    Authorities::load(ca_files, os_store)?.config()
}

/// Remembers the certificates a server sent.
#[derive(Debug)]
pub struct Witness {
    /// Who decides; nobody where there is no authority.
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Vec<CertificateDer<'static>>>,
}

impl Witness {
    /// What the server sent, its own certificate first; empty where the handshake did not get so far.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let sent = std::iter::once(end_entity).chain(intermediates);
        let sent: Vec<_> = sent.map(|certificate| certificate.clone().into_owned()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = sent;
        match &self.inner {
            Some(inner) => inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a server's certificate was not accepted, in words.
pub(crate) fn certificate_words(reason: &CertificateError) -> String {
    use CertificateError as Reason;
    let words = match reason {
        Reason::Expired | Reason::ExpiredContext { .. } => "it has expired",
        Reason::NotValidYet | Reason::NotValidYetContext { .. } => "it is not valid yet",
        Reason::Revoked => "it is revoked",
        Reason::UnknownIssuer => "its issuer is not known",
        Reason::BadSignature => "its signature is wrong",
        Reason::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            return format!("it is for another host: {}", presented.join(", "));
        }
        Reason::NotValidForName | Reason::NotValidForNameContext { .. } => "it is for another host",
        Reason::InvalidPurpose | Reason::InvalidPurposeContext { .. } => "it is not for servers",
        Reason::BadEncoding => "it cannot be parsed",
        Reason::UnhandledCriticalExtension => "it has a critical extension that is not known",
        _ => "it cannot be verified",
    };
    words.to_owned()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn internal(error: &rustls::Error) -> Error {
    Error::new(Code::Internal).with("detail", error.to_string())
}

fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    if bytes.first() == Some(&0x30) {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    CertificateDer::pem_slice_iter(bytes).filter_map(std::result::Result::ok).collect()
}
