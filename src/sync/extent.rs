//! Whether a run looks at everybody or at what changed.

use crate::config::{Changes, Config};
use crate::directory::{Cursor, Selection, WhyEverybody};
use crate::error::Result;
use crate::store::{PolicyType, Store};

const DAY_MS: i64 = 86_400_000;

/// Whom a run looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Everybody; with the reason where the caller could expect less.
    Everybody(Option<WhyEverybody>),
    /// Who changed since this cursor, and who is to be looked at in any case.
    Changed(Cursor),
}

/// What decides about it.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// What the caller asked for.
    pub asked: Option<PolicyType>,
    /// Whom the caller selected.
    pub selection: &'a Selection,
    /// The directory's scope.
    pub scope: &'a str,
    /// Hash of policy, trust and tenant, where verdicts are to be given.
    pub policy_hash: Option<&'a str>,
    /// The time, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// Decides. Without a wish, what changed is looked at where there is a watermark; who was selected is looked at in any case.
///
/// # Errors
/// `store_failed`.
pub fn extent(store: &Store, config: &Config, circumstances: Circumstances<'_>) -> Result<Extent> {
    let Circumstances { asked, selection, scope, policy_hash, now_ms } = circumstances;
    let selected = *selection != Selection::default();
    if asked == Some(PolicyType::Initial) || (asked.is_none() && selected) {
        return Ok(Extent::Everybody(None));
    }
    if config.all_directories()?.iter().all(|directory| directory.changes == Changes::None) {
        return Ok(Extent::Everybody(asked.map(|_| WhyEverybody::Off)));
    }
    let Some(last) = store.last_complete_read()? else {
        let unexpected = asked.is_some().then_some(WhyEverybody::NoCursor);
        return Ok(Extent::Everybody(unexpected));
    };
    let Some(watermark) = store.watermark(scope)?.filter(|_| last.scope == scope) else {
        return Ok(Extent::Everybody(Some(WhyEverybody::ScopeChanged)));
    };
    let everybody = |why| Ok(Extent::Everybody(Some(why)));
    if policy_hash.is_some_and(|hash| watermark.policy_hash.as_deref() != Some(hash)) {
        return everybody(WhyEverybody::PolicyChanged);
    }
    // a clock that was set back says nothing about the age
    let age_ms = now_ms.saturating_sub(watermark.at_ms);
    if policy_hash.is_some() && age_ms >= i64::from(config.policy.full_every_days) * DAY_MS {
        return everybody(WhyEverybody::Overdue);
    }
    match watermark.cursor.as_deref().and_then(Cursor::from_bytes) {
        Some(cursor) => Ok(Extent::Changed(cursor)),
        None => everybody(WhyEverybody::NoCursor),
    }
}
