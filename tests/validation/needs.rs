//! What verdicts say they need: no more than could help, nothing that failed already, and never without bounds.

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose};
use smimesync::certificate::{Certificate, Crl, Sha256};
use smimesync::validation::{Evidence, Fitness, Need, RevocationCheck, Rules, Verdict};

use crate::answer::{Answer, GOOD};
use crate::pki::{Authority, NOW, ca_params, codes, evidence, rules, verdict};
use crate::raw::{List, access, custom, point, points, tlv, uri};

const LIST: &str = "http://pki.contoso.com/root.crl";
const SECOND: &str = "ldap:///CN=Root,CN=CDP?certificateRevocationList?base?objectClass=cRLDistributionPoint";
const CHANGES: &str = "http://pki.contoso.com/root+.crl";
const RESPONDER: &str = "http://ocsp.contoso.com/";
const ISSUER: &str = "http://pki.contoso.com/issuing.cer";
/// Reasons of RFC 5280 4.2.1.13: keyCompromise alone, and all others.
const KEY_COMPROMISE: &[u8] = &[6, 0x40];
const OTHERS: &[u8] = &[7, 0x3f, 0x80];

fn online() -> Rules {
    Rules { revocation: RevocationCheck::Online, fetch_issuers: true, ..rules() }
}

/// A person's certificate with these extensions.
fn ann(root: &Authority, extensions: Vec<CustomExtension>) -> Certificate {
    root.person(|params| params.custom_extensions = extensions)
}

fn lists(urls: &[&str]) -> CustomExtension {
    custom(31, points(&urls.iter().map(|url| point(&uri(url))).collect::<Vec<_>>()))
}

fn freshest(url: &str) -> CustomExtension {
    custom(46, points(&[point(&uri(url))]))
}

fn crl(urls: &[&str]) -> Need {
    Need::Crl { urls: urls.iter().map(|url| (*url).to_owned()).collect() }
}

fn judged(ann: &Certificate, evidence: &Evidence) -> Verdict {
    verdict(ann, evidence, &online())
}

fn needs(root: &Authority, ann: &Certificate, crls: &[Crl]) -> Vec<Need> {
    judged(ann, &evidence(&[&root.certificate], &[], crls)).needs
}

fn responders(needs: &[Need]) -> Vec<Vec<String>> {
    let urls = |need: &Need| match need {
        Need::Ocsp { urls, request } => {
            assert!(!request.is_empty());
            Some(urls.clone())
        }
        Need::Issuer { .. } | Need::Crl { .. } => None,
    };
    needs.iter().filter_map(urls).collect()
}

fn observed(verdict: &Verdict) -> String {
    assert_eq!(codes(verdict), ["revocation_unknown"]);
    verdict.findings[0].observed.clone().unwrap()
}

/// A list that was due for renewal yesterday.
fn old(root: &Authority) -> Crl {
    root.crl(&[], |params| params.next_update = rcgen::date_time_ymd(2026, 5, 31))
}

#[test]
fn a_list_first_then_an_answer_then_nothing() {
    let root = Authority::root("Root");
    let ann = ann(&root, vec![lists(&[LIST, SECOND]), access(&[ISSUER], &[RESPONDER, "ldap:///CN=Responder"])]);
    let mut evidence = evidence(&[&root.certificate], &[], &[]);
    assert_eq!(judged(&ann, &evidence).needs, [crl(&[LIST, SECOND])]);
    evidence.failed(LIST.into(), None, "http 404".into());
    assert_eq!(judged(&ann, &evidence).needs, [crl(&[SECOND])]);
    evidence.failed(SECOND.into(), None, "no entry".into());
    // responders speak http
    assert_eq!(responders(&judged(&ann, &evidence).needs), [[RESPONDER]]);
    assert_eq!(observed(&judged(&ann, &evidence)), format!("no CRL; {LIST}: http 404; {SECOND}: no entry"));
    // what a responder refuses about one certificate says nothing about another
    let needs = judged(&ann, &evidence).needs;
    let [Need::Ocsp { request, .. }] = needs.as_slice() else { panic!("{needs:?}") };
    evidence.failed(RESPONDER.into(), Some(Sha256::of(b"a request about another")), "unauthorized".into());
    assert_eq!(responders(&judged(&ann, &evidence).needs), [[RESPONDER]]);
    evidence.failed(RESPONDER.into(), Some(Sha256::of(request)), "tryLater".into());
    let last = judged(&ann, &evidence);
    assert_eq!(last.needs, []);
    assert_eq!(observed(&last), format!("no CRL; {LIST}: http 404; {SECOND}: no entry; {RESPONDER}: tryLater"));
    // what comes in the end settles it
    evidence.add_ocsp_responses(vec![Answer::by(&root, NOW).response()]);
    let settled = judged(&ann, &evidence);
    assert_eq!((settled.fitness(), settled.needs), (Fitness::Fit, vec![]));
}

#[test]
fn nothing_is_needed_where_nothing_is_missing_or_asked_for() {
    let root = Authority::root("Root");
    let ann = ann(&root, vec![lists(&[LIST]), access(&[ISSUER], &[RESPONDER])]);
    assert_eq!(needs(&root, &ann, &[root.crl(&[], |_| {})]), []);
    assert_eq!(needs(&root, &ann, &[root.crl(&[4711], |_| {})]), []);
    let trust = evidence(&[&root.certificate], &[], &[]);
    for revocation in [RevocationCheck::Off, RevocationCheck::Offline] {
        assert_eq!(verdict(&ann, &trust, &Rules { revocation, ..online() }).needs, []);
    }
    // an answer at hand settles it without a list
    let mut answered = evidence(&[&root.certificate], &[], &[]);
    answered.add_ocsp_responses(vec![Answer::by(&root, NOW).response()]);
    assert_eq!(judged(&ann, &answered).needs, []);
    // a list that is too old is asked for anew all the same
    let mut outdated = evidence(&[&root.certificate], &[], &[old(&root)]);
    outdated.add_ocsp_responses(vec![Answer::by(&root, NOW).response()]);
    assert_eq!(judged(&ann, &outdated).needs, [crl(&[LIST])]);
    // certificates that say nothing need nothing
    assert_eq!(needs(&root, &root.person(|_| {}), &[]), []);
}

#[test]
fn an_outdated_list_is_needed_again() {
    let root = Authority::root("Root");
    let ann = ann(&root, vec![lists(&[LIST]), access(&[], &[RESPONDER])]);
    assert_eq!(needs(&root, &ann, &[old(&root)]), [crl(&[LIST])]);
}

#[test]
fn a_responder_is_asked_where_no_list_is_named() {
    let root = Authority::root("Root");
    let ann = ann(&root, vec![access(&[], &[RESPONDER])]);
    assert_eq!(responders(&needs(&root, &ann, &[])), [[RESPONDER]]);
    // who does not know is not asked again
    let mut evidence = evidence(&[&root.certificate], &[], &[]);
    evidence.add_ocsp_responses(vec![Answer { status: vec![0x82, 0], ..Answer::by(&root, NOW) }.response()]);
    let unknown = judged(&ann, &evidence);
    assert_eq!((observed(&unknown).as_str(), unknown.needs), ("no CRL; OCSP unknown", vec![]));
    // an old answer is
    let mut evidence = crate::pki::evidence(&[&root.certificate], &[], &[]);
    evidence.add_ocsp_responses(vec![Answer { next_update: Some(NOW - 1000), ..Answer::by(&root, NOW) }.response()]);
    assert_eq!(responders(&judged(&ann, &evidence).needs), [[RESPONDER]]);
}

#[test]
fn a_responder_that_has_to_be_looked_up_needs_its_list() {
    let root = Authority::root("Root");
    let mut params = ca_params("Responder");
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params.custom_extensions = vec![lists(&[LIST])];
    let delegate = root.child_of(params);
    let ann = ann(&root, vec![access(&[], &[RESPONDER])]);
    let answer = Answer {
        responder: &delegate.certificate,
        key: &delegate.key,
        certificates: vec![&delegate.certificate],
        ..Answer::by(&root, NOW)
    };
    let mut evidence = evidence(&[&root.certificate], &[], &[]);
    evidence.add_ocsp_responses(vec![answer.response()]);
    let open = judged(&ann, &evidence);
    assert_eq!((observed(&open).as_str(), open.needs), ("no CRL; OCSP responder: no CRL", vec![crl(&[LIST])]));
    evidence.failed(LIST.into(), None, "http 500".into());
    assert_eq!(judged(&ann, &evidence).needs, []);
}

#[test]
fn places_for_other_reasons_are_needs_of_their_own() {
    let root = Authority::root("Root");
    let place = |url: &str, reasons: &[u8]| [point(&uri(url)), tlv(0x81, reasons)].concat();
    let (first, second, third) = ("http://a/1", "http://a/2", "http://a/3");
    let points = points(&[place(first, KEY_COMPROMISE), place(second, OTHERS), place(third, KEY_COMPROMISE)]);
    let ann = ann(&root, vec![custom(31, points)]);
    assert_eq!(needs(&root, &ann, &[]), [crl(&[first, third]), crl(&[second])]);
    // what is covered already is not asked for
    let some = List { scope: Some(tlv(0x83, KEY_COMPROMISE)), ..List::default() }.signed(&root.key);
    assert_eq!(needs(&root, &ann, &[some]), [crl(&[second])]);
}

#[test]
fn changes_are_needed_where_they_are_published_and_not_at_hand() {
    let root = Authority::root("Root");
    let base = |freshest| List { freshest, ..List::default() }.signed(&root.key);
    let delta = |number, days| List { number, base: Some(5), days, ..List::default() }.signed(&root.key);
    let by_certificate = ann(&root, vec![lists(&[LIST]), freshest(CHANGES)]);
    let by_list = ann(&root, vec![lists(&[LIST])]);
    for (ann, base) in [(&by_certificate, base(None)), (&by_list, base(Some(CHANGES)))] {
        let with = |more: &[Crl]| {
            let verdict =
                judged(ann, &evidence(&[&root.certificate], &[], &[std::slice::from_ref(&base), more].concat()));
            assert_eq!(verdict.fitness(), Fitness::Fit);
            verdict.needs
        };
        assert_eq!(with(&[]), [crl(&[CHANGES])]);
        assert_eq!(with(&[delta(6, (2, 30))]), []);
        // published together with the list
        assert_eq!(with(&[delta(5, (2, 30))]), []);
        // older than the list
        assert_eq!(with(&[delta(4, (2, 30))]), [crl(&[CHANGES])]);
    }
    assert_eq!(needs(&root, &by_list, &[base(None)]), []);
    // without a list both are missing
    assert_eq!(needs(&root, &by_certificate, &[]), [crl(&[CHANGES]), crl(&[LIST])]);
    let mut failed = evidence(&[&root.certificate], &[], &[base(None)]);
    failed.failed(CHANGES.into(), None, "http 404".into());
    assert_eq!(judged(&by_certificate, &failed).needs, []);
}

#[test]
fn an_issuer_is_needed_where_the_path_ends() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let impostor = Authority::root("Issuing");
    let ann = ann(&issuing, vec![access(&["ftp://pki/issuing", ISSUER, "ldap:///CN=Issuing"], &[])]);
    let wanted = Need::Issuer { urls: vec![ISSUER.into(), "ldap:///CN=Issuing".into()] };
    let mut missing = evidence(&[&root.certificate], &[], &[]);
    assert_eq!(judged(&ann, &missing).needs, std::slice::from_ref(&wanted));
    assert_eq!(verdict(&ann, &missing, &Rules { fetch_issuers: false, ..online() }).needs, []);
    // one of the same name with another key is not the issuer, whatever it says
    let mut stranger = impostor.params.clone();
    stranger.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(vec![1]);
    let unsigned = root.issue(&stranger, &impostor.key);
    assert_eq!(judged(&ann, &evidence(&[&root.certificate], &[&unsigned], &[])).needs, [wanted]);
    missing.failed(ISSUER.into(), None, "http 404".into());
    missing.failed("ldap:///CN=Issuing".into(), None, "no entry".into());
    assert_eq!(judged(&ann, &missing).needs, []);
    let found = judged(&ann, &evidence(&[&root.certificate], &[&issuing.certificate], &[]));
    assert!(found.needs.is_empty(), "{:?}", found.needs);
}

#[test]
fn needs_of_a_path_are_sorted_and_said_once() {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    params.custom_extensions = vec![lists(&[SECOND]), access(&[], &[RESPONDER])];
    let issuing = root.child_of(params);
    let of_both = ann(&issuing, vec![lists(&[SECOND])]);
    let of_one = ann(&issuing, vec![lists(&[LIST, LIST])]);
    let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
    assert_eq!(judged(&of_both, &trust).needs, [crl(&[SECOND])]);
    assert_eq!(judged(&of_one, &trust).needs, [crl(&[LIST]), crl(&[SECOND])]);
    assert_eq!(judged(&of_one, &trust).needs, judged(&of_one, &trust).needs);
}

#[test]
fn hostile_certificates_ask_for_little() {
    let root = Authority::root("Root");
    let long = format!("http://{}", "a".repeat(2048));
    let urls: Vec<String> = (0..1000).map(|number| format!("http://victim/{number}")).collect();
    let unspeakable = ["file:///etc/passwd", "gopher://victim", "//victim", "http://victim/\r\nX: 1", "", &long];
    let many: Vec<&str> = unspeakable.into_iter().chain(urls.iter().map(String::as_str)).collect();
    let names: Vec<u8> = many.iter().flat_map(|url| uri(url)).collect();
    let ann = ann(
        &root,
        vec![
            custom(31, points(&[point(&names)])),
            custom(46, points(&many.iter().map(|url| point(&uri(url))).collect::<Vec<_>>())),
            access(&[], &many.iter().rev().copied().collect::<Vec<_>>()),
        ],
    );
    let asked = needs(&root, &ann, &[]);
    let expected: Vec<String> = urls.iter().take(8).cloned().collect();
    assert_eq!(asked, [Need::Crl { urls: expected.clone() }]);
    // where all of it fails no more is asked
    let mut evidence = evidence(&[&root.certificate], &[], &[]);
    let mut rounds = 0;
    loop {
        let verdict = judged(&ann, &evidence);
        let failed: Vec<(String, Option<Sha256>)> = verdict
            .needs
            .iter()
            .flat_map(|need| {
                let (urls, asked) = match need {
                    Need::Issuer { urls } | Need::Crl { urls } => (urls, None),
                    Need::Ocsp { urls, request } => (urls, Some(Sha256::of(request))),
                };
                urls.iter().map(move |url| (url.clone(), asked))
            })
            .collect();
        if failed.is_empty() {
            break;
        }
        failed.into_iter().for_each(|(url, asked)| evidence.failed(url, asked, "http 404".into()));
        rounds += 1;
    }
    // the list and its changes, then the responder
    assert_eq!(rounds, 2);
    assert!(observed(&judged(&ann, &evidence)).matches(": http 404").count() == 4);
    // a path cannot ask for more than so many things, however many reasons a certificate knows
    let place = |number: u16| [point(&uri(&urls[usize::from(number)])), tlv(0x81, &[0, (number << 1) as u8])].concat();
    let params = |name: &str, base: u16| {
        let mut params = ca_params(name);
        params.custom_extensions = vec![custom(31, points(&(1 + base..40 + base).map(place).collect::<Vec<_>>()))];
        params
    };
    let issuing = root.child_of(params("Issuing", 40));
    let ann = issuing.person(|person| person.custom_extensions = params("", 0).custom_extensions);
    let asked = judged(&ann, &crate::pki::evidence(&[&root.certificate], &[&issuing.certificate], &[])).needs;
    assert_eq!(asked.len(), 32);
    assert!(asked.is_sorted());
}

/// Rounds of asking and answering, as those who fetch do it, end with the truth.
#[test]
fn what_is_brought_ends_the_rounds() {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    params.custom_extensions = vec![lists(&[LIST])];
    let issuing = root.child_of(params);
    let ann = ann(&issuing, vec![access(&[ISSUER], &[RESPONDER])]);
    let mut evidence = evidence(&[&root.certificate], &[], &[]);
    let mut rounds = Vec::new();
    loop {
        let verdict = judged(&ann, &evidence);
        if verdict.needs.is_empty() {
            assert_eq!((verdict.fitness(), verdict.findings), (Fitness::Fit, vec![]));
            break;
        }
        rounds.push(verdict.needs.len());
        for need in verdict.needs {
            match need {
                Need::Issuer { .. } => evidence.add(vec![issuing.certificate.clone()], vec![]),
                Need::Crl { .. } => evidence.add(vec![], vec![root.crl(&[], |_| {})]),
                Need::Ocsp { .. } => {
                    let answer = Answer { status: GOOD.to_vec(), ..Answer::by(&issuing, NOW) };
                    evidence.add_ocsp_responses(vec![answer.response()]);
                }
            }
        }
    }
    assert_eq!(rounds, [1, 2]);
}
