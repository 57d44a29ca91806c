//! Planning: the rules one by one, then what must hold for every input.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use smimesync::certificate::{Attribute, Sha256};
use smimesync::config::{self, Foreign, Publish, Undetermined};
use smimesync::people::{Address, Recipient, RecipientClass};
use smimesync::planning::{
    Action, Before, CertificateSummary, Change, Circumstances, Item, Ours, Plan, Policy, Subject, Value,
    plan_recipient, plan_vanished, reason, select, senders_pick,
};
use smimesync::validation::{Finding, Fitness, Severity, Use, Verdict};

const UC: Attribute = Attribute::UserCertificate;
const SMIME: Attribute = Attribute::UserSmimeCertificate;
const NOW: i64 = 1_000_000_000_000;
const DAY: i64 = 86_400_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dual,
    Encrypts,
    Signs,
    Expired,
    Revoked,
    WrongPurpose,
    OtherPerson,
    Weak,
    SignatureInvalid,
    Undetermined,
    Garbage,
}

const KINDS: [Kind; 11] = [
    Kind::Dual,
    Kind::Encrypts,
    Kind::Signs,
    Kind::Expired,
    Kind::Revoked,
    Kind::WrongPurpose,
    Kind::OtherPerson,
    Kind::Weak,
    Kind::SignatureInvalid,
    Kind::Undetermined,
    Kind::Garbage,
];

fn finding(code: &'static str, severity: Severity, concerns: Use) -> Finding {
    Finding {
        code,
        severity,
        concerns,
        leaves_open: severity == Severity::Warn,
        observed: None,
        expected: None,
        rule: "",
        certificate_index: Some(0),
    }
}

/// A value of a kind; the same arguments give the same bytes.
fn value(attribute: Attribute, kind: Kind, age_days: i64, size: usize) -> Value {
    use Fitness::{Fit, Undetermined as Open, Unfit};
    let (encrypt, sign, code, why) = match kind {
        Kind::Dual => (Fit, Fit, None, None),
        Kind::Encrypts => (Fit, Unfit, Some(("key_usage_sign", Use::Sign)), None),
        Kind::Signs => (Unfit, Fit, Some(("key_usage_encrypt", Use::Encrypt)), None),
        Kind::Expired => (Unfit, Unfit, Some(("expired", Use::Both)), Some(reason::EXPIRED)),
        Kind::Revoked => (Unfit, Unfit, Some(("revoked", Use::Both)), Some(reason::REVOKED)),
        Kind::WrongPurpose => (Unfit, Unfit, Some(("extended_key_usage", Use::Both)), Some(reason::WRONG_PURPOSE)),
        Kind::OtherPerson => (Unfit, Unfit, Some(("address_other", Use::Both)), Some(reason::OTHER_PERSON)),
        Kind::Weak => (Unfit, Unfit, Some(("weak_key", Use::Both)), Some(reason::WEAK)),
        Kind::SignatureInvalid => (Unfit, Unfit, Some(("signature_invalid", Use::Both)), Some("signature_invalid")),
        Kind::Undetermined => (Open, Open, Some(("revocation_unknown", Use::Both)), Some(reason::UNDETERMINED)),
        Kind::Garbage => (Open, Open, Some(("not_a_certificate", Use::Both)), Some(reason::UNDETERMINED)),
    };
    let open = encrypt == Open;
    let mut bytes = format!("{attribute} {kind:?} {age_days} ").into_bytes();
    bytes.resize(bytes.len().max(size), b'.');
    let bytes: Arc<[u8]> = bytes.into();
    let sha256 = Sha256::of(&bytes);
    let certificate = (kind != Kind::Garbage).then(|| {
        Arc::new(CertificateSummary {
            thumbprint: sha256.to_string(),
            subject: format!("CN={kind:?}"),
            not_before_ms: NOW - age_days * DAY,
            not_after_ms: if kind == Kind::Expired { NOW - DAY / 2 } else { NOW + 300 * DAY },
        })
    });
    let severity = if open { Severity::Warn } else { Severity::Block };
    let verdict = Arc::new(Verdict {
        path_valid: encrypt == Fit || sign == Fit,
        encrypt,
        sign,
        address_match: None,
        address_exact: None,
        path: Vec::new(),
        findings: code.into_iter().map(|(code, concerns)| finding(code, severity, concerns)).collect(),
        needs: Vec::new(),
    });
    Value { attribute, sha256, bytes, certificate, verdict, reason: why }
}

fn policy() -> Policy {
    Policy::new(&config::Policy::default(), Undetermined::Keep, NOW)
}

fn recipient(is_dir_synced: bool, is_exchange_cloud_managed: bool) -> Recipient {
    Recipient {
        identity: "r".into(),
        class: RecipientClass::Mailbox,
        external_directory_object_id: None,
        display_name: None,
        user_principal_name: None,
        addresses: Address::parse("ann@x.test").into_iter().collect(),
        recipient_type_details: "UserMailbox".into(),
        is_dir_synced,
        is_exchange_cloud_managed,
        immutable_id: None,
        user_certificate: None,
        user_smime_certificate: None,
    }
}

fn before(values: &[Value]) -> Before {
    let of = |attribute| Some(values.iter().filter(|value| value.attribute == attribute).cloned().collect());
    Before { user_certificate: of(UC), user_smime_certificate: of(SMIME) }
}

fn ours(values: &[Value]) -> Ours {
    values.iter().map(|value| (value.attribute, value.sha256)).collect()
}

/// The scene of one plan; tests change what they are about.
struct Scene {
    recipient: Recipient,
    values: Vec<Value>,
    before: Before,
    ours: Ours,
    circumstances: Circumstances,
    policy: Policy,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |values: &[Value]| -> Vec<String> {
            values
                .iter()
                .map(|value| String::from_utf8_lossy(&value.bytes[..value.bytes.len().min(60)]).into())
                .collect()
        };
        let held: Vec<_> =
            Attribute::ALL.map(|attribute| text(self.before.values(attribute).unwrap_or_default())).into();
        write!(formatter, "directory {:?}\nexchange {held:?}\nours {:?}\n", text(&self.values), self.ours)?;
        write!(formatter, "{:?}\n{:?}", self.policy, self.circumstances)
    }
}

impl Scene {
    fn new(values: &[Value], held: &[Value], written: &[Value]) -> Self {
        Self {
            recipient: recipient(false, false),
            values: values.to_vec(),
            before: before(held),
            ours: ours(written),
            circumstances: Circumstances::default(),
            policy: policy(),
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            person: "p",
            recipient: &self.recipient,
            values: &self.values,
            before: &self.before,
            ours: &self.ours,
            circumstances: self.circumstances,
        }
    }

    fn plan(&self) -> Vec<Change> {
        plan_recipient(&self.subject(), &self.policy)
    }

    fn row(&self, attribute: Attribute) -> Change {
        self.plan().into_iter().find(|change| change.attribute == Some(attribute)).unwrap()
    }

    fn vanished(&self) -> Vec<Change> {
        plan_vanished(&self.subject(), &self.policy)
    }
}

fn reasons(items: &[Item]) -> Vec<(Sha256, &str)> {
    items.iter().map(|item| (item.sha256, item.reason.as_deref().unwrap_or("-"))).collect()
}

fn after(change: &Change) -> Vec<Sha256> {
    change.after.iter().map(|value| value.sha256).collect()
}

#[test]
fn fit_values_are_set_newest_first_and_the_others_lose_with_their_reason() {
    let (old, new) = (value(UC, Kind::Dual, 20, 0), value(UC, Kind::Dual, 10, 0));
    let expired = value(UC, Kind::Expired, 900, 0);
    let row = Scene::new(&[expired.clone(), old.clone(), new.clone(), old.clone()], &[], &[]).row(UC);
    assert_eq!((row.action, row.reason.clone()), (Action::Set, None));
    assert_eq!(after(&row), [new.sha256, old.sha256]);
    assert_eq!(reasons(&row.losers), [(old.sha256, reason::DUPLICATE), (expired.sha256, reason::EXPIRED)]);
    assert_eq!(row.primary_smtp_address.as_deref(), Some("ann@x.test"));
}

#[test]
fn what_is_there_already_costs_no_write() {
    let (old, new) = (value(UC, Kind::Dual, 20, 0), value(UC, Kind::Dual, 10, 0));
    let row = Scene::new(&[new.clone(), old.clone()], &[old, new], &[]).row(UC);
    assert_eq!(row.action, Action::None);
}

#[test]
fn the_best_fifteen_are_published_and_a_long_one_loses() {
    let mut values: Vec<_> = (1..=20).map(|age| value(UC, Kind::Dual, age, 0)).collect();
    values.push(value(UC, Kind::Dual, 0, 40_000));
    let row = Scene::new(&values, &[], &[]).row(UC);
    assert_eq!(row.after.len(), 15);
    assert_eq!(row.after[0].sha256, values[0].sha256);
    assert_eq!(row.losers.len(), 6);
    assert!(reasons(&row.losers).iter().all(|(_, reason)| *reason == reason::OVER_LIMIT));
}

#[test]
fn the_only_one_to_encrypt_with_is_not_crowded_out() {
    let mut values: Vec<_> = (1..=20).map(|age| value(UC, Kind::Signs, age, 0)).collect();
    values.push(value(UC, Kind::Encrypts, 100, 0));
    let row = Scene::new(&values, &[], &[]).row(UC);
    assert_eq!(row.after.len(), 15);
    assert_eq!(row.after[14].sha256, values[20].sha256);
}

#[test]
fn a_value_to_sign_with_does_not_hide_one_to_encrypt_with() {
    let (good, signs) = (value(UC, Kind::Dual, 10, 0), value(SMIME, Kind::Signs, 5, 0));
    let scene =
        Scene::new(&[good.clone(), signs.clone()], &[good.clone(), signs.clone()], std::slice::from_ref(&signs));
    let row = scene.row(SMIME);
    assert_eq!((row.action, row.reason.as_deref()), (Action::Clear, Some(reason::HIDES_BETTER)));
    assert!(!row.loses_last);

    let foreign = Scene::new(&[good.clone(), signs.clone()], &[good.clone(), signs.clone()], &[]).row(SMIME);
    assert_eq!(foreign.action, Action::None);
    assert_eq!(reasons(&foreign.losers), [(signs.sha256, reason::HIDES_BETTER)]);

    let encrypts = value(SMIME, Kind::Encrypts, 50, 0);
    let dual = Scene::new(&[good, signs.clone(), encrypts.clone()], &[], &[]).row(SMIME);
    assert_eq!(after(&dual), [signs.sha256, encrypts.sha256]);
}

#[test]
fn a_value_to_sign_with_is_published_beside_a_foreign_one_to_encrypt_with() {
    let (good, signs) = (value(UC, Kind::Dual, 10, 0), value(SMIME, Kind::Signs, 5, 0));
    let foreign = value(SMIME, Kind::Encrypts, 20, 0);
    let row = Scene::new(&[good, signs.clone()], std::slice::from_ref(&foreign), &[]).row(SMIME);
    assert_eq!(after(&row), [signs.sha256, foreign.sha256]);
}

#[test]
fn a_value_that_goes_itself_saves_none_to_sign_with() {
    let (good, signs) = (value(UC, Kind::Dual, 10, 0), value(SMIME, Kind::Signs, 5, 0));
    let long = value(SMIME, Kind::Dual, 20, 40_000);
    let mut scene =
        Scene::new(&[good.clone(), signs, long.clone()], &[good, long.clone()], std::slice::from_ref(&long));
    scene.circumstances.scope_changed = true;
    let row = scene.row(SMIME);
    assert_eq!((row.action, row.reason.as_deref()), (Action::Clear, Some(reason::OVER_LIMIT)));
}

#[test]
fn only_who_has_nothing_left_and_is_written_loses_the_last_one() {
    let (held, stale) = (value(UC, Kind::Dual, 5, 0), value(SMIME, Kind::Expired, 900, 0));
    let losing = |scene: &Scene| scene.plan().iter().map(|change| change.loses_last).collect::<Vec<_>>();
    let both = Scene::new(&[], &[held.clone(), stale.clone()], std::slice::from_ref(&held));
    assert_eq!(losing(&both), [true, true]);
    assert_eq!(Plan::new(both.plan()).people_losing_last(), 1);
    assert_eq!(Plan::new(both.plan()).recipients_losing(), 1);
    let one = Scene::new(&[], std::slice::from_ref(&held), std::slice::from_ref(&held));
    assert_eq!(losing(&one), [true, false]);
    let other_stays = Scene::new(&[], &[held.clone(), stale.clone()], &[]);
    assert_eq!(losing(&other_stays), [false, false]);
    let mut unreadable = Scene::new(&[], std::slice::from_ref(&stale), &[]);
    unreadable.before.user_certificate = None;
    assert_eq!(unreadable.row(SMIME).action, Action::Clear);
    assert_eq!(losing(&unreadable), [false, false]);
    let mut dir_synced = both;
    dir_synced.recipient = recipient(true, false);
    assert_eq!(losing(&dir_synced), [false, false]);
}

#[test]
fn an_undetermined_value_stays_whatever_reason_it_is_given() {
    let odd = Value { reason: Some(reason::EXPIRED), ..value(UC, Kind::Undetermined, 5, 0) };
    for values in [vec![], vec![odd.clone()]] {
        assert_eq!(Scene::new(&values, std::slice::from_ref(&odd), &[]).row(UC).action, Action::None);
    }
}

#[test]
fn a_foreign_value_that_stays_in_front_is_named() {
    let (good, weak) = (value(UC, Kind::Dual, 10, 0), value(SMIME, Kind::Weak, 5, 0));
    let mut scene = Scene::new(&[good], std::slice::from_ref(&weak), &[]);
    let row = scene.row(SMIME);
    assert_eq!((row.action, row.reason), (Action::None, None));
    assert_eq!(reasons(&row.losers), [(weak.sha256, reason::HIDES_BETTER)]);
    scene.policy.attributes = vec![UC];
    assert_eq!(reasons(&scene.row(UC).losers), [(weak.sha256, reason::HIDES_BETTER)]);
}

#[test]
fn an_expired_smime_value_beside_a_good_certificate_goes_whoever_wrote_it() {
    let (good, stale) = (value(UC, Kind::Dual, 10, 0), value(SMIME, Kind::Expired, 900, 0));
    for values in [vec![good.clone()], vec![good.clone(), stale.clone()]] {
        let row = Scene::new(&values, std::slice::from_ref(&stale), &[]).row(SMIME);
        assert_eq!((row.action, row.reason.as_deref()), (Action::Clear, Some(reason::EXPIRED)));
    }
}

#[test]
fn newest_publishes_one_for_each_use() {
    let [a, b, c] = [value(UC, Kind::Signs, 1, 0), value(UC, Kind::Dual, 2, 0), value(UC, Kind::Dual, 3, 0)];
    let mut scene = Scene::new(&[a.clone(), b.clone(), c.clone()], std::slice::from_ref(&c), std::slice::from_ref(&c));
    scene.policy.publish = Publish::Newest;
    let row = scene.row(UC);
    assert_eq!(after(&row), [a.sha256, b.sha256]);
    assert_eq!(reasons(&row.losers), [(c.sha256, reason::NEWER_CHOSEN)]);
    assert_eq!(reasons(&row.removed), [(c.sha256, reason::HIDES_BETTER)]);
    scene.ours.clear();
    assert_eq!(after(&scene.row(UC)), [a.sha256, b.sha256, c.sha256]);
}

#[test]
fn foreign_values_go_for_four_reasons_only() {
    for kind in KINDS {
        let held = value(UC, kind, 5, 0);
        let goes = matches!(kind, Kind::Expired | Kind::Revoked | Kind::WrongPurpose | Kind::OtherPerson);
        let row = Scene::new(&[], std::slice::from_ref(&held), &[]).row(UC);
        assert_eq!(row.action, if goes { Action::Clear } else { Action::None }, "{kind:?}");
        let mut scene = Scene::new(&[], std::slice::from_ref(&held), &[]);
        scene.policy.foreign = Foreign::Replace;
        assert_eq!(scene.row(UC).action, Action::Clear, "{kind:?}");
    }
}

#[test]
fn what_smimesync_wrote_goes_when_the_directory_no_longer_has_it() {
    let held = value(UC, Kind::Dual, 5, 0);
    let mut scene = Scene::new(&[], std::slice::from_ref(&held), std::slice::from_ref(&held));
    let row = scene.row(UC);
    assert_eq!((row.action, row.reason.as_deref(), row.loses_last), (Action::Clear, Some(reason::VANISHED), true));
    for circumstances in [
        Circumstances { scope_changed: true, ..Circumstances::default() },
        Circumstances { additions_only: true, ..Circumstances::default() },
    ] {
        scene.circumstances = circumstances;
        assert_eq!(scene.row(UC).action, Action::None, "{circumstances:?}");
    }
    // whether it is gone cannot be said, which the row says
    scene.circumstances = Circumstances { complete: false, ..Circumstances::default() };
    let row = scene.row(UC);
    assert_eq!((row.action, row.reason.as_deref(), row.removed.len()), (Action::Skip, Some(reason::UNREAD), 0));
}

#[test]
fn the_same_bytes_in_the_other_attribute_are_not_ours() {
    let held = value(UC, Kind::Dual, 5, 0);
    let mut scene = Scene::new(&[], std::slice::from_ref(&held), &[]);
    scene.ours.insert((SMIME, held.sha256));
    assert_eq!(scene.row(UC).action, Action::None);
}

#[test]
fn kept_values_come_before_new_ones_for_room() {
    let kept: Vec<_> = (1..=14).map(|age| value(UC, Kind::Weak, age, 0)).collect();
    let (new, newer) = (value(UC, Kind::Dual, 9, 0), value(UC, Kind::Dual, 8, 0));
    let row = Scene::new(&[new.clone(), newer.clone()], &kept, &[]).row(UC);
    assert_eq!(row.after.len(), 15);
    assert_eq!(reasons(&row.losers), [(new.sha256, reason::NO_ROOM)]);
    assert_eq!(row.added.iter().map(|item| item.sha256).collect::<Vec<_>>(), [newer.sha256]);
}

#[test]
fn undetermined_values_stay_are_not_added_and_may_be_accepted() {
    let [open, garbage] = [value(UC, Kind::Undetermined, 5, 0), value(UC, Kind::Garbage, 5, 0)];
    let values = [open.clone(), garbage.clone()];
    assert_eq!(Scene::new(&values, &[], &[]).row(UC).action, Action::None);
    assert_eq!(Scene::new(&values, &values, &values).row(UC).action, Action::None);
    let mut scene = Scene::new(&values, &[], &[]);
    scene.policy.undetermined = Undetermined::Accept;
    assert_eq!(after(&scene.row(UC)), [open.sha256]);
    assert_eq!(reasons(&scene.row(UC).losers), [(garbage.sha256, reason::UNDETERMINED)]);
    scene.policy.undetermined = Undetermined::Reject;
    assert_eq!(scene.row(UC).action, Action::None);
}

#[test]
fn what_cannot_be_read_is_skipped() {
    let mut scene = Scene::new(&[value(UC, Kind::Dual, 1, 0)], &[], &[]);
    scene.before.user_certificate = None;
    let row = scene.row(UC);
    assert_eq!((row.action, row.reason.as_deref()), (Action::Skip, Some(reason::UNREADABLE)));
    assert!(row.after.is_empty() && row.added.is_empty());
}

#[test]
fn dir_synced_and_held_recipients_are_not_written() {
    let new = value(UC, Kind::Dual, 1, 0);
    let mut scene = Scene::new(std::slice::from_ref(&new), &[], &[]);
    scene.recipient = recipient(true, false);
    let row = scene.row(UC);
    assert_eq!((row.action, row.reason.as_deref()), (Action::Skip, Some(reason::DIR_SYNCED)));
    assert_eq!(after(&row), [new.sha256]);
    assert_eq!(scene.row(SMIME).action, Action::None);
    scene.recipient = recipient(true, true);
    assert_eq!(scene.row(UC).action, Action::Set);
    scene.recipient = recipient(true, false);
    scene.policy.write_dir_synced = true;
    assert_eq!(scene.row(UC).action, Action::Set);
    scene.circumstances.held = true;
    assert_eq!(scene.row(UC).reason.as_deref(), Some(reason::HELD));
}

#[test]
fn of_a_person_who_vanished_only_what_smimesync_wrote_goes() {
    let (mine, foreign) = (value(UC, Kind::Dual, 1, 0), value(UC, Kind::Expired, 900, 0));
    let mut scene = Scene::new(&[], &[mine.clone(), foreign.clone()], std::slice::from_ref(&mine));
    let row = scene.vanished().remove(0);
    assert_eq!((row.action, after(&row)), (Action::Set, vec![foreign.sha256]));
    assert_eq!(reasons(&row.removed), [(mine.sha256, reason::VANISHED)]);
    scene.circumstances.scope_changed = true;
    let row = scene.vanished().remove(0);
    assert_eq!((row.action, row.reason.as_deref()), (Action::Skip, Some(reason::SCOPE_CHANGED)));
    scene.circumstances = Circumstances { additions_only: true, ..Circumstances::default() };
    assert_eq!(scene.vanished()[0].action, Action::None);
}

#[test]
fn senders_take_the_smime_attribute_first_and_do_not_fall_back() {
    let [good, stale, signs] =
        [value(UC, Kind::Dual, 1, 0), value(SMIME, Kind::Expired, 900, 0), value(SMIME, Kind::Signs, 2, 0)];
    let pick = |values: &[&Value]| senders_pick(values, NOW).map(|value| value.sha256);
    assert_eq!(pick(&[&good]), Some(good.sha256));
    assert_eq!(pick(&[&good, &stale]), Some(stale.sha256));
    assert_eq!(pick(&[&good, &signs]), Some(signs.sha256));
    let encrypts = value(SMIME, Kind::Encrypts, 3, 0);
    assert_eq!(pick(&[&good, &stale, &signs, &encrypts]), Some(encrypts.sha256));
    assert_eq!(pick(&[&value(UC, Kind::Signs, 2, 0)]), None);
    assert_eq!(pick(&[&good, &value(SMIME, Kind::Garbage, 2, 0)]), Some(good.sha256));
}

#[test]
fn a_plan_is_numbered_the_same_whatever_order_it_was_made_in() {
    let mut changes = Scene::new(&[value(UC, Kind::Dual, 1, 0)], &[], &[]).plan();
    let forward = Plan::new(changes.clone());
    changes.reverse();
    assert_eq!(Plan::new(changes), forward);
    assert_eq!(forward.changes.iter().map(|change| change.number).collect::<Vec<_>>(), [1, 2]);
}

/// Any directory, any Exchange, any policy: values come from one small pool, so that both sides share some.
fn any_scene() -> impl Strategy<Value = Scene> {
    let one = (any::<bool>(), 0..KINDS.len(), 1..12_i64, any::<bool>()).prop_map(|(smime, kind, age, long)| {
        value(if smime { SMIME } else { UC }, KINDS[kind], age, if long && age == 1 { 40_000 } else { 0 })
    });
    let pool = proptest::collection::vec((one, 0..8_u8), 0..40);
    let knobs = (1..20_usize, any::<bool>(), any::<bool>(), 0..3_usize, any::<[bool; 5]>(), 0..4_usize);
    (pool, knobs).prop_map(|(pool, (max_values, newest, replace, undetermined, flags, attributes))| {
        let with = |bit: u8| -> Vec<Value> {
            pool.iter().filter(|(_, bits)| bits & bit != 0).map(|(value, _)| value.clone()).collect()
        };
        let (values, held, written) = (with(1), with(2), with(4));
        let mut scene = Scene::new(&values, &held, &written);
        scene.policy = Policy {
            attributes: match attributes {
                0 => vec![UC],
                1 => vec![SMIME],
                _ => vec![UC, SMIME],
            },
            max_values,
            publish: if newest { Publish::Newest } else { Publish::Fit },
            foreign: if replace { Foreign::Replace } else { Foreign::Keep },
            undetermined: [Undetermined::Keep, Undetermined::Accept, Undetermined::Reject][undetermined],
            write_dir_synced: flags[4],
            ..policy()
        };
        scene.recipient = recipient(flags[3], false);
        scene.circumstances =
            Circumstances { complete: !flags[0], scope_changed: flags[1], additions_only: flags[2], held: false };
        scene
    })
}

/// What Exchange and the store hold once the plan is carried out.
fn apply(scene: &mut Scene, changes: &[Change]) {
    let known: Vec<Value> = scene
        .values
        .iter()
        .chain(scene.before.user_certificate.iter().flatten())
        .chain(scene.before.user_smime_certificate.iter().flatten())
        .cloned()
        .collect();
    for change in changes.iter().filter(|change| change.action.writes()) {
        let attribute = change.attribute.unwrap();
        let now: Vec<Value> = change
            .after
            .iter()
            .map(|raw| {
                known.iter().find(|value| value.sha256 == raw.sha256 && value.attribute == attribute).unwrap().clone()
            })
            .collect();
        match attribute {
            Attribute::UserCertificate => scene.before.user_certificate = Some(now),
            Attribute::UserSmimeCertificate => scene.before.user_smime_certificate = Some(now),
            Attribute::IssuingCertificates => unreachable!("no recipient has it"),
        }
        scene.ours.extend(change.added.iter().map(|item| (attribute, item.sha256)));
        for item in &change.removed {
            scene.ours.remove(&(attribute, item.sha256));
        }
    }
}

fn digests<'a>(values: impl IntoIterator<Item = &'a Sha256>) -> BTreeSet<Sha256> {
    values.into_iter().copied().collect()
}

fn shuffle(values: &mut [Value], turn: usize) {
    if !values.is_empty() {
        let by = turn % values.len();
        values.rotate_left(by);
        values[by..].reverse();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(mut scene in any_scene()) {
        let first = scene.plan();
        apply(&mut scene, &first);
        for change in scene.plan() {
            let skipped = matches!(change.reason.as_deref(), Some(reason::DIR_SYNCED | reason::UNREAD));
            prop_assert!(change.action == Action::None || skipped, "{:?}", change);
        }
    }

    #[test]
    fn nothing_goes_without_a_reason_of_the_closed_list(scene in any_scene()) {
        for change in scene.plan().into_iter().chain(scene.vanished()) {
            let attribute = change.attribute.unwrap();
            prop_assert!(change.removed.is_empty() || !scene.circumstances.additions_only);
            for item in &change.removed {
                let why = item.reason.as_deref().unwrap();
                prop_assert!(reason::REMOVING.contains(&why), "{}", why);
                let foreign = !scene.ours.contains(&(attribute, item.sha256));
                if foreign && scene.policy.foreign == Foreign::Keep {
                    prop_assert!(reason::REMOVING_FOREIGN.contains(&why), "{}", why);
                }
                let named = scene.values.iter().find(|value| value.sha256 == item.sha256);
                let open = named.is_some_and(|value| value.verdict.fitness() == Fitness::Undetermined);
                let refused = scene.policy.undetermined != Undetermined::Accept;
                prop_assert!(!(open && refused) || why == reason::VANISHED, "undetermined removed for {}", why);
            }
            let before = digests(change.before.iter().map(|value| &value.sha256));
            let after = digests(change.after.iter().map(|value| &value.sha256));
            let removed = digests(change.removed.iter().map(|item| &item.sha256));
            let added = digests(change.added.iter().map(|item| &item.sha256));
            prop_assert_eq!(before.difference(&after).copied().collect::<BTreeSet<_>>(), removed);
            prop_assert_eq!(after.difference(&before).copied().collect::<BTreeSet<_>>(), added);
        }
    }

    #[test]
    fn nothing_undetermined_in_the_directory_is_taken_away(mut scene in any_scene()) {
        scene.policy.undetermined = Undetermined::Keep;
        for change in scene.plan() {
            for item in &change.removed {
                let same = |value: &&Value| value.sha256 == item.sha256 && Some(value.attribute) == change.attribute;
                if let Some(value) = scene.values.iter().find(same) {
                    prop_assert!(value.verdict.fitness() != Fitness::Undetermined);
                }
            }
        }
    }

    #[test]
    fn nothing_is_added_above_the_limit(scene in any_scene()) {
        for change in scene.plan() {
            prop_assert!(change.after.len() <= scene.policy.max_values || change.added.is_empty(), "{:?}", change);
            let short = |sha256| change.after.iter().any(|raw| raw.sha256 == sha256 && raw.bytes.len() <= 32_768);
            prop_assert!(change.added.iter().all(|item| short(item.sha256)));
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(mut scene in any_scene(), turn in 0..40_usize) {
        let first = scene.plan();
        shuffle(&mut scene.values, turn);
        prop_assert_eq!(scene.plan(), first.clone());
        // Exchange's own order is kept in before and, where nothing is written, in after; it decides nothing else
        let decided = |changes: Vec<Change>| -> Vec<_> {
            let of = |change: Change| {
                let after = digests(change.after.iter().map(|value| &value.sha256));
                (change.action, change.reason, after, change.added, change.removed, change.loses_last)
            };
            changes.into_iter().map(of).collect()
        };
        scene.before.user_certificate.iter_mut().for_each(|values| shuffle(values, turn));
        scene.before.user_smime_certificate.iter_mut().for_each(|values| shuffle(values, turn));
        prop_assert_eq!(decided(scene.plan()), decided(first));
    }

    #[test]
    fn recipients_mastered_on_premises_are_never_written(mut scene in any_scene()) {
        scene.recipient = recipient(true, false);
        scene.policy.write_dir_synced = false;
        for change in scene.plan().into_iter().chain(scene.vanished()) {
            prop_assert!(!change.action.writes());
        }
    }

    #[test]
    fn every_value_of_the_directory_is_published_or_has_a_reason(scene in any_scene()) {
        for change in scene.plan() {
            let attribute = change.attribute.unwrap();
            for value in scene.values.iter().filter(|value| value.attribute == attribute) {
                let lost = change.losers.iter().any(|item| item.sha256 == value.sha256 && item.reason.is_some());
                let held = change.after.iter().any(|raw| raw.sha256 == value.sha256);
                prop_assert!(lost || held);
            }
        }
    }

    #[test]
    fn what_senders_will_pick_is_fit_or_named(mut scene in any_scene()) {
        scene.policy.max_values = 1000;
        scene.policy.attributes = vec![UC, SMIME];
        scene.recipient = recipient(false, false);
        let before = scene.before.clone();
        let changes = scene.plan();
        let publishable = [UC, SMIME].into_iter().any(|attribute| {
            let selection = select(attribute, &scene.values, &scene.policy, false);
            selection.chosen.iter().any(|value| scene.policy.counts_as_fit(value, Use::Encrypt))
        });
        apply(&mut scene, &changes);
        let after: Vec<&Value> =
            scene.before.user_certificate.iter().flatten().chain(scene.before.user_smime_certificate.iter().flatten()).collect();
        let pick = senders_pick(&after, NOW);
        if !publishable {
            return Ok(());
        }
        let pick = pick.unwrap();
        if !scene.policy.counts_as_fit(pick, Use::Encrypt) {
            // only what was there before and may not be removed stands in front, and its row names it
            let stayed = before.values(pick.attribute).unwrap().iter().any(|value| value.sha256 == pick.sha256);
            prop_assert!(stayed, "{:?}", pick);
            let row = changes.iter().find(|change| change.attribute == Some(pick.attribute)).unwrap();
            prop_assert!(row.losers.iter().any(|item| item.sha256 == pick.sha256), "{:?}", row);
        }
    }
}
