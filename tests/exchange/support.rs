//! A tenant to speak to, and time that passes only when the client waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use smimesync::config::{self, Config};
use smimesync::exchange::{Exchange, Surroundings};
use smimesync_tenant::{Running, Tenant};

pub(crate) const TENANT_ID: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const DOMAIN: &str = "contoso.onmicrosoft.com";
pub(crate) const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const APP_WITHOUT_PERMISSION: &str = "aaaaaaaa-0000-4000-8000-000000000002";
pub(crate) const APP_WITHOUT_ROLE: &str = "aaaaaaaa-0000-4000-8000-000000000003";
pub(crate) const SECRET: &str = "a secret+with ümlaut&=%";

/// The Guid of the recipient with this number.
pub(crate) fn guid(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

pub(crate) fn recipient(number: u32, kind: &str, name: &str) -> Value {
    json!({
        "guid": guid(number),
        "external_directory_object_id": format!("00000000-0000-4000-9000-{number:012}"),
        "recipient_type_details": kind,
        "display_name": name,
        "user_principal_name": format!("{name}@contoso.com"),
        "primary_smtp_address": format!("{name}@contoso.com"),
        "email_addresses": [format!("smtp:{name}.alias@contoso.com"), format!("SMTP:{name}@contoso.com")],
    })
}

/// Ann with certificates, Ben dir-synced, Cleo cloud-managed, a shared and a room mailbox with one address in common,
/// a mail user, a guest, a contact.
pub(crate) fn recipients() -> Vec<Value> {
    let mut ann = recipient(1, "UserMailbox", "Ann");
    ann["user_certificate"] = json!(["MIIDWA==", "MIIB"]);
    ann["immutable_id"] = json!("q83vEjRWeJCrze8SNFZ4kA==");
    let mut shared = recipient(2, "SharedMailbox", "Sales");
    shared["email_addresses"] = json!(["SMTP:Sales@contoso.com", "smtp:double@contoso.com", "X500:/o=x"]);
    let mut ben = recipient(3, "UserMailbox", "Ben");
    ben["is_dir_synced"] = json!(true);
    let mut cleo = recipient(4, "UserMailbox", "Cleo");
    cleo["is_dir_synced"] = json!(true);
    cleo["is_exchange_cloud_managed"] = json!(true);
    let mut fay = recipient(7, "MailContact", "Fay");
    fay["user_principal_name"] = Value::Null;
    let mut room = recipient(8, "RoomMailbox", "Room");
    room["email_addresses"] = json!(["SMTP:Room@contoso.com", "smtp:double@contoso.com"]);
    vec![ann, shared, ben, cleo, recipient(5, "MailUser", "Dan"), recipient(6, "GuestMailUser", "Eve"), fay, room]
}

/// A machine whose clock moves only when somebody waits.
#[derive(Debug)]
pub(crate) struct Simulated {
    now_ms: AtomicI64,
    slept: Mutex<Vec<u64>>,
}

impl Default for Simulated {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        Self { now_ms: AtomicI64::new(i64::try_from(now).unwrap()), slept: Mutex::default() }
    }
}

impl Simulated {
    /// Every wait so far.
    pub(crate) fn slept(&self) -> Vec<u64> {
        self.slept.lock().unwrap().clone()
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, milliseconds: i64) {
        self.now_ms.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Surroundings for Simulated {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn sleep(&self, milliseconds: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pass(i64::try_from(milliseconds).unwrap());
        self.slept.lock().unwrap().push(milliseconds);
        Box::pin(std::future::ready(()))
    }

    fn random_below(&self, bound: u64) -> u64 {
        bound / 2
    }
}

/// The Exchange part of a configuration, `patch` on top.
pub(crate) fn settings(url: &str, patch: &Value) -> config::Exchange {
    let mut exchange = json!({
        "organization": DOMAIN,
        "admin_url": url,
        "authority_url": url,
        "auth": { "method": "secret", "app_id": APP, "secret": SECRET },
    });
    for (key, value) in patch.as_object().unwrap() {
        exchange[key] = value.clone();
    }
    let Config { exchange, .. } = config::parse(&json!({ "exchange": exchange }).to_string()).unwrap();
    exchange.unwrap()
}

/// A client and its machine.
pub(crate) fn client(url: &str, patch: &Value) -> (Exchange, Arc<Simulated>) {
    let machine = Arc::new(Simulated::default());
    let surroundings: Arc<dyn Surroundings> = machine.clone();
    (Exchange::new(&settings(url, patch), None, surroundings).unwrap(), machine)
}

/// A double that serves, and a client that speaks to it.
pub(crate) struct Bench {
    pub(crate) tenant: Tenant,
    pub(crate) running: Running,
    pub(crate) exchange: Exchange,
    pub(crate) machine: Arc<Simulated>,
}

impl Bench {
    /// The usual recipients.
    pub(crate) async fn new(switches: Value) -> Self {
        Self::with(recipients(), switches, &json!({})).await
    }

    /// These recipients, and a configuration with `patch` on top.
    pub(crate) async fn with(recipients: Vec<Value>, switches: Value, patch: &Value) -> Self {
        let tenant = tenant(recipients, switches);
        let running = tenant.spawn().await.unwrap();
        let (exchange, machine) = client(running.url(), patch);
        Self { tenant, running, exchange, machine }
    }

    /// Requests to the admin API since the log was reset: cmdlet and status.
    pub(crate) fn calls(&self) -> Vec<(String, Option<u16>)> {
        let requests = self.tenant.requests().into_iter();
        requests.filter_map(|request| Some((request.cmdlet?, request.status))).collect()
    }

    /// Tokens asked for since the log was reset.
    pub(crate) fn tokens(&self) -> usize {
        self.tenant.requests().iter().filter(|request| request.path.ends_with("/token")).count()
    }

    /// What the tenant holds for a recipient: `UserCertificate`, `UserSMimeCertificate`.
    pub(crate) fn held(&self, number: u32) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let recipients = self.tenant.state().recipients;
        let found = recipients.into_iter().find(|found| found.guid.to_string() == guid(number)).unwrap();
        (found.user_certificate, found.user_smime_certificate)
    }
}

pub(crate) fn tenant(recipients: Vec<Value>, switches: Value) -> Tenant {
    let state = json!({
        "tenant": { "id": TENANT_ID, "domain": DOMAIN },
        "apps": [
            { "app_id": APP, "secret": SECRET },
            { "app_id": APP_WITHOUT_PERMISSION, "secret": SECRET, "roles": [] },
            { "app_id": APP_WITHOUT_ROLE, "secret": SECRET, "wids": [] },
        ],
        "recipients": recipients,
        "smime_config": { "SMIMECertificateIssuingCA": null },
        "switches": switches,
    });
    Tenant::new(serde_json::from_value(state).unwrap()).unwrap()
}

/// Values as the client takes them.
pub(crate) fn values(values: &[&[u8]]) -> Vec<Arc<[u8]>> {
    values.iter().map(|value| Arc::from(*value)).collect()
}
