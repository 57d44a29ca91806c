//! The token endpoint, and the access tokens it issues.

use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::macros::format_description;
use uuid::Uuid;

use crate::assertion;
use crate::clock::utc;
use crate::faults::{self, Endpoint, FaultKind, Target, When};
use crate::http::{Call, Outcome, Reply};
use crate::log::RequestEntry;
use crate::state::App;
use crate::tenant::{Core, Tenant};

/// Hosts of the admin API in the clouds: the audiences it takes tokens for.
const EXCHANGE_AUDIENCES: [&str; 7] = [
    "https://outlook.office365.com",
    "https://outlook.office365.us",
    "https://outlook-dod.office365.us",
    "https://webmail.apps.mil",
    "https://partner.outlook.cn",
    "https://outlook.office365.cn",
    "https://outlook.office.de",
];
/// Another resource tokens can be had for, which the admin API then refuses.
const OTHER_AUDIENCE: &str = "https://graph.microsoft.com";
const JSON: &str = "application/json; charset=utf-8";
/// `appidacr`: by secret, by certificate. Managed identities prove themselves by certificates, too.
const BY_SECRET: &str = "1";
pub(crate) const BY_CERTIFICATE: &str = "2";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    appid: Uuid,
    appidacr: String,
    oid: Uuid,
    pub(crate) roles: Vec<String>,
    sub: Uuid,
    pub(crate) tid: Uuid,
    /// Number of the token and randomness, as hex.
    uti: String,
    ver: String,
    pub(crate) wids: Vec<Uuid>,
}

/// Answers `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) async fn answer(tenant: &Tenant, call: &Call, organization: &str) -> Outcome {
    let entry = RequestEntry {
        at_ms: tenant.clock().now_ms(),
        method: call.method.to_string(),
        path: call.path.clone(),
        client_request_id: call.header("client-request-id").map(str::to_owned),
        ..RequestEntry::default()
    };
    let sequence = tenant.core().log.begin(entry);
    let outcome = respond(tenant, call, organization, sequence).await;
    tenant.core().log.update(sequence, |entry| entry.status = outcome.status());
    outcome
}

async fn respond(tenant: &Tenant, call: &Call, organization: &str, sequence: u64) -> Outcome {
    if call.method != hyper::Method::POST {
        return Outcome::Reply(Reply::empty(405));
    }
    let struck = {
        let mut core = tenant.core();
        let target = Target { endpoint: Endpoint::Token, cmdlet: None, identity: None };
        let struck = faults::strike(&mut core.switches.faults, &target);
        core.log.update(sequence, |entry| entry.fault = struck.name());
        struck
    };
    tokio::time::sleep(Duration::from_millis(struck.wait_before_ms)).await;
    if let Some(outcome) = struck.instead() {
        return outcome;
    }
    let mut reply = match grant(&mut tenant.core(), call, organization, tenant) {
        Ok(token) => token,
        Err(refusal) => refusal.reply(tenant.clock().now_s()),
    };
    tokio::time::sleep(Duration::from_millis(struck.wait_after_ms)).await;
    match struck.fault {
        Some(FaultKind::Reset { when: When::After }) => return Outcome::Cut,
        Some(FaultKind::TruncatedJson) => reply.truncate(),
        _ => {}
    }
    Outcome::Reply(reply)
}

/// A refusal in the words of Entra ID.
pub(crate) struct Refusal {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

impl Refusal {
    fn reply(&self, now_s: i64) -> Reply {
        let [trace, correlation] = [Uuid::new_v4(), Uuid::new_v4()];
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
        let timestamp = utc(now_s).format(&format).unwrap_or_default();
        let body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}",
                self.code, self.text
            ),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        Reply::json(self.status, JSON, &body).with_header("cache-control", "no-store, no-cache")
    }
}

fn invalid_request(code: u32, text: String) -> Refusal {
    Refusal { status: 400, error: "invalid_request", code, text }
}

pub(crate) fn invalid_client(code: u32, text: String) -> Refusal {
    Refusal { status: 401, error: "invalid_client", code, text }
}

fn missing(field: &str) -> Refusal {
    invalid_request(900_144, format!("The request body must contain the following parameter: '{field}'."))
}

fn grant(core: &mut Core, call: &Call, organization: &str, tenant: &Tenant) -> Result<Reply, Refusal> {
    if !core.organization.is_named(organization) {
        return Err(invalid_request(
            90_002,
            format!(
                "Tenant '{organization}' not found. Check to make sure you have the correct tenant ID and are signing \
                 into the correct cloud. Check with your subscription administrator, this may happen if there are no \
                 active subscriptions for the tenant."
            ),
        ));
    }
    if !call.has_content_type("application/x-www-form-urlencoded") {
        return Err(missing("grant_type"));
    }
    let form: Vec<(String, String)> = form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match field("grant_type").ok_or_else(|| missing("grant_type"))? {
        "client_credentials" => {}
        other => {
            return Err(Refusal {
                status: 400,
                error: "unsupported_grant_type",
                code: 70_003,
                text: format!("The app requested an unsupported grant type '{other}'."),
            });
        }
    }
    let client_id = field("client_id").ok_or_else(|| missing("client_id"))?;
    let audience = audience(field("scope").ok_or_else(|| missing("scope"))?)?;
    let app = find_app(core, client_id)?;
    let proof = match (field("client_secret"), field("client_assertion_type"), field("client_assertion")) {
        (Some(secret), None, None) => {
            by_secret(&app, secret)?;
            BY_SECRET
        }
        (None, Some(ASSERTION_TYPE), Some(text)) => {
            let audience = format!("{}{}", call.base_url, call.path);
            assertion::verify(core, &app, text, &audience, tenant.clock().now_s())?;
            BY_CERTIFICATE
        }
        _ => {
            return Err(invalid_client(
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                    .to_owned(),
            ));
        }
    };
    let lifetime_s = core.switches.token_lifetime_s;
    let token = issue(core, tenant, &app, audience, proof);
    if core.claims_demanded {
        let given = field("claims").and_then(|claims| serde_json::from_str::<serde_json::Value>(claims).ok());
        if given.is_some_and(|given| given == demanded_claims()) {
            core.claims_demanded = false;
        } else {
            core.tokens_revoked = core.tokens_issued;
        }
    }
    let body = json!({ "token_type": "Bearer", "expires_in": lifetime_s, "ext_expires_in": lifetime_s, "access_token": token });
    Ok(Reply::json(200, JSON, &body).with_header("cache-control", "no-store, no-cache"))
}

/// The resource a `…/.default` scope means.
fn audience(scope: &str) -> Result<&'static str, Refusal> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        return Err(Refusal {
            status: 400,
            error: "invalid_scope",
            code: 1_002_012,
            text: format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value \
                 with /.default suffixed to the resource identifier (application ID URI)."
            ),
        });
    };
    known_resource(resource).ok_or_else(|| Refusal {
        status: 400,
        error: "invalid_resource",
        code: 500_011,
        text: format!("The resource principal named {resource} was not found in the tenant."),
    })
}

/// What a claims challenge asks for, as continuous access evaluation does.
fn demanded_claims() -> serde_json::Value {
    json!({ "access_token": { "nbf": { "essential": true, "value": "1604106651" } } })
}

/// The header of a 401 that asks for a token with further claims.
pub(crate) fn claims_challenge() -> String {
    let claims = STANDARD.encode(demanded_claims().to_string());
    format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
         error=\"insufficient_claims\", claims=\"{claims}\""
    )
}

/// A resource tokens can be had for.
pub(crate) fn known_resource(resource: &str) -> Option<&'static str> {
    EXCHANGE_AUDIENCES.into_iter().chain([OTHER_AUDIENCE]).find(|known| *known == resource)
}

fn find_app(core: &Core, client_id: &str) -> Result<App, Refusal> {
    let id = Uuid::try_parse(client_id).ok();
    core.apps.iter().find(|app| Some(app.app_id) == id).cloned().ok_or_else(|| Refusal {
        status: 400,
        error: "unauthorized_client",
        code: 700_016,
        text: format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in the \
             tenant. You may have sent your authentication request to the wrong tenant.",
            core.organization.domain
        ),
    })
}

fn by_secret(app: &App, secret: &str) -> Result<(), Refusal> {
    let expected = app.secret.as_deref().unwrap_or_default().as_bytes();
    if expected.is_empty() || constant_time::verify_slices_are_equal(expected, secret.as_bytes()).is_err() {
        return Err(invalid_client(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{}'.",
                app.app_id
            ),
        ));
    }
    if app.secret_expired {
        return Err(invalid_client(
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new \
                     keys for your app.",
                app.app_id
            ),
        ));
    }
    Ok(())
}

/// A token for the admin API without the endpoint.
pub(crate) fn issue_for_app(tenant: &Tenant, app_id: Uuid) -> Option<String> {
    let mut core = tenant.core();
    let app = core.apps.iter().find(|app| app.app_id == app_id).cloned()?;
    Some(issue(&mut core, tenant, &app, EXCHANGE_AUDIENCES[0], BY_SECRET))
}

/// A token for an application and a resource; `proof` says how it proved itself.
pub(crate) fn issue(core: &mut Core, tenant: &Tenant, app: &App, audience: &str, proof: &str) -> String {
    core.tokens_issued += 1;
    let now_s = tenant.clock().now_s();
    // Any stable identifier will do for the service principal.
    let service_principal = Uuid::from_u128(!app.app_id.as_u128());
    let claims = Claims {
        aud: audience.to_owned(),
        iss: format!("https://sts.windows.net/{}/", core.organization.id),
        iat: now_s,
        nbf: now_s,
        exp: now_s + i64::from(core.switches.token_lifetime_s),
        appid: app.app_id,
        appidacr: proof.to_owned(),
        oid: service_principal,
        roles: app.roles.clone(),
        sub: service_principal,
        tid: core.organization.id,
        uti: format!("{:016x}{}", core.tokens_issued, Uuid::new_v4().simple()),
        ver: "1.0".to_owned(),
        wids: app.wids.clone(),
    };
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
    let content = format!("{header}.{}", URL_SAFE_NO_PAD.encode(json!(claims).to_string()));
    let tag = hmac::sign(tenant.key(), content.as_bytes());
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// The claims of a token that is ours, for the admin API, within its time and not revoked.
pub(crate) fn verify(core: &Core, tenant: &Tenant, token: &str) -> Option<Claims> {
    let (content, tag) = token.rsplit_once('.')?;
    hmac::verify(tenant.key(), content.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
    let (_, claims) = content.split_once('.')?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let number = u64::from_str_radix(claims.uti.get(..16)?, 16).ok()?;
    let now_s = tenant.clock().now_s();
    let valid = EXCHANGE_AUDIENCES.contains(&claims.aud.as_str())
        && claims.tid == core.organization.id
        && claims.nbf <= now_s
        && now_s < claims.exp
        && number > core.tokens_revoked;
    valid.then_some(claims)
}
