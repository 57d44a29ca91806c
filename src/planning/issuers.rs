//! Which authorities the tenant should trust, held against those it does: additions, and the removal of what has expired.

use std::collections::{HashMap, HashSet};

use crate::certificate::{Bundle, Certificate, SerializedStore, Sha256, StoreEntry};

use super::reason::{EXPIRED, OVER_LIMIT, UNREADABLE};
use super::{Item, Reason};

/// What the tenant's collection is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantStore<'a> {
    /// Nobody could or wanted to read it.
    Unknown,
    /// There is none.
    Absent,
    /// Its bytes.
    Held(&'a [u8]),
}

/// An authority that certificates of people need.
#[derive(Debug, Clone)]
pub struct Needed {
    /// The authority.
    pub certificate: Certificate,
    /// How many people need it.
    pub people: u64,
}

/// What the plan rests on besides.
#[derive(Debug, Clone, Copy)]
pub struct IssuerLimits {
    /// The time verdicts are computed for, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The time by the clock, which is what the service goes by.
    pub now_ms: i64,
    /// The largest collection the tenant takes, in bytes.
    pub max_bytes: usize,
    /// Whether people were not read to their end, after which nothing goes.
    pub additions_only: bool,
}

/// What is done about an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerAction {
    /// Nothing: the tenant has what it should.
    None,
    /// The tenant gets it.
    Add,
    /// The tenant loses it.
    Drop,
    /// It is needed and cannot be added, for the row's reason.
    Skip,
}

impl IssuerAction {
    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Add => "add",
            Self::Drop => "drop",
            Self::Skip => "skip",
        }
    }
}

/// An authority, or an entry of the tenant's collection that is none.
#[derive(Debug, Clone)]
pub struct IssuerPlan {
    /// SHA-256 of the entry's content.
    pub sha256: Sha256,
    /// The authority; `None` for an entry that cannot be read.
    pub certificate: Option<Certificate>,
    /// How many people need it.
    pub people: u64,
    /// Whether the tenant has it; `None` where nobody knows.
    pub in_tenant: Option<bool>,
    /// What is done.
    pub action: IssuerAction,
    /// Why it is not added, or why it goes or should.
    pub reason: Option<&'static str>,
}

impl IssuerPlan {
    fn item(&self) -> Item {
        let certificate = self.certificate.as_ref();
        Item {
            sha256: self.sha256,
            thumbprint: certificate.map(|it| it.thumbprint.clone()),
            subject: certificate.map(|it| it.subject.clone()),
            not_after_ms: certificate.map(|it| it.not_after_ms),
            reason: self.reason.map(Reason::Borrowed),
        }
    }
}

/// What the tenant's collection should become.
#[derive(Debug, Clone)]
pub struct IssuersPlan {
    /// Those that people need, the most needed first; behind them what else the tenant has, in its order.
    pub issuers: Vec<IssuerPlan>,
    /// The collection's bytes afterwards; `None` where what there is cannot be added to.
    pub after: Option<Vec<u8>>,
    /// The bytes the additions would have led to, where these are more than the tenant takes.
    pub too_large: Option<usize>,
}

impl IssuersPlan {
    /// Whether anything is added or goes.
    pub fn changes(&self) -> bool {
        self.issuers.iter().any(|issuer| matches!(issuer.action, IssuerAction::Add | IssuerAction::Drop))
    }

    /// What is added.
    pub fn added(&self) -> Vec<Item> {
        self.items(IssuerAction::Add)
    }

    /// What goes, with its reason.
    pub fn removed(&self) -> Vec<Item> {
        self.items(IssuerAction::Drop)
    }

    fn items(&self, wanted: IssuerAction) -> Vec<Item> {
        self.issuers.iter().filter(|issuer| issuer.action == wanted).map(IssuerPlan::item).collect()
    }
}

/// Holds what people need against what the tenant has. What the tenant has and nobody knows stays, byte for byte; what
/// has expired goes, because the service refuses every collection that holds such a one, and as long as something is left.
pub fn plan_issuers(needed: Vec<Needed>, store: TenantStore<'_>, limits: &IssuerLimits) -> IssuersPlan {
    let has_expired = |certificate: &Certificate| certificate.not_after_ms < limits.at_ms.min(limits.now_ms);
    let Entries { held, mut whole } = Entries::read(store);
    let may_go = whole.is_some() && !limits.additions_only;
    let known = !matches!(store, TenantStore::Unknown);
    let mut places: HashMap<Sha256, usize> = HashMap::new();
    let mut issuers: Vec<IssuerPlan> = Vec::new();
    for issuer in most_needed_first(needed) {
        let ends = issuer.certificate.not_after_ms;
        let (action, reason) = match &whole {
            // it may be over for the service although it is not for the verdict
            _ if ends < limits.at_ms.max(limits.now_ms) => (IssuerAction::Skip, Some(EXPIRED)),
            None => (IssuerAction::Skip, Some(UNREADABLE)),
            Some(_) => (IssuerAction::Add, None),
        };
        let (sha256, in_tenant) = (issuer.certificate.sha256, known.then_some(false));
        places.insert(sha256, issuers.len());
        let (certificate, people) = (Some(issuer.certificate), issuer.people);
        issuers.push(IssuerPlan { sha256, certificate, people, in_tenant, action, reason });
    }
    for (sha256, certificate) in held {
        let (action, reason) = match &certificate {
            None => (IssuerAction::None, Some(UNREADABLE)),
            Some(found) if has_expired(found) && may_go => (IssuerAction::Drop, Some(EXPIRED)),
            Some(found) if has_expired(found) => (IssuerAction::None, Some(EXPIRED)),
            Some(_) => (IssuerAction::None, None),
        };
        let in_tenant = Some(true);
        match places.get(&sha256).and_then(|place| issuers.get_mut(*place)) {
            Some(issuer) => (issuer.in_tenant, issuer.action, issuer.reason) = (in_tenant, action, reason),
            None => {
                places.insert(sha256, issuers.len());
                issuers.push(IssuerPlan { sha256, certificate, people: 0, in_tenant, action, reason });
            }
        }
    }
    let too_large = whole.as_mut().and_then(|store| merge(store, &mut issuers, limits.max_bytes));
    IssuersPlan { issuers, after: whole.map(|store| store.to_bytes()), too_large }
}

/// Makes of the tenant's store what the rows say. Gives its length where it would be too long; then nothing is added.
fn merge(store: &mut SerializedStore, issuers: &mut [IssuerPlan], max_bytes: usize) -> Option<usize> {
    let is_added = |issuer: &&IssuerPlan| issuer.action == IssuerAction::Add;
    let dropped = |issuers: &[IssuerPlan]| -> HashSet<Sha256> {
        issuers.iter().filter(|issuer| issuer.action == IssuerAction::Drop).map(|issuer| issuer.sha256).collect()
    };
    let goes = dropped(issuers);
    let stays = |entry: &StoreEntry| !(entry.is_certificate() && goes.contains(&entry.sha256()));
    let mut merged = SerializedStore { entries: store.entries.iter().filter(|entry| stays(entry)).cloned().collect() };
    let kept = merged.clone();
    let mut additions = issuers.iter().filter(is_added).filter_map(|issuer| issuer.certificate.as_ref());
    let all_fit = additions.all(|certificate| merged.add(&certificate.der));
    let bytes = merged.to_bytes().len();
    let too_large = (!all_fit || bytes > max_bytes) && issuers.iter().any(|issuer| is_added(&issuer));
    if too_large {
        for issuer in issuers.iter_mut().filter(|issuer| issuer.action == IssuerAction::Add) {
            (issuer.action, issuer.reason) = (IssuerAction::Skip, Some(OVER_LIMIT));
        }
        merged = kept;
    }
    if merged.entries.is_empty() {
        // a tenant that trusts something expired is not made to trust nothing
        for issuer in issuers.iter_mut().filter(|issuer| issuer.action == IssuerAction::Drop) {
            issuer.action = IssuerAction::None;
        }
        merged = store.clone();
    }
    *store = merged;
    too_large.then_some(bytes)
}

fn most_needed_first(mut needed: Vec<Needed>) -> Vec<Needed> {
    needed.sort_by(|one, other| {
        let key = |it: &Needed| (std::cmp::Reverse(it.people), it.certificate.sha256);
        let (left, right) = (key(one), key(other));
        (left.0, &one.certificate.subject, left.1).cmp(&(right.0, &other.certificate.subject, right.1))
    });
    needed
}

/// What a collection holds.
struct Entries {
    /// Its entries by what they hold, each once.
    held: Vec<(Sha256, Option<Certificate>)>,
    /// The collection, where it can be added to.
    whole: Option<SerializedStore>,
}

impl Entries {
    fn read(store: TenantStore<'_>) -> Self {
        let bytes = match store {
            TenantStore::Unknown | TenantStore::Absent => {
                return Self { held: Vec::new(), whole: Some(SerializedStore::default()) };
            }
            TenantStore::Held(bytes) => bytes,
        };
        let mut seen = HashSet::new();
        let whole = SerializedStore::parse(bytes);
        let held = match &whole {
            Some(store) => {
                let entry = |entry: &StoreEntry| {
                    let certificate = entry.is_certificate().then(|| Certificate::parse(entry.content()).ok());
                    (entry.sha256(), certificate.flatten())
                };
                store.entries.iter().map(entry).filter(|(sha256, _)| seen.insert(*sha256)).collect()
            }
            None => {
                let readable = Bundle::read(bytes).certificates.into_iter();
                readable.map(|it| (it.sha256, Some(it))).filter(|(sha256, _)| seen.insert(*sha256)).collect()
            }
        };
        Self { held, whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    /// 2026-06-01.
    const AT: IssuerLimits =
        IssuerLimits { at_ms: 1_780_272_000_000, now_ms: 1_780_272_000_000, max_bytes: 70_000, additions_only: false };

    fn authority(name: &str, until: i32) -> Certificate {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Certificate::parse(made.der()).unwrap()
    }

    fn needs(certificates: &[(&Certificate, u64)]) -> Vec<Needed> {
        certificates.iter().map(|(it, people)| Needed { certificate: (*it).clone(), people: *people }).collect()
    }

    fn store(certificates: &[&Certificate]) -> Vec<u8> {
        let mut store = SerializedStore::default();
        certificates.iter().for_each(|certificate| assert!(store.add(&certificate.der)));
        store.to_bytes()
    }

    type Said = (String, u64, Option<bool>, &'static str, Option<&'static str>);

    fn said(plan: &IssuersPlan) -> Vec<Said> {
        let name = |issuer: &IssuerPlan| issuer.certificate.as_ref().map(|it| it.subject.clone()).unwrap_or_default();
        let row = |it: &IssuerPlan| (name(it).replace("CN=", ""), it.people, it.in_tenant, it.action.name(), it.reason);
        plan.issuers.iter().map(row).collect()
    }

    fn row(
        name: &str,
        people: u64,
        in_tenant: Option<bool>,
        action: &'static str,
        reason: Option<&'static str>,
    ) -> Said {
        (name.into(), people, in_tenant, action, reason)
    }

    #[test]
    fn what_is_needed_is_added_and_what_is_foreign_stays() {
        let (a, b, foreign) = (authority("a", 2030), authority("b", 2030), authority("foreign", 2030));
        let before = store(&[&foreign, &a]);
        let plan = plan_issuers(needs(&[(&a, 2), (&b, 3)]), TenantStore::Held(&before), &AT);
        assert_eq!(
            said(&plan),
            [
                row("b", 3, Some(false), "add", None),
                row("a", 2, Some(true), "none", None),
                row("foreign", 0, Some(true), "none", None)
            ]
        );
        assert_eq!(plan.after, Some(store(&[&foreign, &a, &b])));
        let again = plan_issuers(needs(&[(&a, 2), (&b, 3)]), TenantStore::Held(&plan.after.unwrap()), &AT);
        assert!(!again.changes());
    }

    #[test]
    fn an_expired_authority_is_never_added_and_goes() {
        let (good, old, needed) = (authority("good", 2030), authority("old", 2024), authority("needed", 2025));
        let before = store(&[&old, &good, &needed]);
        let plan = plan_issuers(needs(&[(&needed, 1)]), TenantStore::Held(&before), &AT);
        assert_eq!(
            said(&plan),
            [
                row("needed", 1, Some(true), "drop", Some("expired")),
                row("old", 0, Some(true), "drop", Some("expired")),
                row("good", 0, Some(true), "none", None)
            ]
        );
        assert_eq!(plan.after, Some(store(&[&good])));
        assert_eq!(plan.removed().len(), 2);
        let fresh = plan_issuers(needs(&[(&needed, 1)]), TenantStore::Absent, &AT);
        assert_eq!(said(&fresh), [row("needed", 1, Some(false), "skip", Some("expired"))]);
        // over by the clock, though not at the time of the verdicts: neither added nor dropped
        let later = IssuerLimits { at_ms: 1_600_000_000_000, ..AT };
        let plan = plan_issuers(needs(&[(&old, 1)]), TenantStore::Held(&before), &later);
        assert!(!plan.changes(), "{:?}", said(&plan));
        assert!(!plan_issuers(needs(&[(&old, 1)]), TenantStore::Absent, &later).changes());
    }

    #[test]
    fn nothing_goes_where_only_additions_may_be_made() {
        let (good, old, new) = (authority("good", 2030), authority("old", 2024), authority("new", 2030));
        let before = store(&[&old, &good]);
        let limits = IssuerLimits { additions_only: true, ..AT };
        let plan = plan_issuers(needs(&[(&new, 1)]), TenantStore::Held(&before), &limits);
        assert_eq!(said(&plan)[1], row("old", 0, Some(true), "none", Some("expired")));
        assert_eq!((plan.removed().len(), plan.after), (0, Some(store(&[&old, &good, &new]))));
    }

    #[test]
    fn a_tenant_is_never_left_with_nothing() {
        let (old, new) = (authority("old", 2024), authority("new", 2030));
        let before = store(&[&old]);
        let plan = plan_issuers(Vec::new(), TenantStore::Held(&before), &AT);
        assert_eq!(said(&plan), [row("old", 0, Some(true), "none", Some("expired"))]);
        assert_eq!((plan.changes(), plan.after), (false, Some(before.clone())));
        let plan = plan_issuers(needs(&[(&new, 1)]), TenantStore::Held(&before), &AT);
        assert_eq!(plan.after, Some(store(&[&new])));
    }

    #[test]
    fn what_cannot_be_read_is_kept() {
        let (a, new) = (authority("a", 2030), authority("new", 2030));
        let mut held = SerializedStore::default();
        assert!(held.add(&a.der) && held.add(b"garbage"));
        let plan = plan_issuers(needs(&[(&new, 1)]), TenantStore::Held(&held.to_bytes()), &AT);
        assert_eq!(
            said(&plan),
            [
                row("new", 1, Some(false), "add", None),
                row("a", 0, Some(true), "none", None),
                row("", 0, Some(true), "none", Some("unreadable"))
            ]
        );
        held.add(&new.der);
        assert_eq!(plan.after, Some(held.to_bytes()));
    }

    #[test]
    fn a_collection_that_is_not_whole_is_not_touched() {
        let (a, old, new) = (authority("a", 2030), authority("old", 2024), authority("new", 2030));
        let bytes = store(&[&a, &old]);
        let plan = plan_issuers(needs(&[(&new, 1)]), TenantStore::Held(&bytes[..bytes.len() - 1]), &AT);
        assert_eq!(
            said(&plan),
            [
                row("new", 1, Some(false), "skip", Some("unreadable")),
                row("a", 0, Some(true), "none", None),
                row("old", 0, Some(true), "none", Some("expired"))
            ]
        );
        assert_eq!((plan.changes(), plan.after), (false, None));
        assert!(plan_issuers(needs(&[(&new, 1)]), TenantStore::Held(b"nonsense"), &AT).after.is_none());
    }

    #[test]
    fn a_collection_too_large_for_the_tenant_gets_nothing_more() {
        let (a, b, old) = (authority("a", 2030), authority("b", 2030), authority("old", 2024));
        let before = store(&[&a, &old]);
        let limit = IssuerLimits { max_bytes: store(&[&a, &b]).len(), ..AT };
        let both = needs(&[(&a, 1), (&b, 1)]);
        let plan = plan_issuers(both.clone(), TenantStore::Held(&before), &limit);
        assert_eq!((plan.too_large, plan.after), (None, Some(store(&[&a, &b]))));
        let limit = IssuerLimits { max_bytes: limit.max_bytes - 1, ..limit };
        let plan = plan_issuers(both, TenantStore::Held(&before), &limit);
        assert_eq!(plan.too_large, Some(store(&[&a, &b]).len()));
        assert_eq!(said(&plan)[1], row("b", 1, Some(false), "skip", Some("over_limit")));
        // what has expired may go all the same
        assert_eq!(plan.after, Some(store(&[&a])));
    }

    #[test]
    fn without_the_tenant_nobody_says_what_it_has() {
        let a = authority("a", 2030);
        let plan = plan_issuers(needs(&[(&a, 1)]), TenantStore::Unknown, &AT);
        assert_eq!(said(&plan), [row("a", 1, None, "add", None)]);
        assert_eq!(plan.after, Some(store(&[&a])));
    }
}
