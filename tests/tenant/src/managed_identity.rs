//! What Azure puts next to a machine: the instance metadata service, App Service's endpoint, the agent of Azure Arc.

use serde_json::json;
use uuid::Uuid;

use crate::http::{Call, Outcome, Reply};
use crate::log::RequestEntry;
use crate::state::ManagedIdentity;
use crate::tenant::{Core, Tenant};
use crate::token;

const JSON: &str = "application/json; charset=utf-8";
const INSTANCE_METADATA_VERSION: &str = "2018-02-01";
const ARC_VERSION: &str = "2020-06-01";
const APP_SERVICE_VERSION: &str = "2019-08-01";

/// Answers `GET /metadata/identity/oauth2/token`: on a VM the metadata service, on a server joined by Arc its agent.
pub(crate) fn metadata(tenant: &Tenant, call: &Call) -> Outcome {
    logged(tenant, call, |core| {
        if call.header("metadata") != Some("true") {
            return refused(400, "invalid_request", "Required metadata header not specified");
        }
        // a request that came through a proxy is none of this machine
        if call.header("x-forwarded-for").is_some() {
            return refused(400, "invalid_request", "Request was forwarded");
        }
        let Some(identity) = core.managed_identity.clone() else {
            return refused(400, "invalid_request", "Identity not found");
        };
        match call.query_option("api-version") {
            Some(INSTANCE_METADATA_VERSION) => granted(core, tenant, call, &identity, true),
            Some(ARC_VERSION) => match challenge(core, call, &identity) {
                Some(challenge) => challenge,
                None => granted(core, tenant, call, &identity, true),
            },
            _ => refused(400, "invalid_request", "Invalid api-version was specified in the request"),
        }
    })
}

/// Answers `GET /msi/token`, an address as App Service puts it into `IDENTITY_ENDPOINT`.
pub(crate) fn app_service(tenant: &Tenant, call: &Call) -> Outcome {
    logged(tenant, call, |core| {
        let identity = core.managed_identity.clone();
        let Some((identity, header)) = identity.and_then(|it| Some((it.clone(), it.identity_header?))) else {
            return Reply::empty(404);
        };
        if call.header("x-identity-header") != Some(&header) {
            return Reply::json(401, JSON, &json!({ "statusCode": 401, "message": "X-IDENTITY-HEADER is wrong" }));
        }
        if call.query_option("api-version") != Some(APP_SERVICE_VERSION) {
            return Reply::json(400, JSON, &json!({ "statusCode": 400, "message": "unknown api-version" }));
        }
        granted(core, tenant, call, &identity, false)
    })
}

fn logged(tenant: &Tenant, call: &Call, answer: impl FnOnce(&mut Core) -> Reply) -> Outcome {
    let mut core = tenant.core();
    let entry = RequestEntry {
        at_ms: tenant.clock().now_ms(),
        method: call.method.to_string(),
        path: call.path.clone(),
        ..RequestEntry::default()
    };
    let sequence = core.log.begin(entry);
    let reply = if call.method == hyper::Method::GET { answer(&mut core) } else { Reply::empty(405) };
    core.log.update(sequence, |entry| entry.status = Some(reply.status));
    Outcome::Reply(reply)
}

fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, JSON, &json!({ "error": error, "error_description": description }))
}

/// Arc's agent gives a token to those who can read its folder: it names a new file there, and expects its content.
fn challenge(core: &mut Core, call: &Call, identity: &ManagedIdentity) -> Option<Reply> {
    let Some(folder) = &identity.arc_tokens else {
        return Some(refused(400, "invalid_request", "Identity not found"));
    };
    let shown = call.header("authorization").and_then(|value| value.strip_prefix("Basic "));
    let met = core.arc_keys.iter().find(|(_, key)| shown == Some(key.as_str())).map(|(file, _)| file.clone());
    if let Some(file) = met {
        core.arc_keys.remove(&file);
        return None;
    }
    let [name, key] = [Uuid::new_v4(), Uuid::new_v4()];
    let file = folder.join(format!("{name}.key"));
    if std::fs::write(&file, key.to_string()).is_err() {
        return Some(refused(500, "internal_error", "the folder of keys cannot be written"));
    }
    let realm = format!("Basic realm={}", file.display());
    core.arc_keys.insert(file, key.to_string());
    Some(
        refused(401, "unauthorized_client", "Missing Basic Authorization header")
            .with_header("www-authenticate", realm),
    )
}

fn granted(core: &mut Core, tenant: &Tenant, call: &Call, identity: &ManagedIdentity, with_lifetime: bool) -> Reply {
    let Some(resource) = call.query_option("resource").and_then(token::known_resource) else {
        return refused(400, "invalid_resource", "AADSTS500011: The resource principal was not found in the tenant.");
    };
    let app = core.apps.iter().find(|app| app.app_id == identity.app_id).cloned();
    let wanted = call.query_option("client_id").is_none_or(|id| Uuid::try_parse(id).ok() == Some(identity.app_id));
    let Some(app) = app.filter(|_| wanted) else {
        return refused(400, "invalid_request", "Identity not found");
    };
    let lifetime_s = i64::from(core.switches.token_lifetime_s);
    let now_s = tenant.clock().now_s();
    let token = token::issue(core, tenant, &app, resource, token::BY_CERTIFICATE);
    let mut body = json!({
        "access_token": token,
        "client_id": identity.app_id,
        "expires_on": (now_s + lifetime_s).to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    if with_lifetime {
        body["expires_in"] = json!(lifetime_s.to_string());
        body["ext_expires_in"] = json!(lifetime_s.to_string());
        body["not_before"] = json!(now_s.to_string());
    }
    Reply::json(200, JSON, &body)
}
