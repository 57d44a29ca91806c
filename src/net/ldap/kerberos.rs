//! Binding by Kerberos (SASL GSSAPI, RFC 4752): with channel binding where there is TLS (RFC 5929), else with everything
//! that follows signed and sealed.

use cross_krb5::{ClientCtx, Cred, InitiateFlags, K5Cred as _, K5Ctx as _, Step};
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncWriteExt as _;

use crate::error::{Code, Error, Result};

use super::message::{self, Broken, operation};
use super::sealed::Sealed;
use super::transport::{Transport, io_error};

/// saslBindInProgress (RFC 4511 4.2.2).
const IN_PROGRESS: u32 = 14;
/// Security layers (RFC 4752 3.3): none, and confidentiality.
const NO_LAYER: u8 = 1;
const PRIVACY: u8 = 4;
/// Largest sealed message that is accepted; a length has three octets here.
const MAX_SEALED: u32 = 0x00FF_FFFF;

/// Who binds.
#[derive(Debug, Clone, Default)]
pub struct Principal {
    /// Its name, `user@REALM`; the credentials' own if absent.
    pub name: Option<String>,
    /// A file with its keys; else the tickets, the keytab or the session that the system has.
    pub keytab: Option<std::path::PathBuf>,
}

/// How a bind ended.
#[derive(Debug)]
pub enum Bound {
    /// The stream to go on with.
    Yes(Transport),
    /// The server's result code and words.
    No(u32, String),
}

/// Binds on a stream on which nothing was said yet but StartTLS.
///
/// # Errors
/// `directory_auth` where Kerberos gives no ticket or the server is not who it should be; `directory_protocol`,
/// `directory_unreachable`.
pub async fn bind(mut transport: Transport, host: &str, principal: Principal) -> Result<Bound> {
    let binding = transport.server_certificate().and_then(|certificate| channel_binding(&certificate));
    let layer = if transport.is_secure() { NO_LAYER } else { PRIVACY };
    let service = format!("ldap/{host}");
    let (mut pending, mut token) = blocking(move || {
        let credentials = credentials(&principal)?;
        let begun = ClientCtx::new_with_cred(InitiateFlags::empty(), credentials, &service, binding.as_deref());
        let (pending, token) = begun.map_err(|error| refused(&error))?;
        Ok((pending, token.to_vec()))
    })
    .await?;
    let mut id = 1;
    let mut context = loop {
        id += 1;
        let (code, words, answer) = ask(&mut transport, id, Some(&token)).await?;
        if code != IN_PROGRESS {
            return Ok(Bound::No(code, words));
        }
        let answer = answer.unwrap_or_default();
        let stepped = blocking(move || {
            Ok(match pending.step(&answer).map_err(|error| refused(&error))? {
                Step::Finished((context, token)) => Ok((context, token.map(|token| token.to_vec()))),
                Step::Continue((pending, token)) => Err((pending, token.to_vec())),
            })
        });
        match stepped.await? {
            Ok((context, last)) => {
                // the server says next which layers it has, after an empty answer if it waits for one
                id += 1;
                let (code, words, offer) = ask(&mut transport, id, last.as_deref()).await?;
                if code != IN_PROGRESS {
                    return Ok(Bound::No(code, words));
                }
                break (context, offer.unwrap_or_default());
            }
            Err((next, following)) => (pending, token) = (next, following),
        }
    };
    let offer = context.0.unwrap(&context.1).map_err(|error| refused(&error))?.to_vec();
    let [layers, size @ ..] = offer.as_slice() else { return Err(Broken::Malformed.into()) };
    if layers & layer == 0 {
        let detail = "the server offers no security layer that is good enough";
        return Err(Error::new(Code::DirectoryAuth).with("detail", detail));
    }
    let size = size.iter().fold(0u32, |sum, octet| sum << 8 | u32::from(*octet));
    let chosen = (u32::from(layer) << 24 | if layer == PRIVACY { MAX_SEALED } else { 0 }).to_be_bytes();
    let chosen = context.0.wrap(false, &chosen).map_err(|error| refused(&error))?.to_vec();
    let (code, words, _) = ask(&mut transport, id + 1, Some(&chosen)).await?;
    Ok(match code {
        0 if layer == PRIVACY => Bound::Yes(Transport::Sealed(Box::new(Sealed::new(transport, context.0, size)))),
        0 => Bound::Yes(transport),
        _ => Bound::No(code, words),
    })
}

/// Sends a step of the exchange; result code, words and the server's own token.
async fn ask(transport: &mut Transport, id: u8, token: Option<&[u8]>) -> Result<(u32, String, Option<Vec<u8>>)> {
    let request = message::sasl_bind_request(id, b"GSSAPI", token);
    transport.write_all(&request).await.map_err(|error| io_error(&error))?;
    transport.flush().await.map_err(|error| io_error(&error))?;
    let answer = transport.one_message().await?;
    let head = message::head(&answer)?;
    match message::outcome(&answer) {
        Some((code, words)) if head.operation == operation::BIND_RESPONSE => {
            Ok((code, words, message::sasl_credentials(&answer)))
        }
        Some((code, words)) if head.operation == operation::EXTENDED_RESPONSE => Ok((code, words, None)),
        _ => Err(Broken::Malformed.into()),
    }
}

#[cfg(unix)]
fn credentials(principal: &Principal) -> Result<Cred> {
    match &principal.keytab {
        Some(keytab) => crate::platform::kerberos_credentials(keytab, principal.name.as_deref()).map(Cred::from),
        None => own_credentials(principal),
    }
}

#[cfg(not(unix))]
fn credentials(principal: &Principal) -> Result<Cred> {
    match &principal.keytab {
        Some(_) => Err(Error::new(Code::ConfigUnsupported).target("/directory/bind/keytab").with("detail", "keytabs")),
        None => own_credentials(principal),
    }
}

fn own_credentials(principal: &Principal) -> Result<Cred> {
    Cred::client_acquire(InitiateFlags::empty(), principal.name.as_deref()).map_err(|error| refused(&error))
}

fn refused(error: &impl std::fmt::Display) -> Error {
    Error::new(Code::DirectoryAuth).with("detail", format!("kerberos: {error:#}"))
}

/// The server's certificate as channel binding `tls-server-end-point` (RFC 5929 4): its digest by the algorithm of its
/// signature, SHA-256 instead of weaker ones. `None` where that algorithm has no digest.
fn channel_binding(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let algorithm = match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => &SHA384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => &SHA512,
        // MD5, SHA-1 and SHA-256 with RSA; SHA-1 and SHA-256 with ECDSA
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => &SHA256,
        _ => return None,
    };
    Some([b"tls-server-end-point:", digest(algorithm, certificate).as_ref()].concat())
}

/// Kerberos reads files and asks its servers, and waits for both.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|error| Error::new(Code::Internal).with("detail", error.to_string()))?
}
