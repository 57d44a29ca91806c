//! Certificate policies along a path: RFC 5280 6.1 with the policy graph of RFC 9618.
//!
//! Of the graph only the deepest level is kept: a node there exists only because one above it does, so nothing ever has
//! to be pruned upwards, and each certificate costs no more than the policies and mappings it lists.

use std::collections::{HashMap, HashSet};

use crate::certificate::{Policies, PolicyId};

use super::catalogue as rule;
use super::demands::Demands;
use super::path::Link;
use super::verdict::Finding;

/// Checks a path that ends in an anchor, leaf first.
pub(super) fn check(path: &[Link<'_>], demands: &Demands, findings: &mut Vec<Finding>) {
    let Some((anchor, path)) = path.split_last() else { return };
    let policies: Vec<(&Policies, bool)> = path
        .iter()
        .map(|link| (&link.certificate.details.extensions.policies, link.certificate.is_self_issued()))
        .collect();
    if let Some(index) = unmet(&anchor.certificate.details.extensions.policies, &policies, demands) {
        findings.push(rule::POLICY_REQUIRED.broken_by(index));
    }
}

/// The certificate at which a policy is demanded and none is valid. `path`: policies, and whether self-issued; leaf first.
fn unmet(anchor: &Policies, path: &[(&Policies, bool)], demands: &Demands) -> Option<usize> {
    let all = || path.iter().map(|(policies, _)| *policies).chain([anchor]);
    if path.is_empty() || !demands.explicit_policy && all().all(|policies| policies.require_explicit.is_none()) {
        return None;
    }
    let never = u32::try_from(path.len()).unwrap_or(u32::MAX).saturating_add(1);
    let initial = |inhibited: bool, anchors: Option<u32>| if inhibited { 0 } else { narrow(never, anchors) };
    // an anchor's own constraints hold from the start (RFC 5937 3.2)
    let mut explicit = initial(demands.explicit_policy, anchor.require_explicit);
    let mut mapping = initial(demands.inhibit_mapping, anchor.inhibit_mapping);
    let mut any = initial(demands.inhibit_any, anchor.inhibit_any);
    let mut graph = Graph::new(Wanted::of(anchor, demands));
    for (index, (policies, self_issued)) in path.iter().enumerate().rev() {
        let last = index == 0;
        graph.take(policies, any > 0 || (!last && *self_issued));
        if explicit == 0 && graph.level.is_empty() {
            return Some(index);
        }
        if last {
            break;
        }
        graph.map(policies, mapping > 0);
        if !self_issued {
            explicit = explicit.saturating_sub(1);
            mapping = mapping.saturating_sub(1);
            any = any.saturating_sub(1);
        }
        explicit = narrow(explicit, policies.require_explicit);
        mapping = narrow(mapping, policies.inhibit_mapping);
        any = narrow(any, policies.inhibit_any);
    }
    // of the leaf's demands only an immediate one counts (RFC 5280 6.1.5 (a) and (b))
    let demanded = explicit <= 1 || path.first().is_some_and(|(leaf, _)| leaf.require_explicit == Some(0));
    (demanded && !graph.level.values().any(|node| node.asked)).then_some(0)
}

fn narrow(left: u32, skip: Option<u32>) -> u32 {
    skip.map_or(left, |skip| left.min(skip))
}

/// The policies of which one has to hold; `None` is any.
struct Wanted<'a>(Option<HashSet<&'a [u8]>>);

impl<'a> Wanted<'a> {
    fn of(anchor: &'a Policies, demands: &'a Demands) -> Self {
        let set = |policies: &'a [PolicyId]| -> Option<HashSet<&'a [u8]>> {
            let named = !policies.is_empty() && !policies.iter().any(PolicyId::is_any);
            named.then(|| policies.iter().map(PolicyId::as_bytes).collect())
        };
        let of_anchor = anchor.certificate.as_deref().and_then(set);
        Self(match (set(&demands.policies), of_anchor) {
            (Some(asked), Some(granted)) => Some(&asked & &granted),
            (asked, granted) => asked.or(granted),
        })
    }

    fn has(&self, policy: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|wanted| wanted.contains(policy))
    }

    fn is_nothing(&self) -> bool {
        self.0.as_ref().is_some_and(HashSet::is_empty)
    }
}

/// A policy that is valid so far.
struct Node<'a> {
    /// What the next certificate calls it, expected_policy_set.
    expected: Vec<&'a [u8]>,
    /// Whether it goes back to a policy that was asked for (RFC 5280 6.1.5 (g)).
    asked: bool,
}

struct Graph<'a> {
    wanted: Wanted<'a>,
    /// The deepest level by valid_policy; empty is NULL.
    level: HashMap<&'a [u8], Node<'a>>,
}

impl<'a> Graph<'a> {
    fn new(wanted: Wanted<'a>) -> Self {
        let root = Node { expected: vec![PolicyId::ANY], asked: !wanted.is_nothing() };
        Self { wanted, level: HashMap::from([(PolicyId::ANY, root)]) }
    }

    /// RFC 5280 6.1.3 (d) and (e): the level of the next certificate.
    fn take(&mut self, policies: &'a Policies, any_counts: bool) {
        let mut expected: HashMap<&'a [u8], bool> = HashMap::new();
        for node in self.level.values() {
            for policy in &node.expected {
                *expected.entry(policy).or_default() |= node.asked;
            }
        }
        let mut level = HashMap::new();
        for policy in policies.certificate.iter().flatten() {
            let policy = policy.as_bytes();
            let asked = match expected.get(policy) {
                _ if policy == PolicyId::ANY => continue,
                Some(asked) => *asked,
                None if expected.contains_key(PolicyId::ANY) => self.wanted.has(policy),
                None => continue,
            };
            level.insert(policy, Node { expected: vec![policy], asked });
        }
        if any_counts && policies.certificate.iter().flatten().any(PolicyId::is_any) {
            for (policy, asked) in expected {
                level.entry(policy).or_insert_with(|| Node { expected: vec![policy], asked });
            }
        }
        self.level = level;
    }

    /// RFC 5280 6.1.4 (b): what the next certificates may call the policies.
    fn map(&mut self, policies: &'a Policies, allowed: bool) {
        let mut mappings: HashMap<&'a [u8], Vec<&'a [u8]>> = HashMap::new();
        for (issuer, subject) in &policies.mappings {
            mappings.entry(issuer.as_bytes()).or_default().push(subject.as_bytes());
        }
        let has_any = self.level.contains_key(PolicyId::ANY);
        for (policy, expected) in mappings {
            if !allowed {
                self.level.remove(policy);
            } else if let Some(node) = self.level.get_mut(policy) {
                node.expected = expected;
            } else if has_any {
                let asked = self.wanted.has(policy);
                self.level.insert(policy, Node { expected, asked });
            }
        }
    }
}
