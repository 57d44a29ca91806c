//! The assertion an application proves itself with: a JWT signed by a registered certificate's key.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::state::App;
use crate::tenant::Core;
use crate::token::{Refusal, invalid_client};

/// How far the client's clock may be off.
const LEEWAY_S: i64 = 300;
/// The longest an assertion may be good for.
const MAX_LIFETIME_S: i64 = 600;

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    #[serde(rename = "x5t#S256")]
    sha256: Option<String>,
    x5t: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    jti: String,
    nbf: i64,
    exp: i64,
}

/// Checks an assertion in the order Entra ID reports it in; `audience` is the URL that was called.
pub(crate) fn verify(core: &mut Core, app: &App, text: &str, audience: &str, now_s: i64) -> Result<(), Refusal> {
    let malformed = || invalid_client(50_027, "JWT token is invalid or malformed.".to_owned());
    let (content, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = content.split_once('.').ok_or_else(malformed)?;
    let header: Header = decode(header).ok_or_else(malformed)?;
    let claims: Claims = decode(claims).ok_or_else(malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    if header.typ != "JWT" {
        return Err(malformed());
    }
    let id = app.app_id.to_string();
    if claims.iss != id || claims.sub != id {
        let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(invalid_client(700_021, text.to_owned()));
    }
    if claims.aud != audience {
        let text = "Client assertion audience claim does not match Realm issuer.";
        return Err(invalid_client(700_023, text.to_owned()));
    }
    signed(app, &header, content.as_bytes(), &signature, now_s)?;
    let in_time = claims.nbf <= now_s + LEEWAY_S && now_s < claims.exp + LEEWAY_S;
    if !in_time || claims.exp - claims.nbf > MAX_LIFETIME_S {
        let text = format!(
            "Client assertion is not within its valid time range. Current time: {now_s}, assertion valid from {}, \
             expiry time of assertion {}.",
            claims.nbf, claims.exp
        );
        return Err(invalid_client(700_024, text));
    }
    if !core.assertions.insert(claims.jti) {
        let text = "Assertion is invalid because of various reasons: it was used before.";
        return Err(invalid_client(50_013, text.to_owned()));
    }
    Ok(())
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn signed(app: &App, header: &Header, content: &[u8], signature: &[u8], now_s: i64) -> Result<(), Refusal> {
    let unknown = |reason: &str| {
        let text = format!(
            "Client assertion failed signature validation. [Reason - {reason}]. The certificate with identifier used \
             to sign the client assertion is not registered on application."
        );
        invalid_client(700_027, text)
    };
    let parameters: &RsaParameters = match header.alg.as_str() {
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(unknown("The algorithm is not supported")),
    };
    let der = app.certificates.iter().find(|der| {
        let names = |algorithm, name: &Option<String>| {
            name.as_ref().is_some_and(|name| *name == URL_SAFE_NO_PAD.encode(digest(algorithm, der)))
        };
        names(&SHA256, &header.sha256) || names(&SHA1_FOR_LEGACY_USE_ONLY, &header.x5t)
    });
    let der = der.ok_or_else(|| unknown("The key was not found"))?;
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| unknown("The key is no certificate"))?;
    if certificate.validity().not_after.timestamp() < now_s {
        let text = "The certificate used to sign the client assertion is expired on application.";
        return Err(invalid_client(700_027, text.to_owned()));
    }
    let key = UnparsedPublicKey::new(parameters, &*certificate.public_key().subject_public_key.data);
    key.verify(content, signature).map_err(|_| unknown("The signature is invalid"))
}
