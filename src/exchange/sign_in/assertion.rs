//! The assertion an application proves itself with: a JWT signed by its certificate's key (RFC 7523, RFC 7518 3.5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use uuid::Uuid;

use crate::error::Result;

use super::signing_key::SigningKey;

/// Where the form says what kind of proof follows.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far back the assertion's time begins, for clocks that are a little ahead.
const LEEWAY_S: i64 = 60;
/// How long it is good for, from its begin; the service advises five to ten minutes.
const LIFETIME_S: i64 = 540;

/// A new assertion, good once. `audience` is the URL it is sent to.
///
/// # Errors
/// `exchange_certificate` where the certificate is outside its dates or the key cannot sign.
pub(super) fn make(key: &SigningKey, app_id: &str, audience: &str, now_ms: i64) -> Result<String> {
    key.usable_at(now_ms)?;
    let digest = URL_SAFE_NO_PAD.encode(key.certificate().sha256.as_bytes());
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": digest });
    let now_s = now_ms.div_euclid(1000);
    let begin_s = now_s - LEEWAY_S;
    let claims = json!({
        "aud": audience,
        "iss": app_id,
        "sub": app_id,
        "jti": Uuid::new_v4().to_string(),
        "nbf": begin_s,
        "iat": now_s,
        "exp": begin_s + LIFETIME_S,
    });
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let content = format!("{}.{}", encode(&header), encode(&claims));
    let signature = key.sign(content.as_bytes())?;
    Ok(format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
