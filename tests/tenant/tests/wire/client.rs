//! A small client, and a tenant to speak to.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::HeaderMap;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use smimesync_tenant::{Running, State, Switches, Tenant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

pub(crate) type TestResult<T = ()> = Result<T, Box<dyn Error>>;

/// The values of one certificate attribute.
pub(crate) type Values = Vec<Vec<u8>>;

pub(crate) const TENANT_ID: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const DOMAIN: &str = "contoso.onmicrosoft.com";
pub(crate) const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub(crate) const APP_WITHOUT_PERMISSION: &str = "aaaaaaaa-0000-4000-8000-000000000002";
pub(crate) const APP_WITHOUT_ROLE: &str = "aaaaaaaa-0000-4000-8000-000000000003";
pub(crate) const RECIPIENT_ADMINISTRATOR: &str = "aaaaaaaa-0000-4000-8000-000000000004";
pub(crate) const SECRET: &str = "a secret+with ümlaut&=%";
pub(crate) const ANN: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const ANN_ENTRA: &str = "00000000-0000-4000-9000-000000000001";

/// Ann and a shared mailbox, Ben from the directory, Cleo cloud-managed, a mail user, a guest, a contact.
pub(crate) fn state() -> TestResult<State> {
    let recipient = |number: u32, kind: &str, name: &str| {
        json!({
            "guid": format!("00000000-0000-4000-8000-{number:012}"),
            "external_directory_object_id": format!("00000000-0000-4000-9000-{number:012}"),
            "recipient_type_details": kind,
            "display_name": name,
            "user_principal_name": format!("{name}@contoso.com"),
            "primary_smtp_address": format!("{name}@contoso.com"),
            "email_addresses": [format!("SMTP:{name}@contoso.com"), format!("smtp:{name}.alias@contoso.com")],
        })
    };
    let mut ann = recipient(1, "UserMailbox", "Ann");
    ann["user_certificate"] = json!(["MIIDWA==", "MIIB"]);
    ann["immutable_id"] = json!("q83vEjRWeJCrze8SNFZ4kA==");
    let mut ben = recipient(3, "UserMailbox", "Ben");
    ben["is_dir_synced"] = json!(true);
    let mut cleo = recipient(4, "UserMailbox", "Cleo");
    cleo["is_dir_synced"] = json!(true);
    cleo["is_exchange_cloud_managed"] = json!(true);
    let mut fay = recipient(7, "MailContact", "Fay");
    fay["user_principal_name"] = Value::Null;
    fay["email_addresses"] = json!(["SMTP:Fay@partner.example", "smtp:shared.alias@contoso.com"]);
    fay["primary_smtp_address"] = json!("Fay@partner.example");
    let mut shared = recipient(2, "SharedMailbox", "Sales");
    shared["email_addresses"] = json!(["SMTP:Sales@contoso.com", "smtp:double@contoso.com", "X500:/o=x"]);
    let mut room = recipient(8, "RoomMailbox", "Room");
    room["email_addresses"] = json!(["SMTP:Room@contoso.com", "smtp:double@contoso.com"]);
    let state = json!({
        "tenant": { "id": TENANT_ID, "domain": DOMAIN },
        "apps": [
            { "app_id": APP, "secret": SECRET },
            { "app_id": APP_WITHOUT_PERMISSION, "secret": SECRET, "roles": [] },
            { "app_id": APP_WITHOUT_ROLE, "secret": SECRET, "wids": [] },
            { "app_id": RECIPIENT_ADMINISTRATOR, "secret": SECRET, "wids": ["31392ffb-586c-42d1-9346-e59415a2cc4e"] },
        ],
        "recipients": [
            ann, shared, ben, cleo, recipient(5, "MailUser", "Dan"), recipient(6, "GuestMailUser", "Eve"), fay, room
        ],
        "smime_config": { "SMIMECertificateIssuingCA": null },
        "switches": {}
    });
    Ok(serde_json::from_value(state)?)
}

/// A running double and a client that has signed in.
pub(crate) struct Session {
    pub(crate) tenant: Tenant,
    pub(crate) running: Running,
    pub(crate) token: String,
}

impl Session {
    pub(crate) async fn start() -> TestResult<Self> {
        Self::with_switches(Switches::default()).await
    }

    pub(crate) async fn with_switches(switches: Switches) -> TestResult<Self> {
        Self::with_state(State { switches, ..state()? }).await
    }

    pub(crate) async fn with_state(state: State) -> TestResult<Self> {
        let tenant = Tenant::new(state)?;
        let running = tenant.spawn().await?;
        let token = tenant.issue_token(APP.parse()?).ok_or("the app is not registered")?;
        Ok(Self { tenant, running, token })
    }

    /// Runs a cmdlet.
    pub(crate) async fn invoke(&self, cmdlet: &str, parameters: Value) -> TestResult<Answer> {
        self.invoke_with(cmdlet, parameters, "", &[]).await
    }

    /// Runs a cmdlet with a query and further headers.
    pub(crate) async fn invoke_with(
        &self,
        cmdlet: &str,
        parameters: Value,
        query: &str,
        headers: &[(&str, &str)],
    ) -> TestResult<Answer> {
        let path = format!("/adminapi/beta/{DOMAIN}/InvokeCommand{query}");
        self.post(&path, &invocation(cmdlet, parameters), headers).await
    }

    /// Posts JSON with the token.
    pub(crate) async fn post(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> TestResult<Answer> {
        let authorization = format!("Bearer {}", self.token);
        let mut all =
            vec![("authorization", authorization.as_str()), ("content-type", "application/json; charset=utf-8")];
        all.extend_from_slice(headers);
        request(self.running.url(), Method::POST, path, &all, body.to_string()).await
    }

    /// `UserCertificate` and `UserSMimeCertificate` of a recipient, by the double's own account.
    pub(crate) fn held(&self, guid: &str) -> TestResult<(Values, Values)> {
        let state = self.tenant.state();
        let recipient = state.recipients.into_iter().find(|r| r.guid.to_string() == guid).ok_or("no such recipient")?;
        Ok((recipient.user_certificate, recipient.user_smime_certificate))
    }
}

pub(crate) fn invocation(cmdlet: &str, parameters: Value) -> Value {
    json!({ "CmdletInput": { "CmdletName": cmdlet, "Parameters": parameters } })
}

/// Parameters that set Ann's `UserCertificate` to one value, in the proven shape.
pub(crate) fn one_value(bytes: &[u8]) -> Value {
    json!({
        "Identity": ANN,
        "UserCertificate@odata.type": "#Collection(Exchange.ByteArrayType)",
        "UserCertificate": [{ "Data": bytes }],
        "Confirm": false
    })
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn json(&self) -> TestResult<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    pub(crate) fn values(&self) -> TestResult<Vec<Value>> {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        Ok(self.json()?["value"].as_array().ok_or("no value member")?.clone())
    }

    /// `details[0].message` of an error.
    pub(crate) fn detail(&self) -> TestResult<String> {
        Ok(self.json()?["error"]["details"][0]["message"].as_str().ok_or("no detail")?.to_owned())
    }
}

/// One request on a connection of its own.
pub(crate) async fn request(
    base: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> TestResult<Answer> {
    let host = base.strip_prefix("http://").ok_or("not an http address")?;
    let stream = TcpStream::connect(host).await?;
    request_over(stream, host, method, path, headers, body.into()).await
}

/// One request over any stream.
pub(crate) async fn request_over<S>(
    stream: S,
    host: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> TestResult<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(body))?).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}
