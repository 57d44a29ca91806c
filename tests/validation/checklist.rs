//! What a tenant would say, what Windows reads besides, and what the values of one person say together.

use rcgen::{CertificateParams, CrlDistributionPoint, CustomExtension, KeyUsagePurpose, SanType, date_time_ymd};
use smimesync::certificate::{Attribute, Certificate};
use smimesync::validation::lints::{self, Choice};
use smimesync::validation::{Evidence, Fitness, Held, Tenant, Verdict, judge_together, reason};

use crate::pki::{ADDRESS, Authority, NOW, ca_params, codes, evidence, person_params, rules, verdict, verdict_for};
use crate::raw::{sequence, tlv};

const UC: Attribute = Attribute::UserCertificate;
const SMIME: Attribute = Attribute::UserSmimeCertificate;

fn lists(params: &mut CertificateParams, urls: &[&str]) {
    let urls = urls.iter().map(|&url| url.to_owned()).collect();
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: urls }];
}

/// Root, issuing authority and Ann, whose CRLs everybody can reach.
fn public_chain() -> (Authority, Authority, Certificate) {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    lists(&mut params, &["http://crl.contoso.com/root.crl"]);
    let issuing = root.child_of(params);
    let ann = issuing.person(|params| lists(params, &["http://crl.contoso.com/issuing.crl"]));
    (root, issuing, ann)
}

fn with_tenant(mut trust: Evidence, store: &[&Certificate]) -> Evidence {
    trust.set_tenant(Tenant::new(store.iter().map(|&certificate| certificate.clone()).collect()));
    trust
}

#[test]
fn a_tenant_knows_its_own_collection_alone() {
    let (root, issuing, ann) = public_chain();
    let found = |store: &[&Certificate]| {
        let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
        verdict(&ann, &with_tenant(trust, store), &rules())
    };
    let whole = found(&[&issuing.certificate, &root.certificate]);
    assert_eq!((codes(&whole), whole.fitness()), (vec![], Fitness::Fit));
    for (store, lacks) in [(&root.certificate, "CN=Issuing"), (&issuing.certificate, "CN=Root")] {
        let part = found(&[store]);
        assert_eq!(codes(&part), ["tenant_chain"]);
        assert_eq!(part.findings[0].observed.as_deref(), Some(lacks));
        // nothing to remove a certificate for
        assert_eq!((part.path_valid, part.fitness()), (true, Fitness::Undetermined));
        assert_eq!(reason(&part), Some("tenant_chain"));
    }
    assert_eq!(codes(&found(&[])), ["tenant_chain"]);
}

#[test]
fn an_expired_authority_in_a_tenants_collection_is_named() {
    let (root, issuing, ann) = public_chain();
    let mut params = root.params.clone();
    params.not_after = date_time_ymd(2026, 2, 1);
    let expired = Certificate::parse(params.self_signed(&root.key).unwrap().der()).unwrap();
    let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
    let found = verdict(&ann, &with_tenant(trust, &[&issuing.certificate, &expired]), &rules());
    assert_eq!((codes(&found), found.fitness()), (vec!["tenant_store_expired"], Fitness::Fit));
    assert_eq!(found.findings[0].observed.as_deref(), Some("CN=Root"));
    // it cannot be uploaded with one that nobody needs, either
    let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
    let store = [&issuing.certificate, &root.certificate, &expired];
    let found = verdict(&ann, &with_tenant(trust, &store), &rules());
    assert_eq!((codes(&found), found.fitness()), (vec!["tenant_store_expired"], Fitness::Fit));
}

#[test]
fn a_tenant_reads_crls_from_public_addresses() {
    let (root, issuing, _) = public_chain();
    let judged = |change: &dyn Fn(&mut CertificateParams), tenant: bool| {
        let ann = issuing.person(|params| change(params));
        let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
        let trust = if tenant { with_tenant(trust, &[&issuing.certificate, &root.certificate]) } else { trust };
        (verdict(&ann, &trust, &rules()), ann)
    };
    let internal =
        |params: &mut CertificateParams| lists(params, &["ldap:///CN=CA", "http://pki.contoso.local/ca.crl"]);
    let (found, ann) = judged(&internal, true);
    assert_eq!((codes(&found), found.fitness()), (vec!["crl_not_public"], Fitness::Fit));
    assert_eq!(found.findings[0].observed.as_deref(), Some("ldap:///CN=CA, http://pki.contoso.local/ca.crl"));
    // the lint that says the same is silent then
    let linted = |mut verdict: Verdict| {
        lints::add(&mut verdict, &ann, Choice::Auto);
        codes(&verdict).contains(&"lint_crl_points_internal")
    };
    assert!(!linted(found) && linted(judged(&internal, false).0));
    let one = |params: &mut CertificateParams| lists(params, &["ldap:///CN=CA", "http://crl.contoso.com/ca.crl"]);
    assert_eq!(codes(&judged(&one, true).0), Vec::<&str>::new());
    assert_eq!(codes(&judged(&|_| {}, true).0), ["crl_none"]);
    assert_eq!(codes(&judged(&|_| {}, false).0), Vec::<&str>::new());
    // noRevAvail: there is none, and none is needed
    let never = |params: &mut CertificateParams| {
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 56], vec![5, 0]));
    };
    assert_eq!(codes(&judged(&never, true).0), Vec::<&str>::new());
}

#[test]
fn the_authorities_of_a_path_need_crls_too_and_the_anchor_none() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let ann = issuing.person(|params| lists(params, &["http://10.0.0.1/ca.crl"]));
    let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
    let found = verdict(&ann, &with_tenant(trust, &[&issuing.certificate, &root.certificate]), &rules());
    let places: Vec<_> = found.findings.iter().map(|finding| (finding.code, finding.certificate_index)).collect();
    assert_eq!(places, [("crl_not_public", Some(0)), ("crl_none", Some(1))]);
}

/// Microsoft's application policies of one purpose.
fn application_policies(purpose: &[u8]) -> CustomExtension {
    let value = sequence(&[&sequence(&[&tlv(6, purpose)])]);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 311, 21, 10], value)
}

#[test]
fn windows_reads_application_policies_besides() {
    const MAIL: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];
    const FILES: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 4];
    const ALL: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 12, 1];
    let found = |leaf: &[u8], issuer: &[u8]| {
        let root = Authority::root("Root");
        let mut params = ca_params("Issuing");
        params.custom_extensions.push(application_policies(issuer));
        let issuing = root.child_of(params);
        let ann = issuing.person(|params| params.custom_extensions.push(application_policies(leaf)));
        let found = verdict(&ann, &evidence(&[&root.certificate], &[&issuing.certificate], &[]), &rules());
        assert_eq!(found.fitness(), Fitness::Fit, "only Windows minds");
        codes(&found)
    };
    assert_eq!(found(MAIL, ALL), Vec::<&str>::new());
    assert_eq!(found(FILES, MAIL), ["application_policies"]);
    assert_eq!(found(MAIL, FILES), ["issuer_application_policies"]);
}

/// Certificates of Ann in the order of her values, judged alone and then together; the codes of each and, behind a
/// colon, who picks it.
fn together(values: &[(Attribute, &Certificate)], root: &Authority) -> Vec<Vec<String>> {
    let trust = evidence(&[&root.certificate], &[], &[]);
    let mut verdicts: Vec<Verdict> = values.iter().map(|(_, found)| verdict(found, &trust, &rules())).collect();
    let alone: Vec<_> = verdicts.iter().map(|verdict| (verdict.encrypt, verdict.sign)).collect();
    let held = |&(attribute, certificate): &(Attribute, &'_ Certificate)| (attribute, certificate.der.len());
    let held: Vec<Held<'_>> = values
        .iter()
        .map(|value| Held { attribute: held(value).0, certificate: Some(value.1), length: held(value).1 })
        .collect();
    judge_together(&held, &mut verdicts, NOW);
    assert_eq!(alone, verdicts.iter().map(|verdict| (verdict.encrypt, verdict.sign)).collect::<Vec<_>>());
    let said = |finding: &smimesync::validation::Finding| match (finding.code, &finding.observed) {
        (code, Some(clients)) if code.starts_with("picked") => format!("{code}: {clients}"),
        (code, _) => code.to_owned(),
    };
    verdicts.iter().map(|verdict| verdict.findings.iter().map(said).collect()).collect()
}

fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2025, 1, 1);
}

fn usage(usage: KeyUsagePurpose) -> impl Fn(&mut CertificateParams) {
    move |params| params.key_usages = vec![usage]
}

#[test]
fn a_stale_value_hides_a_good_one_from_outlook() {
    let root = Authority::root("Root");
    let (good, stale) = (root.person(|_| {}), root.person(expired));
    let found = together(&[(UC, &good), (SMIME, &stale)], &root);
    assert_eq!(found[0], ["hidden_by_stale", "picked_to_sign: OWA"]);
    assert_eq!(found[1], ["expired", "hides_better", "picked_to_encrypt: Outlook"]);
    // in userCertificate Outlook passes an expired one over
    let found = together(&[(UC, &stale), (UC, &good)], &root);
    assert_eq!(found[0], ["expired"]);
    assert_eq!(found[1], ["picked_to_encrypt: Outlook, OWA", "picked_to_sign: OWA"]);
    // with nothing better behind it, it hides nothing
    assert_eq!(together(&[(SMIME, &stale)], &root), [["expired"]]);
}

#[test]
fn of_several_certificates_the_picks_are_named() {
    let root = Authority::root("Root");
    let newer = root.person(|params| params.not_before = date_time_ymd(2026, 3, 1));
    let older = root.person(|_| {});
    // Outlook takes the first, the web the newest
    let found = together(&[(UC, &older), (UC, &newer)], &root);
    assert_eq!(found[0], ["picked_to_encrypt: Outlook"]);
    assert_eq!(found[1], ["picked_to_encrypt: OWA", "picked_to_sign: OWA"]);
    // published twice is not several
    let found = together(&[(UC, &newer), (SMIME, &newer)], &root);
    assert_eq!(found, [Vec::<String>::new(), Vec::new()]);
    // the web looks at addresses, Outlook does not
    let bobs = SanType::Rfc822Name("bob@contoso.com".try_into().unwrap());
    let bob = root.person(|params| params.subject_alt_names = vec![bobs]);
    let found = together(&[(UC, &bob), (UC, &older)], &root);
    assert_eq!(found[0], ["address_other", "hides_better", "picked_to_encrypt: Outlook"]);
    assert_eq!(found[1], ["hidden_by_stale", "picked_to_encrypt: OWA", "picked_to_sign: OWA"]);
}

#[test]
fn who_signs_should_be_encrypted_to() {
    let root = Authority::root("Root");
    let signs = root.person(usage(KeyUsagePurpose::DigitalSignature));
    let encrypts = root.person(usage(KeyUsagePurpose::KeyAgreement));
    let found = together(&[(UC, &signs)], &root);
    assert_eq!(found, [["key_usage_encrypt", "person_without_encryption"]]);
    let found = together(&[(UC, &signs), (UC, &encrypts)], &root);
    assert_eq!(found[0], ["key_usage_encrypt", "picked_to_sign: OWA"]);
    assert_eq!(found[1], ["key_usage_sign", "picked_to_encrypt: Outlook, OWA"]);
}

#[test]
fn directories_take_so_much_and_no_more() {
    let root = Authority::root("Root");
    let many: Vec<Certificate> =
        (0..17).map(|day| root.person(|params| params.not_before = date_time_ymd(2026, 1, 20 - day))).collect();
    let values: Vec<_> = many.iter().map(|certificate| (UC, certificate)).collect();
    let over = |found: &[Vec<String>]| {
        let over = |codes: &Vec<String>| codes.iter().any(|code| code == "values_over_limit");
        found.iter().enumerate().filter(|(_, codes)| over(codes)).map(|(place, _)| place).collect::<Vec<_>>()
    };
    assert_eq!(over(&together(&values[..15], &root)), Vec::<usize>::new());
    assert_eq!(over(&together(&values, &root)), [15, 16], "the oldest");
    let ann = &many[0];
    let length = |length: usize| {
        let mut verdicts = [verdict(ann, &evidence(&[&root.certificate], &[], &[]), &rules())];
        judge_together(&[Held { attribute: SMIME, certificate: Some(ann), length }], &mut verdicts, NOW);
        codes(&verdicts[0])
    };
    assert_eq!(length(32_768), Vec::<&str>::new());
    assert_eq!(length(32_769), ["value_too_long"]);
}

/// An address with letters outside ASCII in front of this domain, as SmtpUTF8Mailbox.
fn mailbox(domain: &str) -> SanType {
    let address = rcgen::OtherNameValue::Utf8String(format!("änne@{domain}"));
    SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 9], address))
}

#[test]
fn domains_of_international_mailboxes_are_compared_as_a_labels() {
    let root = Authority::root("Root");
    let trust = evidence(&[&root.certificate], &[], &[]);
    let (a_label, u_label) = ("xn--mnchen-3ya.example", "münchen.example");
    // RFC 9598 writes A-labels, RFC 8398 wrote U-labels
    for written in [a_label, u_label, "XN--MNCHEN-3ya.Example"] {
        let mut params = person_params(ADDRESS);
        params.subject_alt_names = vec![mailbox(written)];
        let ann = root.issue(&params, &crate::pki::key());
        for asked in [a_label, u_label, "MÜNCHEN.example", "mu\u{308}nchen.example"] {
            let found = verdict_for(&[&format!("änne@{asked}")], &ann, &trust, &rules());
            assert_eq!((codes(&found), found.address_exact), (vec![], Some(true)), "{written} and {asked}");
        }
        let other = verdict_for(&["änne@munchen.example"], &ann, &trust, &rules());
        assert_eq!(codes(&other), ["address_other"], "{written}");
    }
}
