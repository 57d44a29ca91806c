//! What the tenant trusts, read once for a run: verdicts are held against it.

use std::collections::BTreeMap;

use crate::certificate::{Bundle, SerializedStore, Sha256};
use crate::config::LogLevel;
use crate::error::{Category, Code, Error, Result};
use crate::planning::{TenantStore, Value};
use crate::validation::{Finding, Tenant};

use super::observer::until_cancelled;
use super::{Job, Judge, RunContext};

/// What the tenant would say of certificates, besides what leaves them undetermined.
const REMARKS: [&str; 3] = ["tenant_chain", "crl_not_public", "crl_none"];

/// The tenant's collection of authorities, as far as it could be read.
#[derive(Debug)]
pub(super) enum TenantTrust {
    /// There is none.
    Absent,
    /// It cannot be read, and why.
    Unread(Error),
    /// Its bytes.
    Held(Vec<u8>),
}

/// Reads it. That it may not be read, or not in this form, ends no run.
///
/// # Errors
/// What ends any other read as well.
pub(super) async fn read(job: &Job<'_>) -> Result<TenantTrust> {
    match until_cancelled(job.observer, job.exchange.issuing_certificates()).await {
        Ok(Some(store)) => Ok(TenantTrust::Held(store)),
        Ok(None) => Ok(TenantTrust::Absent),
        Err(error) if is_lasting(&error) => Ok(TenantTrust::Unread(error)),
        Err(error) => Err(error),
    }
}

fn is_lasting(error: &Error) -> bool {
    matches!(error.category(), Category::Denied | Category::Invalid | Category::Unsupported) && !error.is_transient()
}

impl TenantTrust {
    /// Two of the same are judged by alike.
    pub(super) fn digest(&self) -> String {
        match self {
            Self::Absent => "absent".to_owned(),
            Self::Unread(_) => "unread".to_owned(),
            Self::Held(store) => Sha256::of(store).to_string(),
        }
    }

    /// For planning.
    pub(super) fn store(&self) -> TenantStore<'_> {
        match self {
            Self::Absent => TenantStore::Absent,
            Self::Unread(_) => TenantStore::Unknown,
            Self::Held(store) => TenantStore::Held(store),
        }
    }

    /// What verdicts are held against, where that is anything; tells why it is nothing, or what is wrong with it.
    pub(super) async fn judging(&self, context: &RunContext<'_>) -> Result<Option<Tenant>> {
        let at_ms = context.at_ms()?;
        let event = async |level, code, parameters| context.observer.event(level, code, parameters).await;
        let unread = |detail: String| vec![("detail", detail)];
        let store = match self {
            Self::Held(store) => store,
            Self::Absent => {
                event(LogLevel::Info, Code::TenantIssuersAbsent, Vec::new()).await;
                return Ok(None);
            }
            Self::Unread(error) => {
                let detail = unread(error.message(context.culture));
                event(LogLevel::Warn, Code::TenantIssuersUnread, detail).await;
                return Ok(None);
            }
        };
        let certificates = Bundle::read(store).certificates;
        if certificates.is_empty() {
            let is_empty = SerializedStore::parse(store).is_some_and(|store| store.entries.is_empty());
            match is_empty {
                true => event(LogLevel::Info, Code::TenantIssuersAbsent, Vec::new()).await,
                false => {
                    let error = Error::new(Code::TrustUnreadable).message(context.culture);
                    event(LogLevel::Warn, Code::TenantIssuersUnread, unread(error)).await;
                }
            }
            return Ok(None);
        }
        let tenant = Tenant::new(certificates);
        let expired: Vec<_> = tenant.expired(at_ms).collect();
        if !expired.is_empty() {
            let parameters = vec![("count", expired.len().to_string()), ("detail", expired.join("; "))];
            event(LogLevel::Warn, Code::TenantIssuersExpired, parameters).await;
        }
        Ok(Some(tenant))
    }
}

/// What the tenant makes of what people publish, counted by people.
#[derive(Debug, Default)]
pub(super) struct Remarks(BTreeMap<&'static str, (u64, Finding)>);

impl Remarks {
    /// Counts what is said of somebody's values, each code once.
    pub(super) fn add(&mut self, values: &[Value]) {
        let all = || values.iter().flat_map(|value| &value.verdict.findings);
        for finding in REMARKS.iter().filter_map(|code| all().find(|finding| finding.code == *code)) {
            self.0.entry(finding.code).or_insert_with(|| (0, finding.clone())).0 += 1;
        }
    }

    /// Tells all of it, once for each code, where verdicts were held against a tenant.
    pub(super) async fn tell(self, context: &RunContext<'_>, judge: &Judge) {
        for (people, example) in self.0.into_values().filter(|_| judge.evidence.tenant().is_some()) {
            let detail = example.message().render(context.culture);
            let parameters = vec![("count", people.to_string()), ("detail", detail)];
            context.observer.event(LogLevel::Warn, Code::TenantFinding, parameters).await;
        }
    }
}
