//! The admin API: `POST /adminapi/beta/{tenant}/InvokeCommand`.

use std::borrow::Cow;
use std::time::Duration;

use hyper::Method;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::affinity;
use crate::cmdlets::Cmdlet;
use crate::errors::CmdletError;
use crate::faults::{self, Endpoint, FaultKind, Target, When, nul_reply};
use crate::get_recipients::{self, Wish};
use crate::http::{Call, Outcome, Reply, encode_query};
use crate::limits;
use crate::log::{CertificateValues, RequestEntry};
use crate::mailbox_entity;
use crate::node::Node;
use crate::paging::{self, Continuation};
use crate::parameters::{self, Bound};
use crate::properties::{self, Format, Select};
use crate::set_recipient::{self, Done};
use crate::smime_config;
use crate::state::{EXCHANGE_ADMINISTRATOR, EXCHANGE_RECIPIENT_ADMINISTRATOR, MANAGE_AS_APP};
use crate::switches::{SetResponse, WarningsForm};
use crate::tenant::{Core, Tenant};
use crate::token::{self, Claims};

const CONTENT_TYPE: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
const CHALLENGE: &str = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                         authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                         error=\"invalid_token\"";

/// Answers a request below `/adminapi/{version}/{tenant}`.
pub(crate) async fn answer(tenant: &Tenant, call: &Call, version: &str, organization: &str, action: &str) -> Outcome {
    let entity = mailbox_entity::identity(action).filter(|_| version == "beta" && tenant.core().switches.typed_mailbox);
    if (action != "InvokeCommand" && entity.is_none()) || !matches!(version, "beta" | "v1.0") {
        return Outcome::Reply(Reply::empty(404));
    }
    let invocation = match entity {
        Some(identity) => Invocation { entity: Some(identity), ..Invocation::default() },
        None => Invocation::read(call),
    };
    let method = if invocation.entity.is_some() { Method::GET } else { Method::POST };
    let back_end = affinity::choose(&mut tenant.core(), call);
    let sequence = tenant.core().log.begin(entry(tenant, call, &invocation));
    let mut outcome = if version != "beta" || call.method != method {
        Outcome::Reply(Reply::empty(405).with_header("allow", method.as_str()))
    } else {
        respond(tenant, call, organization, invocation, sequence, back_end.number).await
    };
    if let Outcome::Reply(reply) = &mut outcome {
        reply.headers.push(("request-id", Uuid::new_v4().to_string()));
        reply.headers.push(("x-calculatedbetarget", "AM0PR00MB0001.eurprd00.prod.outlook.com".to_owned()));
        reply.headers.extend(back_end.cookie.map(|cookie| ("set-cookie", cookie)));
        limits::add_headers(tenant, reply);
    }
    let now_ms = tenant.clock().now_ms();
    tenant.core().log.update(sequence, |entry| {
        entry.status = outcome.status();
        entry.took_ms = Some(now_ms.saturating_sub(entry.at_ms).max(0).unsigned_abs());
    });
    outcome
}

/// What the body asks for, as far as it can be read.
#[derive(Default)]
struct Invocation {
    /// The mailbox that is asked for as an entity; then there is no body.
    entity: Option<String>,
    name: Option<String>,
    parameters: Map<String, Value>,
    /// The cmdlet with its parameters, or why there is none; an unknown cmdlet is `None`.
    bound: Option<(Cmdlet, Result<Bound, CmdletError>)>,
    /// The body is not the action's.
    malformed: Option<CmdletError>,
}

impl Invocation {
    fn read(call: &Call) -> Self {
        match read_body(&call.body) {
            Ok((name, parameters)) => {
                let cmdlet = Cmdlet::from_name(&name);
                let bound = cmdlet.map(|cmdlet| (cmdlet, parameters::bind(cmdlet, &parameters)));
                Self { name: Some(name), parameters, bound, ..Self::default() }
            }
            Err(reason) => Self { malformed: Some(CmdletError::request(reason)), ..Self::default() },
        }
    }

    fn identity(&self) -> Option<&str> {
        self.entity.as_deref().or_else(|| self.parameters.get("Identity").and_then(Value::as_str))
    }

    fn byte_values(&self) -> Vec<CertificateValues> {
        let Some((_, Ok(bound))) = &self.bound else { return Vec::new() };
        let lists =
            [("UserCertificate", &bound.user_certificate), ("UserSMimeCertificate", &bound.user_smime_certificate)];
        let lists = lists.into_iter().filter_map(|(name, values)| Some(CertificateValues::new(name, values.as_ref()?)));
        let store =
            bound.issuing_certificates.iter().map(|sst| CertificateValues::new("SMIMECertificateIssuingCA", sst));
        lists.chain(store).collect()
    }
}

fn read_body(body: &[u8]) -> Result<(String, Map<String, Value>), &'static str> {
    let body: Value = serde_json::from_slice(body).map_err(|_| "The body of the request is not valid JSON.")?;
    let Value::Object(mut body) = body else { return Err("The body of the request is not an object.") };
    let Some(Value::Object(mut input)) = body.remove("CmdletInput") else {
        return Err("The parameter 'CmdletInput' of the action is missing or not an object.");
    };
    if !body.is_empty() {
        return Err("The action has no parameter besides 'CmdletInput'.");
    }
    let Some(Value::String(name)) = input.remove("CmdletName") else {
        return Err("The property 'CmdletName' is missing or not a string.");
    };
    let Some(Value::Object(parameters)) = input.remove("Parameters") else {
        return Err("The property 'Parameters' is missing or not an object.");
    };
    input.remove("@odata.type");
    if !input.is_empty() {
        return Err("The type 'Exchange.CmdletInvokeInputType' has no further properties.");
    }
    Ok((name, parameters))
}

fn entry(tenant: &Tenant, call: &Call, invocation: &Invocation) -> RequestEntry {
    let mut parameters: Vec<String> = invocation.parameters.keys().cloned().collect();
    parameters.sort_unstable();
    let header = |name: &str| call.header(name).map(str::to_owned);
    RequestEntry {
        at_ms: tenant.clock().now_ms(),
        method: call.method.to_string(),
        path: call.path.clone(),
        cmdlet: invocation.name.clone(),
        identity: invocation.identity().map(str::to_owned),
        parameters,
        certificates: invocation.byte_values(),
        select: call.query_option("$select").map(str::to_owned),
        continuation: call.query_option("$skiptoken").is_some(),
        client_request_id: header("client-request-id"),
        anchor_mailbox: header("x-anchormailbox"),
        response_format: header("x-responseformat"),
        prefer: header("prefer"),
        ..RequestEntry::default()
    }
}

async fn respond(
    tenant: &Tenant,
    call: &Call,
    organization: &str,
    invocation: Invocation,
    sequence: u64,
    back_end: u64,
) -> Outcome {
    let struck = {
        let mut core = tenant.core();
        let Some(claims) = authorize(&core, tenant, call) else { return Outcome::Reply(unauthorized(&core)) };
        let target =
            Target { endpoint: Endpoint::Admin, cmdlet: invocation.name.as_deref(), identity: invocation.identity() };
        let struck = faults::strike(&mut core.switches.faults, &target);
        core.log.update(sequence, |entry| entry.fault = struck.name());
        if matches!(struck.fault, Some(FaultKind::TokenExpired | FaultKind::ClaimsChallenge)) {
            core.tokens_revoked = core.tokens_issued;
            core.claims_demanded |= struck.fault == Some(FaultKind::ClaimsChallenge);
            return Outcome::Reply(unauthorized(&core));
        }
        if !core.organization.is_named(organization) || !may_run(&core, &claims, invocation.bound.as_ref().map(|b| b.0))
        {
            return Outcome::Reply(nul_reply());
        }
        struck
    };
    let _place = match limits::admit(tenant) {
        Ok(place) => place,
        Err((refusal, name)) => {
            tenant.core().log.update(sequence, |entry| entry.fault = Some(name.to_owned()));
            return Outcome::Reply(refusal);
        }
    };
    let latency_ms = tenant.core().switches.latency_ms;
    tokio::time::sleep(Duration::from_millis(struck.wait_before_ms + latency_ms)).await;
    if let Some(outcome) = struck.instead().filter(|_| !struck.after_effect) {
        return outcome;
    }
    let mut reply = match &struck.fault {
        Some(FaultKind::Redirect { to }) => return Outcome::Reply(faults::redirect(call, *to)),
        Some(FaultKind::ErrorsInSuccess) => errors_in_success(call),
        Some(FaultKind::EmptyPage) => success(call, Answer::default()),
        fault => {
            let whole_body = matches!(fault, Some(FaultKind::TruncatedJson));
            run(&mut tenant.core(), tenant, call, invocation, Turn { sequence, back_end, whole_body })
        }
    };
    tokio::time::sleep(Duration::from_millis(struck.wait_after_ms)).await;
    if let Some(outcome) = struck.instead() {
        return outcome;
    }
    match struck.fault {
        Some(FaultKind::Reset { when: When::After }) => return Outcome::Cut,
        Some(FaultKind::TruncatedJson) => reply.truncate(),
        Some(FaultKind::InvalidJson) => reply.body = b"<html><body>Something went wrong.</body></html>".to_vec(),
        _ => {}
    }
    Outcome::Reply(reply)
}

/// A token that is good here and carries the permission; its lack is answered like a bad token.
fn authorize(core: &Core, tenant: &Tenant, call: &Call) -> Option<Claims> {
    let (scheme, token) = call.header("authorization")?.split_once(' ')?;
    let claims = scheme.eq_ignore_ascii_case("bearer").then(|| token::verify(core, tenant, token.trim()))??;
    claims.roles.iter().any(|role| role == MANAGE_AS_APP).then_some(claims)
}

/// Whether one of the directory roles allows the cmdlet; without any nothing is allowed.
fn may_run(core: &Core, claims: &Claims, cmdlet: Option<Cmdlet>) -> bool {
    if cmdlet == Some(Cmdlet::GetSmimeConfig) && !core.switches.smime_config_readable {
        return false;
    }
    claims.wids.contains(&EXCHANGE_ADMINISTRATOR)
        || (claims.wids.contains(&EXCHANGE_RECIPIENT_ADMINISTRATOR) && cmdlet != Some(Cmdlet::SetSmimeConfig))
}

fn unauthorized(core: &Core) -> Reply {
    let challenge = if core.claims_demanded { token::claims_challenge() } else { CHALLENGE.to_owned() };
    Reply::empty(401).with_header("www-authenticate", challenge)
}

/// What one answer depends on besides the request.
#[derive(Clone, Copy)]
struct Turn {
    /// Its number in the log.
    sequence: u64,
    /// The back end that answers.
    back_end: u64,
    /// Whether there has to be a body whatever the switch for `Set-*` answers says.
    whole_body: bool,
}

/// Runs the cmdlet, or reads the entity.
fn run(core: &mut Core, tenant: &Tenant, call: &Call, invocation: Invocation, turn: Turn) -> Reply {
    let Turn { sequence, whole_body, .. } = turn;
    let error_detail = core.switches.error_detail;
    let failure = |error: CmdletError| {
        Reply::json(error.status, CONTENT_TYPE, &error.envelope(error_detail))
            .with_header("x-exceptiontype", error.exception)
    };
    if let Some(identity) = &invocation.entity {
        return match mailbox_entity::read(&core.recipients, &core.switches, call, identity) {
            Ok(entity) => Reply::json(200, CONTENT_TYPE, &entity),
            Err(error) => failure(error),
        };
    }
    if !call.has_content_type("application/json") {
        return Reply::empty(415);
    }
    if let Some(error) = invocation.malformed {
        return failure(error);
    }
    let Some((cmdlet, bound)) = invocation.bound else { return nul_reply() };
    match bound.and_then(|bound| run_cmdlet(core, tenant, call, (cmdlet, bound), turn.back_end)) {
        Ok(Output::Values(mut answer)) => {
            let in_header = core.switches.warnings == WarningsForm::Header && !answer.warnings.is_empty();
            let warnings = if in_header { std::mem::take(&mut answer.warnings).join(" ") } else { String::new() };
            let reply = success(call, answer);
            if in_header { reply.with_header("x-warnings", warnings) } else { reply }
        }
        Ok(Output::Written) => {
            core.log.update(sequence, |entry| entry.applied = true);
            match core.switches.set_response {
                SetResponse::EmptyBody if !whole_body => Reply::empty(200),
                SetResponse::NoContent if !whole_body => Reply::empty(204),
                _ => success(call, Answer::default()),
            }
        }
        Err(error) => failure(error),
    }
}

/// What a cmdlet gave.
enum Output {
    Values(Answer),
    Written,
}

#[derive(Default)]
struct Answer {
    values: Vec<Node>,
    warnings: Vec<&'static str>,
    next_link: Option<String>,
    confirmation: Option<String>,
}

fn run_cmdlet(
    core: &mut Core,
    tenant: &Tenant,
    call: &Call,
    (cmdlet, bound): (Cmdlet, Bound),
    back_end: u64,
) -> Result<Output, CmdletError> {
    let now_s = tenant.clock().now_s();
    let select = call.query_option("$select").map(Select::parse).unwrap_or_default();
    let clixml = call.header("x-responseformat").is_some_and(|format| format.eq_ignore_ascii_case("clixml"));
    let format = if clixml && core.switches.clixml { Format::Clixml } else { Format::Json(core.switches.read_back) };
    match cmdlet {
        Cmdlet::GetMailbox | Cmdlet::GetMailUser | Cmdlet::GetMailContact | Cmdlet::GetRecipient => {
            let continuation = match call.query_option("$skiptoken") {
                None => None,
                Some(text) => {
                    let lifetime_s = core.switches.page_token_lifetime_s;
                    let read = paging::read_token(tenant.key(), text, now_s, lifetime_s, &call.body);
                    let own = read.filter(|continuation| continuation.back_end == back_end);
                    Some(own.ok_or_else(CmdletError::page_token)?)
                }
            };
            let max_page_size = call.header("prefer").and_then(paging::max_page_size);
            let wish = Wish { select: &select, format, max_page_size, continuation, back_end };
            let page = get_recipients::get(&core.recipients, &core.switches, cmdlet, &bound, &wish)?;
            let next_link = page.next.map(|next| next_link(tenant, call, next, &select, now_s));
            Ok(Output::Values(Answer { values: page.values, warnings: page.warnings, next_link, confirmation: None }))
        }
        Cmdlet::SetMailbox | Cmdlet::SetMailUser | Cmdlet::SetMailContact => {
            match set_recipient::set(&mut core.recipients, &core.switches, cmdlet, bound)? {
                Done::Written => Ok(Output::Written),
                Done::Asked(text) => Ok(Output::Values(Answer { confirmation: Some(text), ..Answer::default() })),
            }
        }
        Cmdlet::GetSmimeConfig => {
            smime_config::check_identity(&bound)?;
            let shown = smime_config::shown(core);
            let properties = smime_config::properties(&shown, now_s);
            let values = vec![properties::render(properties.into_iter(), &select, format)];
            Ok(Output::Values(Answer { values, ..Answer::default() }))
        }
        Cmdlet::SetSmimeConfig => {
            smime_config::set(core, bound, now_s)?;
            Ok(Output::Written)
        }
    }
}

fn next_link(tenant: &Tenant, call: &Call, next: Continuation, select: &Select, now_s: i64) -> String {
    let token = paging::token(tenant.key(), next, now_s, &call.body);
    let mut link = format!("{}{}?", call.base_url, call.path);
    if let Some(select) = select.text() {
        link.push_str(&format!("%24select={}&", encode_query(&select)));
    }
    link + "%24skiptoken=" + &token
}

fn success(call: &Call, answer: Answer) -> Reply {
    let mut members: Vec<(Cow<'static, str>, Node)> = context(call);
    members.push(("adminapi.warnings@odata.type".into(), Node::text("#Collection(String)")));
    members.push(("@adminapi.warnings".into(), Node::List(answer.warnings.into_iter().map(Node::text).collect())));
    if let Some(text) = answer.confirmation {
        members.push(("@adminapi.confirmationmessage".into(), Node::text(text)));
    }
    members.push(("value".into(), Node::List(answer.values)));
    if let Some(link) = answer.next_link {
        members.push(("@odata.nextLink".into(), Node::text(link)));
    }
    Reply::json(200, CONTENT_TYPE, &Node::Object(members))
}

fn errors_in_success(call: &Call) -> Reply {
    let mut members = context(call);
    let error = "|Microsoft.Exchange.Data.Storage.StorageTransientException|The operation could not be completed.";
    members.push(("adminapi.errors@odata.type".into(), Node::text("#Collection(String)")));
    members.push(("@adminapi.errors".into(), Node::List(vec![Node::text(error)])));
    members.push(("adminapi.warnings@odata.type".into(), Node::text("#Collection(String)")));
    members.push(("@adminapi.warnings".into(), Node::List(Vec::new())));
    members.push(("value".into(), Node::List(Vec::new())));
    Reply::json(200, CONTENT_TYPE, &Node::Object(members))
}

fn context(call: &Call) -> Vec<(Cow<'static, str>, Node)> {
    let organization = call.segments.get(2).map(String::as_str).unwrap_or_default();
    let context = format!(
        "https://outlook.office365.com/adminapi/beta/{organization}/$metadata#Collection(Exchange.GenericHashTable)"
    );
    vec![("@odata.context".into(), Node::text(context))]
}
