//! The options of the verb `validate`, through a session: each changes what it is there for.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::date_time_ymd;
use serde_json::{Value as Json, json};
use smimesync::certificate::Certificate;
use smimesync::error::Code;
use smimesync::session::{Row, Session, Step, Value, Verb};

use crate::answer::{Answer, revoked};
use crate::pki::{ADDRESS, Authority, NOW, ca_params};
use crate::policies::{ANY, mappings, policies};

const AT: &str = "2026-06-01T00:00:00Z";

/// What a row says: whether the path is valid, what the certificate is for encrypting, and the codes of the findings.
#[derive(Debug, PartialEq)]
struct Said {
    path_valid: bool,
    encrypt: String,
    codes: Vec<String>,
}

fn said(path_valid: bool, encrypt: &str, codes: &[&str]) -> Said {
    Said { path_valid, encrypt: encrypt.to_owned(), codes: codes.iter().map(|code| (*code).to_owned()).collect() }
}

fn text(row: &Row, column: &str) -> String {
    match row.get(column) {
        Some(Value::Text(text)) => text.clone(),
        other => panic!("{column}: {other:?}"),
    }
}

impl Said {
    fn of(row: &Row) -> Self {
        let Some(Value::Rows(findings)) = row.get("findings") else { panic!("no findings") };
        let path_valid = match row.get("path_valid") {
            Some(Value::Boolean(valid)) => *valid,
            other => panic!("path_valid: {other:?}"),
        };
        let codes = findings.iter().map(|finding| text(finding, "code")).collect();
        Self { path_valid, encrypt: text(row, "encrypt"), codes }
    }
}

/// Root, issuing authority and Ann in a folder, and a configuration that trusts the root.
struct Bench {
    folder: tempfile::TempDir,
    root: Authority,
    issuing: Authority,
    ann: Certificate,
}

fn der(bytes: &[u8]) -> Json {
    json!({ "der": BASE64_STANDARD.encode(bytes) })
}

impl Bench {
    fn new() -> Self {
        let root = Authority::root("Root");
        let issuing = root.child("Issuing");
        let ann = issuing.person(|_| {});
        Self::of(root, issuing, ann)
    }

    fn of(root: Authority, issuing: Authority, ann: Certificate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("root.cer"), &root.certificate.der).unwrap();
        fs::write(folder.path().join("issuing.cer"), &issuing.certificate.der).unwrap();
        Self { folder, root, issuing, ann }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A session in which the issuing authority is known and revocation is of no concern, unless `patch` says otherwise.
    fn session(&self, patch: Json) -> Session {
        let mut config = json!({
            "base_dir": self.path(),
            "trust": { "anchors": ["root.cer"], "intermediates": ["issuing.cer"] },
            "revocation": { "mode": "off" },
        });
        config.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        Session::open(&config.to_string()).unwrap()
    }

    fn options(&self, more: Json) -> String {
        let mut options = json!({ "certificates": [der(&self.ann.der)], "at": AT });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        options.to_string()
    }

    /// What is said of Ann.
    fn judged(&self, patch: Json, options: Json) -> Said {
        let session = self.session(patch);
        let mut cursor = session.start(Verb::Validate, &self.options(options)).unwrap();
        assert_eq!(cursor.next(Duration::from_secs(30)).unwrap(), Step::Row);
        let said = Said::of(cursor.row().unwrap());
        assert_eq!(cursor.next(Duration::from_secs(30)).unwrap(), Step::Done);
        said
    }

    /// Code and target of the error that these options lead to, at once or when they are followed.
    fn refused(&self, options: Json) -> (Code, String) {
        let session = self.session(json!({}));
        let started = session.start(Verb::Validate, &self.options(options));
        let error = started.map_or_else(Some, |mut cursor| cursor.next(Duration::from_secs(30)).err()).unwrap();
        (error.code(), error.get_target().unwrap_or_default().to_owned())
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn fit() -> Said {
    said(true, "fit", &[])
}

#[test]
fn at_is_the_time_of_the_verdict() {
    let bench = Bench::new();
    assert_eq!(bench.judged(json!({}), json!({})), fit());
    let late = bench.judged(json!({}), json!({ "at": "2030-01-01T00:00:00+01:00" }));
    assert_eq!(late, said(false, "unfit", &["expired"]));
    let early = bench.judged(json!({}), json!({ "at": "2025-12-31T23:59:59Z" }));
    assert_eq!(early, said(false, "unfit", &["not_yet_valid"]));
    // the configuration's time counts where the options name none
    let session = bench.session(json!({ "policy": { "at": "2030-01-01T00:00:00Z" } }));
    let options = json!({ "certificates": [der(&bench.ann.der)] }).to_string();
    let mut cursor = session.start(Verb::Validate, &options).unwrap();
    assert_eq!(cursor.next(Duration::from_secs(30)).unwrap(), Step::Row);
    assert_eq!(Said::of(cursor.row().unwrap()), late);
    assert_eq!(bench.refused(json!({ "at": "yesterday" })), (Code::OptionValue, "/at".to_owned()));
}

#[test]
fn intermediates_and_anchors_are_files_or_bytes() {
    let bench = Bench::new();
    let alone = json!({ "trust": { "anchors": ["root.cer"] } });
    assert_eq!(bench.judged(alone.clone(), json!({})), said(false, "undetermined", &["issuer_not_found"]));
    assert_eq!(bench.judged(alone.clone(), json!({ "intermediates": ["issuing.cer"] })), fit());
    let bytes = der(&bench.issuing.certificate.der);
    assert_eq!(bench.judged(alone, json!({ "intermediates": [bytes] })), fit());
    // anchors that are given replace the configuration's
    let other = Authority::root("Other");
    let replaced = bench.judged(json!({}), json!({ "anchors": [der(&other.certificate.der)] }));
    assert!(!replaced.path_valid);
    assert_eq!(
        bench.refused(json!({ "intermediates": ["absent.cer"] })),
        (Code::FileNotFound, bench.path().join("absent.cer").display().to_string())
    );
    assert_eq!(
        bench.refused(json!({ "intermediates": [{ "der": "?" }] })),
        (Code::OptionValue, "/intermediates/0/der".to_owned())
    );
}

#[test]
fn crls_say_who_is_revoked() {
    let bench = Bench::new();
    let offline = |crls: &[Json]| bench.judged(json!({}), json!({ "revocation_mode": "offline", "crls": crls }));
    let of_root = der(&bench.root.crl_der(&[], |_| {}));
    bench.write("good.crl", &bench.issuing.crl_der(&[], |_| {}));
    let revoked = der(&bench.issuing.crl_der(&[4711], |_| {}));
    let unknown = said(true, "undetermined", &["revocation_unknown"]);
    assert_eq!(offline(&[json!("good.crl")]), unknown);
    assert_eq!(offline(&[json!("good.crl"), of_root.clone()]), fit());
    assert_eq!(offline(&[revoked, of_root]), said(false, "unfit", &["revoked"]));
    // the configuration says the same where the option does not
    let configured = json!({ "revocation": { "mode": "offline", "crls": ["good.crl"] } });
    assert_eq!(bench.judged(configured.clone(), json!({})), unknown);
    assert_eq!(bench.judged(configured, json!({ "revocation_mode": "off" })), fit());
    // no certificate here says where a list could be fetched
    let online = json!({ "revocation_mode": "online", "crls": ["good.crl"] });
    assert_eq!(bench.judged(json!({}), online), unknown);
}

#[test]
fn ocsp_responses_say_it_too() {
    let bench = Bench::new();
    let of_root = der(&bench.root.crl_der(&[], |_| {}));
    let judged = |responses: &[Json]| {
        let options = json!({ "revocation_mode": "offline", "crls": [of_root], "ocsp_responses": responses });
        bench.judged(json!({}), options)
    };
    let good = Answer::by(&bench.issuing, NOW);
    let withdrawn = Answer { status: revoked(NOW, 1), ..good.clone() };
    bench.write("answers/good.der", &good.der());
    bench.write("revoked.der", &withdrawn.der());
    assert_eq!(judged(&[]), said(true, "undetermined", &["revocation_unknown"]));
    assert_eq!(judged(&[json!("answers/good.der")]), fit());
    assert_eq!(judged(&[json!("answers")]), fit());
    assert_eq!(judged(&[der(&good.der())]), fit());
    assert_eq!(judged(&[json!("revoked.der")]), said(false, "unfit", &["revoked"]));
    assert_eq!(judged(&[json!("answers"), json!("revoked.der")]), said(false, "unfit", &["revoked"]));
    // what is no answer is an error, not silence
    bench.write("later.der", &[0x30, 3, 0x0a, 1, 3]);
    for name in ["later.der", "root.cer"] {
        let target = bench.path().join(name).display().to_string();
        assert_eq!(bench.refused(json!({ "ocsp_responses": [name] })), (Code::TrustUnreadable, target));
    }
    let (code, _) = bench.refused(json!({ "ocsp_responses": ["absent.der"] }));
    assert_eq!(code, Code::FileNotFound);
    assert_eq!(
        bench.refused(json!({ "ocsp_responses": ["revoked.der", { "der": "%" }] })),
        (Code::OptionValue, "/ocsp_responses/1/der".to_owned())
    );
    let (code, _) = bench.refused(json!({ "ocsp_responses": "revoked.der" }));
    assert_eq!(code, Code::OptionType);
}

#[test]
fn undetermined_weighs_unknown_revocation() {
    let bench = Bench::new();
    let judged = |patch: Json, undetermined: Option<&str>| {
        let mut options = json!({ "revocation_mode": "offline" });
        if let Some(undetermined) = undetermined {
            options["undetermined"] = json!(undetermined);
        }
        let said = bench.judged(patch, options);
        assert_eq!((said.encrypt.as_str(), said.codes.len()), ("undetermined", 2));
        said.path_valid
    };
    assert!(judged(json!({}), None));
    assert!(judged(json!({}), Some("keep")));
    assert!(judged(json!({}), Some("accept")));
    assert!(!judged(json!({}), Some("reject")));
    let rejecting = || json!({ "revocation": { "undetermined": "reject" } });
    assert!(!judged(rejecting(), None));
    assert!(judged(rejecting(), Some("keep")));
    let (code, target) = bench.refused(json!({ "undetermined": "perhaps" }));
    assert_eq!((code, target.as_str()), (Code::OptionValue, "/undetermined"));
}

#[test]
fn policies_are_demanded() {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    params.custom_extensions = vec![policies(&[1, 3]), mappings(&[(3, 4)])];
    let issuing = root.child_of(params);
    let with = |numbers: &[u8]| {
        let extensions = vec![policies(numbers)];
        issuing.person(|params| params.custom_extensions = extensions)
    };
    let (plain, mapped, any) = (with(&[1]), with(&[4]), with(&[ANY]));
    let bench = Bench::of(root, issuing, plain.clone());
    let valid = |ann: &Certificate, more: Json| {
        let mut options = json!({ "certificates": [der(&ann.der)], "explicit_policy": true });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let said = bench.judged(json!({}), options);
        assert_eq!(said.codes, if said.path_valid { vec![] } else { vec!["policy_required".to_owned()] });
        said.path_valid
    };
    // initial_policies
    assert!(valid(&plain, json!({})));
    assert!(valid(&plain, json!({ "initial_policies": ["1.2.9", "1.2.1"] })));
    assert!(!valid(&plain, json!({ "initial_policies": ["1.2.2"] })));
    assert!(valid(&plain, json!({ "initial_policies": ["anyPolicy"] })));
    // explicit_policy: without it a wrong policy does not matter
    assert!(valid(&plain, json!({ "initial_policies": ["1.2.2"], "explicit_policy": false })));
    // inhibit_mapping
    assert!(valid(&mapped, json!({})));
    assert!(!valid(&mapped, json!({ "inhibit_mapping": true })));
    assert!(valid(&plain, json!({ "inhibit_mapping": true })));
    // inhibit_any
    assert!(valid(&any, json!({})));
    assert!(!valid(&any, json!({ "inhibit_any": true })));
    for (policies, target) in [(json!([]), "/initial_policies"), (json!(["1.2.1", "one"]), "/initial_policies/1")] {
        let refused = bench.refused(json!({ "initial_policies": policies }));
        assert_eq!(refused, (Code::OptionValue, target.to_owned()));
    }
    let (code, target) = bench.refused(json!({ "explicit_policy": "yes" }));
    assert_eq!((code, target.as_str()), (Code::OptionType, "/explicit_policy"));
}

#[test]
fn lint_profile_is_the_yardstick() {
    let bench = Bench::new();
    assert_eq!(bench.judged(json!({}), json!({})).codes.len(), 0);
    let linted = |profile: &str| bench.judged(json!({}), json!({ "lint_profile": profile })).codes;
    let strict = linted("mailbox_strict");
    assert!(strict.contains(&"lint_policies_absent".to_owned()), "{strict:?}");
    assert!(strict.iter().all(|code| code.starts_with("lint_")));
    assert_ne!(strict, linted("organization_legacy"));
    // lints never decide
    let said = bench.judged(json!({}), json!({ "lint_profile": "mailbox_strict" }));
    assert!(said.path_valid);
    assert_eq!(bench.refused(json!({ "lint_profile": "none" })), (Code::OptionValue, "/lint_profile".to_owned()));
}

#[test]
fn a_tenants_collection_is_asked_too() {
    let bench = Bench::new();
    let known = [&bench.issuing.certificate, &bench.root.certificate].map(|it| pem(&it.der)).concat();
    bench.write("tenant.pem", known.as_bytes());
    let none = ["crl_none", "crl_none"];
    assert_eq!(bench.judged(json!({}), json!({ "sst_path": "tenant.pem" })), said(true, "fit", &none));
    let lacks = said(true, "undetermined", &["tenant_chain", "crl_none", "crl_none"]);
    assert_eq!(bench.judged(json!({}), json!({ "sst_path": "issuing.cer" })), lacks);
    let absent = bench.path().join("absent.sst").display().to_string();
    assert_eq!(bench.refused(json!({ "sst_path": "absent.sst" })), (Code::FileNotFound, absent));
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(der))
}

#[test]
fn the_values_of_a_person_are_judged_together() {
    let bench = Bench::new();
    let stale = bench.issuing.person(|params| {
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2025, 1, 1);
    });
    let ldif = format!(
        "version: 1\n\ndn: cn=ann,dc=x\nobjectClass: inetOrgPerson\ncn: ann\nmail: {ADDRESS}\n\
         userCertificate;binary:: {}\nuserSMIMECertificate:: {}\n",
        BASE64_STANDARD.encode(&bench.ann.der),
        BASE64_STANDARD.encode(&stale.der)
    );
    bench.write("people.ldif", ldif.as_bytes());
    let session = bench.session(json!({ "directory": { "kind": "ldif", "path": "people.ldif" } }));
    let mut cursor = session.start(Verb::Validate, &json!({ "at": AT }).to_string()).unwrap();
    let mut found = Vec::new();
    while cursor.next(Duration::from_secs(30)).unwrap() == Step::Row {
        found.push((text(cursor.row().unwrap(), "attribute"), Said::of(cursor.row().unwrap())));
    }
    let good = said(true, "fit", &["hidden_by_stale", "picked_to_sign"]);
    let hiding = said(false, "unfit", &["expired", "hides_better", "picked_to_encrypt"]);
    assert_eq!(found, [("userCertificate".to_owned(), good), ("userSMIMECertificate".to_owned(), hiding)]);
}
