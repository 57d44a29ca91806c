//! Brings what verdicts lack: from the store while it holds, else from the places that certificates name.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use url::Url;

use crate::config::{Config, DirectoryKind, RevocationMode};
use crate::directory::{self, LdapPlace, OwnDirectory, Published};
use crate::error::{Error, Result};
use crate::exchange::Surroundings;
use crate::net::Cause;
use crate::net::fetch::{Ask, Fetcher, Limits};
use crate::store::{FetchKey, Fetched, Store};
use crate::validation::{Evidence, Need};

use super::answer::{Answer, Kind, joined};

/// Places that are asked at a time.
const CONCURRENCY: usize = 8;
/// Places of one need that are asked; certificates name two or three.
const MAX_PLACES: usize = 8;
/// How long one run fetches, in all; what it does in between does not count.
const RUN_TIMEOUT: Duration = Duration::from_secs(900);
/// Bytes that one run fetches, in all, as a multiple of one answer's.
const RUN_ANSWERS: u64 = 16;
/// Failures in a row after which a host is not asked again in this run.
const HOST_FAILURES: u32 = 3;
/// Longest time for which what was fetched is used without asking whether there is something newer.
const MAX_FRESH_MS: i64 = 86_400_000;

/// Brings what verdicts lack. Made for one run: each place is asked once, and one that failed is not asked again.
pub struct Retriever<'a> {
    issuers: bool,
    revocation: bool,
    limits: Limits,
    store: &'a Store,
    surroundings: &'a dyn Surroundings,
    /// Made when the first place is asked: it reads the system's authorities.
    web: OnceCell<Fetcher>,
    /// The session's own directories that are servers.
    own: Vec<OwnDirectory>,
    known: HashMap<Place, Known>,
    hosts: Mutex<HashMap<String, Failing>>,
    bytes_left: AtomicU64,
    time_left: Duration,
}

/// What a round brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// Whether the evidence now says more, were it only why something is missing.
    pub changed: bool,
    /// The places that gave nothing, and why, in the order of their names.
    pub failures: Vec<(String, Cause)>,
}

/// A place, and what is asked for there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    url: String,
    kind: Kind,
}

/// What an earlier round learned of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It was not asked, the store had what it said before. If that does not help, it may have said something else since.
    FromStore,
    /// It was asked.
    Asked,
}

/// Failures of a host in a row.
struct Failing {
    count: u32,
    cause: Cause,
}

/// What one round does.
struct Round {
    deadline: Instant,
    /// By place, whether something came from there; each is asked once, however many need it.
    asked: Mutex<HashMap<Place, Arc<OnceCell<bool>>>>,
    brought: Mutex<Vec<(Place, Known, Answer)>>,
    failed: Mutex<Vec<(Place, Cause)>>,
    /// What no place is to blame for.
    defect: Mutex<Option<Error>>,
}

impl<'a> Retriever<'a> {
    /// Whether anything may be fetched.
    pub fn is_wanted(config: &Config, mode: RevocationMode) -> bool {
        fetches_issuers(config) || mode == RevocationMode::Online
    }

    /// A retriever for one run; `None` where the configuration lets nothing be fetched. Uses no network yet.
    pub fn new(
        config: &Config,
        mode: RevocationMode,
        store: &'a Store,
        surroundings: &'a dyn Surroundings,
    ) -> Option<Self> {
        if !Self::is_wanted(config, mode) {
            return None;
        }
        let directories = config.all_directories().unwrap_or_default().into_iter();
        let servers = directories.filter(|directory| directory.kind == DirectoryKind::Ldap);
        let limits = Limits {
            timeout: Duration::from_millis(config.revocation.timeout_ms),
            max_bytes: usize::try_from(config.revocation.max_bytes).unwrap_or(usize::MAX),
            allow_loopback: config.revocation.allow_loopback,
        };
        Some(Self {
            issuers: fetches_issuers(config),
            revocation: mode == RevocationMode::Online,
            limits,
            store,
            surroundings,
            web: OnceCell::new(),
            own: servers.map(|directory| OwnDirectory::new(directory, config.base_dir.as_deref())).collect(),
            known: HashMap::new(),
            hosts: Mutex::default(),
            bytes_left: AtomicU64::new(config.revocation.max_bytes.saturating_mul(RUN_ANSWERS)),
            time_left: RUN_TIMEOUT,
        })
    }

    /// Brings what is needed and was not brought before, into the evidence. Dropping the future ends it; nothing was added
    /// then.
    ///
    /// # Errors
    /// Defects of this library; whatever a place does is a failure of that place.
    pub async fn bring(&mut self, needs: &BTreeSet<Need>, evidence: &mut Evidence) -> Result<Brought> {
        let deadline = Instant::now() + self.time_left;
        let round = Round::until(deadline);
        let this = &*self;
        let wanted = needs.iter().filter(|need| this.wants(need));
        futures_util::stream::iter(wanted).for_each_concurrent(CONCURRENCY, |need| this.meet(need, &round)).await;
        self.time_left = deadline.saturating_duration_since(Instant::now());
        let Round { brought, failed, defect, .. } = round;
        if let Some(defect) = defect.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(defect);
        }
        let mut brought = brought.into_inner().unwrap_or_else(PoisonError::into_inner);
        // places answer in any order, verdicts must not depend on it
        brought.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut failures = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        failures.sort_by(|(one, _), (other, _)| one.cmp(other));
        let changed = !brought.is_empty() || !failures.is_empty();
        for (place, cause) in &failures {
            self.known.insert(place.clone(), Known::Asked);
            evidence.failed(place.url.clone(), place.kind.request(), cause.to_string());
        }
        let mut ocsp_responses = Vec::new();
        for (place, known, answer) in brought {
            self.known.insert(place, known);
            evidence.add(answer.certificates, answer.crls);
            ocsp_responses.extend(answer.ocsp_responses);
        }
        evidence.add_ocsp_responses(ocsp_responses);
        let failures = failures.into_iter().map(|(place, cause)| (place.url, cause)).collect();
        Ok(Brought { changed, failures })
    }

    fn wants(&self, need: &Need) -> bool {
        match need {
            Need::Issuer { .. } => self.issuers,
            Need::Crl { .. } | Need::Ocsp { .. } => self.revocation,
        }
    }

    /// Asks one place after the other until something comes.
    async fn meet(&self, need: &Need, round: &Round) {
        let (Need::Issuer { urls } | Need::Crl { urls } | Need::Ocsp { urls, .. }) = need;
        for url in urls.iter().take(MAX_PLACES) {
            let place = Place { url: url.clone(), kind: Kind::of(need) };
            let known = self.known.get(&place).copied();
            if known == Some(Known::Asked) {
                continue;
            }
            let cell = Arc::clone(unpoisoned(&round.asked).entry(place.clone()).or_default());
            let came = cell.get_or_init(|| self.ask(need, place, known.is_none(), round)).await;
            if *came {
                return;
            }
        }
    }

    /// Whether a place had something to say, from the store where it may be.
    async fn ask(&self, need: &Need, place: Place, from_store: bool, round: &Round) -> bool {
        let now_ms = self.surroundings.now_ms();
        let kept = if from_store { self.kept(&place, now_ms) } else { None };
        if let Some((answer, true)) = kept {
            unpoisoned(&round.brought).push((place, Known::FromStore, answer));
            return true;
        }
        match self.fetch(need, &place, round).await {
            Ok((bytes, answer)) => {
                let outdated = answer.is_outdated(now_ms);
                if let Some(next_update_ms) = answer.next_update_ms.filter(|_| !outdated) {
                    let fetched = Fetched { bytes, fetched_ms: now_ms, next_update_ms };
                    // without a memory the answer is as good
                    let _ = self.store.keep_fetched(place.key(), &fetched);
                }
                if outdated && place.kind != Kind::Issuer {
                    unpoisoned(&round.failed).push((place.clone(), Cause::Outdated));
                }
                unpoisoned(&round.brought).push((place, Known::Asked, answer));
                !outdated
            }
            // what was said before still holds
            Err(_) if kept.is_some() => {
                let answer = kept.map(|(answer, _)| answer).unwrap_or_default();
                unpoisoned(&round.brought).push((place, Known::Asked, answer));
                true
            }
            Err(cause) => {
                unpoisoned(&round.failed).push((place, cause));
                false
            }
        }
    }

    /// What a place said before, as far as it still holds, and whether that is recent enough not to ask again.
    fn kept(&self, place: &Place, now_ms: i64) -> Option<(Answer, bool)> {
        let kept = self.store.fetched(place.key(), now_ms).ok().flatten()?;
        let answer = place.read(&kept.bytes).ok()?;
        Some((answer, now_ms < fresh_until(kept.fetched_ms, kept.next_update_ms)))
    }

    /// What a place says now.
    async fn fetch(&self, need: &Need, place: &Place, round: &Round) -> std::result::Result<(Vec<u8>, Answer), Cause> {
        let url = Url::parse(&place.url).map_err(|_| Cause::UrlNotAllowed)?;
        let host =
            format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        if let Some(failing) = unpoisoned(&self.hosts).get(&host).filter(|failing| failing.count >= HOST_FAILURES) {
            return Err(failing.cause);
        }
        if Instant::now() >= round.deadline {
            return Err(Cause::TooLate);
        }
        let bytes =
            tokio::time::timeout_at(round.deadline, self.bytes(need, &url, round)).await.unwrap_or(Err(Cause::TooLate));
        self.note_host(host, bytes.as_ref().err().copied());
        let bytes = bytes?;
        let length = bytes.len() as u64;
        let fits = |left: u64| left.checked_sub(length);
        self.bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).map_err(|_| Cause::TooMuch)?;
        let answer = place.read(&bytes)?;
        Ok((bytes, answer))
    }

    async fn bytes(&self, need: &Need, url: &Url, round: &Round) -> std::result::Result<Vec<u8>, Cause> {
        if url.scheme() != "ldap" {
            let ask = match need {
                Need::Ocsp { request, .. } => Ask::Ocsp(request),
                Need::Issuer { .. } | Need::Crl { .. } => Ask::Get,
            };
            let web = self.web.get_or_try_init(|| async { Fetcher::new(self.limits) }).await;
            let web = web.map_err(|defect| {
                unpoisoned(&round.defect).get_or_insert(defect);
                Cause::Unreachable
            })?;
            return web.fetch(url, ask).await;
        }
        let what = match need {
            Need::Issuer { .. } => Published::Certificates,
            Need::Crl { .. } => Published::Crls,
            Need::Ocsp { .. } => return Err(Cause::SchemeNotAllowed),
        };
        let place = LdapPlace::of(url)?;
        let read = async {
            match &place.host {
                Some(host) => {
                    let Limits { timeout, allow_loopback, .. } = self.limits;
                    directory::read_published(host, &place, what, timeout, allow_loopback).await
                }
                None => self.read_own(&place, what).await,
            }
        };
        let values = tokio::time::timeout(self.limits.timeout, read).await.unwrap_or(Err(Cause::Timeout))?;
        if values.iter().map(Vec::len).sum::<usize>() > self.limits.max_bytes {
            return Err(Cause::TooLarge);
        }
        Ok(joined(&values))
    }

    /// What the first of the session's own directories that has it says.
    async fn read_own(&self, place: &LdapPlace, what: Published) -> std::result::Result<Vec<Vec<u8>>, Cause> {
        let mut first = None;
        for own in &self.own {
            match own.read(place, what).await {
                Ok(values) => return Ok(values),
                Err(cause) => {
                    first.get_or_insert(cause);
                }
            }
        }
        Err(first.unwrap_or(Cause::NoDirectory))
    }

    /// Counts a host's failures in a row; one that does not answer is not waited for again and again.
    fn note_host(&self, host: String, cause: Option<Cause>) {
        let mut hosts = unpoisoned(&self.hosts);
        match cause.filter(|cause| cause.is_of_host()) {
            Some(cause) => hosts.entry(host).or_insert(Failing { count: 0, cause }).count += 1,
            None => {
                hosts.remove(&host);
            }
        }
    }
}

impl Round {
    fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            asked: Mutex::default(),
            brought: Mutex::default(),
            failed: Mutex::default(),
            defect: Mutex::default(),
        }
    }
}

impl Place {
    fn key(&self) -> FetchKey<'_> {
        FetchKey { url: &self.url, kind: self.kind.name(), request: self.kind.request() }
    }

    fn read(&self, bytes: &[u8]) -> std::result::Result<Answer, Cause> {
        let scheme = self.url.split(':').next().unwrap_or_default();
        if scheme.eq_ignore_ascii_case("ldap") {
            Answer::of_values(self.kind, bytes)
        } else {
            Answer::of_bytes(self.kind, bytes)
        }
    }
}

fn fetches_issuers(config: &Config) -> bool {
    config.trust.fetch_issuers != Some(false)
}

/// Until when what was fetched is used without asking again: half of the time that was left, a day at most. An authority
/// that revokes publishes before its next update, and who only looked then would learn of it a week late.
fn fresh_until(fetched_ms: i64, next_update_ms: i64) -> i64 {
    fetched_ms.saturating_add((next_update_ms.saturating_sub(fetched_ms) / 2).min(MAX_FRESH_MS))
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_for_long_is_asked_for_every_day() {
        const HOUR: i64 = 3_600_000;
        assert_eq!(fresh_until(0, 8 * HOUR), 4 * HOUR);
        assert_eq!(fresh_until(0, 7 * 24 * HOUR), 24 * HOUR);
        assert_eq!(fresh_until(5, i64::MAX), 5 + 24 * HOUR);
    }
}
