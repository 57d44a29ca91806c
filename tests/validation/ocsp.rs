//! OCSP answers: who may give them, for how long they hold, and what they say; `openssl ocsp` as second opinion.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use rcgen::{
    CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, KeyUsagePurpose, NameConstraints,
    date_time_ymd,
};
use smimesync::certificate::{Certificate, Crl, OcspError, OcspResponse, ParseError};
use smimesync::validation::{Evidence, Fitness, RevocationCheck, Rules, Verdict, reason};
use time::OffsetDateTime;

use crate::answer::{ANN, Answer, DAY, GOOD, HOUR, UNKNOWN, extension, ocsp_oid, revoked};
use crate::pki::{Authority, ca_params, codes, evidence, key, rules, verdict};
use crate::raw::{access, custom, point, points, sequence, tlv, uri};

const RESPONDER: u64 = 88;

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap() * 1000
}

/// The time findings show.
fn shown(at_ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at_ms / 1000).unwrap();
    time.format(&time::format_description::well_known::Rfc3339).unwrap()
}

/// A root, Ann below it, and the time: long-lived, so that the clock of OpenSSL may be the real one.
struct Scene {
    root: Authority,
    ann: Certificate,
    at_ms: i64,
}

fn long(params: &mut CertificateParams) {
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2049, 1, 1));
}

impl Scene {
    fn new() -> Self {
        let mut params = ca_params("Root");
        long(&mut params);
        let root = Authority::root_of(params);
        let ann = root.person(long);
        Self { root, ann, at_ms: now_ms() }
    }

    fn answer(&self) -> Answer<'_> {
        Answer::by(&self.root, self.at_ms)
    }

    /// Somebody with OCSPSigning and nocheck, changed as the test needs it.
    fn responder(&self, change: impl FnOnce(&mut CertificateParams)) -> Authority {
        self.root.child_of(responder_params(change))
    }

    fn crl(&self, serials: &[u64]) -> Crl {
        self.root.crl(serials, |params| {
            (params.this_update, params.next_update) = (date_time_ymd(2026, 1, 1), date_time_ymd(2049, 1, 1));
        })
    }

    fn verdict(&self, responses: Vec<OcspResponse>, crls: &[Crl]) -> Verdict {
        let mut evidence = evidence(&[&self.root.certificate], &[], crls);
        evidence.add_ocsp_responses(responses);
        self.judged(&evidence)
    }

    fn judged(&self, evidence: &Evidence) -> Verdict {
        let rules = Rules { at_ms: self.at_ms, revocation: RevocationCheck::Offline, ..rules() };
        verdict(&self.ann, evidence, &rules)
    }

    /// `good`, `revoked`, or why nothing can be said.
    fn found(&self, responses: Vec<OcspResponse>, crls: &[Crl]) -> String {
        told(&self.verdict(responses, crls))
    }
}

fn responder_params(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Responder");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params.serial_number = Some(RESPONDER.into());
    params.custom_extensions = vec![no_check()];
    long(&mut params);
    change(&mut params);
    params
}

fn no_check() -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], vec![5, 0])
}

fn told(verdict: &Verdict) -> String {
    match (verdict.fitness(), reason(verdict)) {
        (Fitness::Fit, _) => "good".to_owned(),
        (Fitness::Undetermined, _) => {
            assert_eq!(codes(verdict), ["revocation_unknown"]);
            verdict.findings[0].observed.clone().unwrap()
        }
        (Fitness::Unfit, reason) => reason.unwrap().to_owned(),
    }
}

/// What `openssl ocsp` makes of an answer: `good`, `revoked`, `unknown` or `-` where it does not rely on it.
fn theirs(folder: &Path, answer: &[u8]) -> String {
    fs::write(folder.join("answer.der"), answer).unwrap();
    let arguments = [
        "ocsp",
        "-respin",
        "answer.der",
        "-CAfile",
        "root.pem",
        "-issuer",
        "root.pem",
        "-cert",
        "ann.pem",
        "-no_nonce",
    ];
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let (said, problems) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let doubted = said.contains("WARNING: Status times invalid") || problems.contains("WARNING: Status times invalid");
    if !problems.contains("Response verify OK") || doubted {
        return "-".to_owned();
    }
    let status = said.lines().find_map(|line| line.strip_prefix("ann.pem: ")).unwrap_or("-");
    if status.starts_with("ERROR") { "-".to_owned() } else { status.to_owned() }
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn folder_of(scene: &Scene) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("root.pem"), pem("CERTIFICATE", &scene.root.certificate.der)).unwrap();
    fs::write(folder.path().join("ann.pem"), pem("CERTIFICATE", &scene.ann.der)).unwrap();
    folder
}

#[test]
fn what_an_answer_is_worth() {
    let scene = Scene::new();
    let at = scene.at_ms;
    let other_root = Authority::root("Other");
    let stranger = other_root.child_of(responder_params(|_| {}));
    let impostor = Authority::root_of({
        let mut params = ca_params("Root");
        long(&mut params);
        params
    });
    let delegate = scene.responder(|_| {});
    let checked = scene.responder(|params| params.custom_extensions.clear());
    let purposeless =
        scene.responder(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection]);
    let any = scene.responder(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]);
    let expired = scene.responder(|params| params.not_after = date_time_ymd(2025, 1, 1));
    let silent = scene.responder(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    let intermediate = scene.root.child("Between");
    let far = intermediate.child_of(responder_params(|_| {}));
    let good = || scene.answer();
    let by = |delegate| scene.answer().delegated(delegate);
    let yesterday = Some(at - DAY);
    let nonce = extension(&ocsp_oid(2), false, &tlv(4, b"once"));
    let strange = |critical| extension(&tlv(6, &[0x2a, 3]), critical, &[5, 0]);
    let signed_by = |key| Answer { key, ..scene.answer() };
    // an answer, what is found here without a CRL, what OpenSSL finds
    let cases: Vec<(&str, Answer<'_>, String, &str)> = vec![
        ("good", good(), "good".into(), "good"),
        ("revoked", Answer { status: revoked(at - DAY, 1), ..good() }, "revoked".into(), "revoked"),
        ("held", Answer { status: revoked(at - DAY, 6), ..good() }, "revoked".into(), "revoked"),
        // a reason that only lists of changes know takes nothing back here
        ("removed", Answer { status: revoked(at - DAY, 8), ..good() }, "revoked".into(), "revoked"),
        ("unknown", Answer { status: UNKNOWN.to_vec(), ..good() }, "no CRL; OCSP unknown".into(), "unknown"),
        ("by key", Answer { by_key: true, ..good() }, "good".into(), "good"),
        ("SHA-256 id", Answer { hash: &digest::SHA256, ..good() }, "good".into(), "-"),
        ("SHA-384 id", Answer { hash: &digest::SHA384, ..good() }, "good".into(), "-"),
        (
            "SHA-512 id, revoked",
            Answer { hash: &digest::SHA512, status: revoked(at, 0), ..good() },
            "revoked".into(),
            "-",
        ),
        ("delegated", by(&delegate), "good".into(), "good"),
        ("delegated, by key", Answer { by_key: true, ..by(&delegate) }, "good".into(), "good"),
        ("delegated, revoked", Answer { status: revoked(at, 4), ..by(&delegate) }, "revoked".into(), "revoked"),
        (
            "certificate missing",
            Answer { certificates: vec![], ..by(&delegate) },
            "OCSP responder not known".into(),
            "-",
        ),
        // OpenSSL does not ask for the responder's revocation
        ("delegated, no nocheck", by(&checked), "OCSP responder: no CRL".into(), "good"),
        ("no OCSPSigning", by(&purposeless), "OCSP responder without OCSPSigning".into(), "-"),
        ("any purpose", by(&any), "OCSP responder without OCSPSigning".into(), "-"),
        (
            "responder expired",
            by(&expired),
            "OCSP responder valid from 2020-01-01T00:00:00Z to 2025-01-01T00:00:00Z".into(),
            "-",
        ),
        // OpenSSL does not look at the responder's keyUsage
        ("responder may not sign", by(&silent), "OCSP responder without digitalSignature".into(), "good"),
        ("stranger's responder", by(&stranger), "OCSP responder of another issuer".into(), "-"),
        (
            "responder below another authority of the same root",
            Answer { certificates: vec![&far.certificate, &intermediate.certificate], ..by(&far) },
            "OCSP responder of another issuer".into(),
            "-",
        ),
        ("stranger himself", Answer::by(&other_root, at), "no CRL".into(), "-"),
        ("another's key", signed_by(&impostor.key), "OCSP signed by another key".into(), "-"),
        (
            "delegate's certificate, another's key",
            Answer { key: &impostor.key, ..by(&delegate) },
            "OCSP signed by another key".into(),
            "-",
        ),
        ("wrong serial number", Answer { serial: 1, ..good() }, "no CRL".into(), "-"),
        ("wrong issuer key", Answer { issuer: &impostor.certificate, ..good() }, "no CRL".into(), "-"),
        ("wrong issuer name", Answer { issuer: &other_root.certificate, ..good() }, "no CRL".into(), "-"),
        (
            "expired",
            Answer { this_update: at - 2 * DAY, next_update: yesterday, ..good() },
            format!("OCSP nextUpdate {}", shown(at - DAY)),
            "-",
        ),
        (
            "of tomorrow",
            Answer { this_update: at + DAY, next_update: Some(at + 2 * DAY), ..good() },
            format!("OCSP thisUpdate {}", shown(at + DAY)),
            "-",
        ),
        ("responder's clock ahead", Answer { this_update: at + 60_000, ..good() }, "good".into(), "good"),
        // OpenSSL does not look at when it was signed
        (
            "signed tomorrow",
            Answer { produced_at: at + DAY, ..good() },
            format!("OCSP producedAt {}", shown(at + DAY)),
            "good",
        ),
        ("no end", Answer { next_update: None, ..good() }, "good".into(), "good"),
        // OpenSSL takes one without an end for ever
        (
            "no end, old",
            Answer { next_update: None, this_update: at - 2 * DAY, ..good() },
            format!("OCSP no nextUpdate, thisUpdate {}", shown(at - 2 * DAY)),
            "good",
        ),
        ("nonce nobody asked for", Answer { extensions: nonce.clone(), ..good() }, "good".into(), "good"),
        ("strange extension", Answer { extensions: strange(false), ..good() }, "good".into(), "good"),
        // OpenSSL does not look at extensions
        (
            "critical extension",
            Answer { extensions: strange(true), ..good() },
            "OCSP unknown critical extension".into(),
            "good",
        ),
        (
            "critical extension of the answer",
            Answer { single_extensions: strange(true), ..good() },
            "OCSP unknown critical extension".into(),
            "good",
        ),
        (
            "extension twice",
            Answer { extensions: [nonce.clone(), nonce].concat(), ..good() },
            "OCSP duplicate extension".into(),
            "good",
        ),
    ];
    let folder = folder_of(&scene);
    for (name, answer, ours, theirs_expected) in &cases {
        let found = scene.found(vec![answer.response()], &[]);
        let ours = if ours.starts_with("OCSP") { format!("no CRL; {ours}") } else { ours.clone() };
        assert_eq!(found, ours, "{name}");
        let second = theirs(folder.path(), &answer.der());
        // OpenSSL looks for the id that it would ask for, by SHA-1
        assert_eq!(second, *theirs_expected, "OpenSSL: {name}");
        assert!(found != "good" || second == "good" || name.starts_with("SHA"), "{name}");
    }
    assert!(cases.len() >= 20);
}

/// A responder of OpenSSL answers what is asked here.
#[test]
fn openssl_answers_our_question() {
    let scene = Scene::new();
    let mut params = crate::pki::person_params(crate::pki::ADDRESS);
    long(&mut params);
    params.custom_extensions = vec![access(&[], &["http://ocsp.contoso.com/"])];
    let scene = Scene { ann: scene.root.issue(&params, &key()), ..scene };
    let rules = Rules { at_ms: scene.at_ms, revocation: RevocationCheck::Online, ..rules() };
    let verdict = verdict(&scene.ann, &evidence(&[&scene.root.certificate], &[], &[]), &rules);
    let [smimesync::validation::Need::Ocsp { urls, request }] = &verdict.needs[..] else {
        panic!("{:?}", verdict.needs)
    };
    assert_eq!(urls, &["http://ocsp.contoso.com/"]);
    let folder = folder_of(&scene);
    let delegate = scene.responder(|_| {});
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("request.der", request);
    write("responder.pem", pem("CERTIFICATE", &delegate.certificate.der).as_bytes());
    write("responder.key", delegate.key.serialize_pem().as_bytes());
    write("root.key", scene.root.key.serialize_pem().as_bytes());
    let valid = format!("V\t481231000000Z\t\t{ANN:04X}\tunknown\t/CN=Ann Lee\n");
    let withdrawn = format!("R\t481231000000Z\t260101000000Z,keyCompromise\t{ANN:04X}\tunknown\t/CN=Ann Lee\n");
    let answered = |index: &str, signer: &str, key: &str, more: &[&str]| {
        write("index.txt", index.as_bytes());
        let output = Command::new("openssl")
            .args(["ocsp", "-index", "index.txt", "-CA", "root.pem", "-reqin", "request.der", "-respout", "out.der"])
            .args(["-rsigner", signer, "-rkey", key, "-ndays", "1"])
            .args(more)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let response = fs::read(folder.path().join("out.der")).unwrap();
        scene.found(vec![OcspResponse::parse(&response).unwrap()], &[])
    };
    for more in [&[][..], &["-resp_key_id"], &["-rmd", "sha512"]] {
        assert_eq!(answered(&valid, "root.pem", "root.key", more), "good", "{more:?}");
        assert_eq!(answered(&valid, "responder.pem", "responder.key", more), "good", "{more:?}");
        assert_eq!(answered(&withdrawn, "responder.pem", "responder.key", more), "revoked", "{more:?}");
    }
    assert_eq!(answered("", "root.pem", "root.key", &[]), "no CRL; OCSP unknown");
    assert_eq!(answered(&valid, "root.pem", "root.key", &["-rmd", "sha1"]), "no CRL; OCSP weak signature");
}

#[test]
fn a_responder_without_nocheck_is_looked_up_in_lists() {
    let scene = Scene::new();
    let delegate = scene.responder(|params| params.custom_extensions.clear());
    let answer = |status: &[u8]| Answer { status: status.to_vec(), ..scene.answer().delegated(&delegate) }.response();
    let revoked = revoked(scene.at_ms - DAY, 1);
    assert_eq!(scene.found(vec![answer(&revoked)], &[scene.crl(&[])]), "revoked");
    // what a revoked responder says does not count
    assert_eq!(scene.found(vec![answer(&revoked)], &[scene.crl(&[RESPONDER])]), "good");
    // a list of another place than Ann's settles the responder alone
    let scene = Scene {
        ann: scene.root.person(|params| {
            long(params);
            params.custom_extensions = vec![custom(31, points(&[point(&uri("http://contoso.com/people.crl"))]))];
        }),
        ..scene
    };
    let delegate = scene.responder(|params| {
        params.custom_extensions = vec![custom(31, points(&[point(&uri("http://contoso.com/responders.crl"))]))];
    });
    let good = || scene.answer().delegated(&delegate).response();
    let of_responders = |serials: &[u64]| {
        scene.root.crl(serials, |params| {
            (params.this_update, params.next_update) = (date_time_ymd(2026, 1, 1), date_time_ymd(2049, 1, 1));
            params.issuing_distribution_point = Some(rcgen::CrlIssuingDistributionPoint {
                distribution_point: rcgen::CrlDistributionPoint {
                    uris: vec!["http://contoso.com/responders.crl".into()],
                },
                scope: None,
            });
        })
    };
    assert_eq!(scene.found(vec![good()], &[]), "no CRL; OCSP responder: no CRL");
    assert_eq!(scene.found(vec![good()], &[of_responders(&[])]), "good");
    assert_eq!(scene.found(vec![good()], &[of_responders(&[RESPONDER])]), "distributionPoint; OCSP responder revoked");
}

#[test]
fn lists_and_answers_together() {
    let scene = Scene::new();
    let good = || scene.answer().response();
    let withdrawn = || Answer { status: revoked(scene.at_ms - DAY, 1), ..scene.answer() }.response();
    let unknown = || Answer { status: UNKNOWN.to_vec(), ..scene.answer() }.response();
    assert_eq!(scene.found(vec![good()], &[scene.crl(&[])]), "good");
    // whoever says revoked is right
    assert_eq!(scene.found(vec![good()], &[scene.crl(&[ANN])]), "revoked");
    assert_eq!(scene.found(vec![withdrawn()], &[scene.crl(&[])]), "revoked");
    // a list settles what a responder does not know
    assert_eq!(scene.found(vec![unknown()], &[scene.crl(&[])]), "good");
    // an answer settles what an old list leaves open
    let old = scene.root.crl(&[ANN], |_| {});
    let note = format!("nextUpdate {}", "2026-07-01T00:00:00Z");
    assert_eq!(scene.found(vec![], std::slice::from_ref(&old)), note);
    assert_eq!(scene.found(vec![good()], std::slice::from_ref(&old)), "good");
    assert_eq!(scene.found(vec![unknown()], &[old]), format!("{note}; OCSP unknown"));
    let verdict = scene.verdict(vec![withdrawn()], &[]);
    let observed = verdict.findings[0].observed.clone();
    assert_eq!(observed, Some(format!("keyCompromise {}", shown(scene.at_ms - DAY))));
}

#[test]
fn the_newest_answer_that_counts_decides() {
    let scene = Scene::new();
    let at = |hours: i64, status: &[u8]| {
        let this_update = scene.at_ms - hours * HOUR;
        Answer { this_update, status: status.to_vec(), ..scene.answer() }
    };
    let withdrawn = revoked(scene.at_ms - DAY, 6);
    for (first, second, expected) in [
        (at(1, GOOD), at(2, &withdrawn), "good"),
        (at(2, GOOD), at(1, &withdrawn), "revoked"),
        (at(1, GOOD), at(2, UNKNOWN), "good"),
        (at(2, GOOD), at(1, UNKNOWN), "no CRL; OCSP unknown"),
        // of the same time the worse
        (at(1, GOOD), at(1, &withdrawn), "revoked"),
        (at(1, GOOD), at(1, UNKNOWN), "no CRL; OCSP unknown"),
        // one id is as good as the other
        (at(2, GOOD), Answer { hash: &digest::SHA256, ..at(1, &withdrawn) }, "revoked"),
    ] {
        let both = || (first.response(), second.response());
        let (one, other) = both();
        assert_eq!(scene.found(vec![one, other], &[]), expected);
        let (one, other) = both();
        assert_eq!(scene.found(vec![other, one], &[]), expected);
    }
    // a newer one that nobody may rely on does not hide an older one
    let impostor = Authority::root("Root");
    let forged = Answer { key: &impostor.key, ..at(0, GOOD) };
    assert_eq!(scene.found(vec![forged.response(), at(1, &withdrawn).response()], &[]), "revoked");
}

#[test]
fn names_of_a_responder_are_constrained_too() {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    let mut permitted = rcgen::DistinguishedName::new();
    permitted.push(rcgen::DnType::CommonName, "Responder");
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![],
        excluded_subtrees: vec![GeneralSubtree::DirectoryName(permitted)],
    });
    let issuing = root.child_of(params);
    let ann = issuing.person(|_| {});
    let judged = |name: &str| {
        let mut params = responder_params(|_| {});
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let delegate = issuing.child_of(params);
        let answer = Answer::by(&issuing, crate::pki::NOW).delegated(&delegate).response();
        let mut evidence = evidence(&[&root.certificate], &[&issuing.certificate], &[root.crl(&[], |_| {})]);
        evidence.add_ocsp_responses(vec![answer]);
        told(&verdict(&ann, &evidence, &Rules { revocation: RevocationCheck::Offline, ..rules() }))
    };
    assert_eq!(judged("Answers"), "good");
    assert_eq!(judged("Responder"), "no CRL; OCSP responder name_excluded");
}

#[test]
fn no_changed_bit_of_an_answer_is_accepted() {
    let scene = Scene::new();
    let delegate = scene.responder(|_| {});
    let withdrawn = revoked(scene.at_ms - DAY, 1);
    for status in [GOOD, &withdrawn] {
        let by_issuer = Answer { status: status.to_vec(), ..scene.answer() };
        let by_delegate = Answer { status: status.to_vec(), ..scene.answer() }.delegated(&delegate);
        for answer in [by_issuer, by_delegate] {
            let der = answer.der();
            let fitness = |der: &[u8]| {
                let response = OcspResponse::parse(der).ok()?;
                Some(scene.verdict(vec![response], &[]).fitness())
            };
            assert_eq!(fitness(&der), Some(if status == GOOD { Fitness::Fit } else { Fitness::Unfit }));
            for bit in 0..der.len() * 8 {
                let mut changed = der.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(fitness(&changed), Some(Fitness::Fit), "bit {bit} of {}", hex::encode(&der));
            }
        }
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let scene = Scene::new();
    let der = scene.answer().der();
    let refused = |der: &[u8]| OcspResponse::parse(der).map(|response| response.sha256).unwrap_err();
    let malformed = OcspError::Unreadable(ParseError::Malformed);
    assert_eq!(refused(&[]), ParseError::Empty.into());
    assert_eq!(refused(&[&der[..], &[0]].concat()), malformed);
    assert_eq!(refused(&[&der[..], &[5, 0]].concat()), ParseError::TrailingBytes.into());
    for length in 1..der.len() {
        assert_eq!(refused(&der[..length]), malformed);
    }
    assert_eq!(refused(&sequence(&[&[10, 1, 3]])), OcspError::Refused("tryLater"));
    let of_version = |number: u8| Answer { version: tlv(0xa0, &[2, 1, number]), ..scene.answer() }.der();
    assert!(OcspResponse::parse(&of_version(0)).is_ok());
    assert_eq!(refused(&of_version(1)), malformed);
    // a UTCTime where a GeneralizedTime belongs, and a status of no known kind
    let with_status = |status: Vec<u8>| Answer { status, ..scene.answer() }.der();
    assert_eq!(refused(&with_status(tlv(0xa1, &tlv(0x17, b"260101000000Z")))), malformed);
    assert_eq!(refused(&with_status(vec![0x83, 0])), malformed);
    assert_eq!(refused(&with_status(vec![0x80, 1, 0])), malformed);
}

#[test]
fn among_many_answers_the_right_one_is_found() {
    let scene = Scene::new();
    let answers: Vec<OcspResponse> = (0..2000).map(|serial| Answer { serial, ..scene.answer() }.response()).collect();
    let mut evidence = evidence(&[&scene.root.certificate], &[], &[]);
    evidence.add_ocsp_responses(answers.clone());
    // the same once more counts once
    evidence.add_ocsp_responses(answers);
    assert_eq!(evidence.ocsp_responses().len(), 2000);
    assert_eq!(told(&scene.judged(&evidence)), "no CRL");
    evidence.add_ocsp_responses(vec![scene.answer().response()]);
    assert_eq!(told(&scene.judged(&evidence)), "good");
}

#[test]
fn a_thousand_answers_that_somebody_else_signed() {
    let scene = Scene::new();
    let impostor = Authority::root("Root");
    let forged = |number: i64| {
        let this_update = scene.at_ms - number * 1000;
        Answer { this_update, key: &impostor.key, ..scene.answer() }.response()
    };
    let start = std::time::Instant::now();
    let verdict = scene.verdict((0..1000).map(forged).collect(), &[]);
    assert!(codes(&verdict).contains(&"path_search_limit"), "{:?}", codes(&verdict));
    assert_eq!(verdict.fitness(), Fitness::Undetermined);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

/// The seeds of the fuzz target `ocsp`: the answer, and in it the certificates of responder, authority and Ann, of which the
/// last two are judged. UPDATE_SEEDS=1 writes them anew.
#[test]
fn seeds_for_fuzzing_are_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/ocsp");
    let update = std::env::var_os("UPDATE_SEEDS").is_some();
    let root = Authority::root("Root");
    let delegate = root.child_of(responder_params(|_| {}));
    let ann = root.person(|_| {});
    let withdrawn = revoked(crate::pki::NOW - DAY, 1);
    for (name, status, by_key, expected) in [
        ("good", GOOD, false, "good"),
        ("good-by-key", GOOD, true, "good"),
        ("revoked", &withdrawn, false, "revoked"),
        ("unknown", UNKNOWN, true, "no CRL; OCSP unknown"),
    ] {
        let path = folder.join(name);
        if update {
            let answer = Answer { status: status.to_vec(), by_key, ..Answer::by(&root, crate::pki::NOW) };
            let certificates = vec![&delegate.certificate, &root.certificate, &ann];
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, Answer { certificates, ..answer.delegated(&delegate) }.der()).unwrap();
        }
        let response = OcspResponse::parse(&fs::read(path).unwrap()).unwrap();
        let [_, root, ann] = response.certificates() else { panic!("{name}") };
        let mut evidence = evidence(&[root], &[], &[]);
        let ann = ann.clone();
        evidence.add_ocsp_responses(vec![response.clone()]);
        let rules = Rules { revocation: RevocationCheck::Offline, ..rules() };
        assert_eq!(told(&verdict(&ann, &evidence, &rules)), expected, "{name}");
    }
}
