//! The files a company is written to, and the comparison of a run with them.

use crate::common::{Outcome, read_ldif, written};
use serde_json::{Value, json};
use smimesync_company::directory::Directory;
use smimesync_company::expected::Expected;
use smimesync_company::summary;
use smimesync_company::verify::{Options, read_json, verify};
use std::fs;
use std::path::Path;

#[test]
fn ldif_is_well_formed_and_complete() -> Outcome {
    let (company, dir) = written("ldif")?;
    for (directory, name) in [
        (Directory::Ldif, "people.ldif"),
        (Directory::Ad, "people-ad.ldif"),
        (Directory::OpenLdap, "people-openldap.ldif"),
    ] {
        let text = fs::read_to_string(dir.join(name))?;
        assert!(text.is_ascii(), "{name}: non-ASCII text must be base64");
        assert!(text.lines().all(|line| line.len() <= 76), "{name}: a line is too long");
        assert!(text.contains("\n "), "{name}: nothing folded");
        let entries = read_ldif(&text)?;
        let expected: Expected = read_json(&dir.join(format!("expected-{}.json", directory.name())))?;
        assert_eq!(expected.people.len(), company.people.len());
        for person in &expected.people {
            let entry = entries.iter().find(|entry| entry.dn == person.distinguished_name);
            let entry = entry.ok_or_else(|| format!("{name}: {} is missing", person.distinguished_name))?;
            for attribute in ["userCertificate", "userSMIMECertificate"] {
                let mut wanted: Vec<&str> = Vec::new();
                for value in person.values.iter().filter(|value| value.attribute.name() == attribute) {
                    wanted.push(&value.sha256);
                }
                wanted.sort_unstable();
                assert_eq!(entry.hashes(attribute), wanted, "{name}: {}", person.key);
            }
            let address = entry.text("mail");
            assert_eq!(address, person.primary_smtp_address, "{name}: {}", person.key);
        }
    }
    let export = fs::read_to_string(dir.join("people.ldif"))?;
    for special in ["\ndn:: ", "userCertificate;binary:: ", "objectClass: contact", "\n# ", "objectGUID:: "] {
        assert!(export.contains(special), "people.ldif lacks {special:?}");
    }
    Ok(())
}

#[test]
fn the_changed_export_differs_in_one_person() -> Outcome {
    let (company, dir) = written("changed")?;
    let before = read_ldif(&fs::read_to_string(dir.join("people.ldif"))?)?;
    let after = read_ldif(&fs::read_to_string(dir.join("people-changed.ldif"))?)?;
    assert_eq!(before.len(), after.len());
    let changed: Vec<_> = before.iter().zip(&after).filter(|(old, new)| old.values != new.values).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].0.dn, Directory::Ldif.dn(&company.changed.person));
    Ok(())
}

#[test]
fn tenant_and_configuration_name_the_same_application() -> Outcome {
    let (_, dir) = written("tenant")?;
    let tenant: Value = read_json(&dir.join("tenant.json"))?;
    let configuration: Value = read_json(&dir.join("company.json"))?;
    assert_eq!(tenant["apps"][0]["app_id"], configuration["exchange"]["auth"]["app_id"]);
    assert_eq!(tenant["apps"][0]["secret"], configuration["exchange"]["auth"]["secret"]);
    assert_eq!(tenant["tenant"]["domain"], configuration["exchange"]["organization"]);
    let files = configuration["trust"]["intermediates"].as_array().into_iter().flatten();
    for file in files.chain(configuration["revocation"]["crls"].as_array().into_iter().flatten()) {
        assert!(dir.join(file.as_str().unwrap_or_default()).is_file(), "{file}");
    }
    let expected: Expected = read_json(&dir.join("expected-ldif.json"))?;
    assert_eq!(tenant["recipients"].as_array().map(Vec::len), Some(expected.recipients.len()));
    Ok(())
}

/// The rows a host without fault would print.
fn perfect_rows(expected: &Expected) -> Vec<Value> {
    let mut rows = Vec::new();
    for person in &expected.people {
        for row in &person.rows {
            let mut line = json!(row);
            line["person"] = json!(person.identity);
            line["recipient"] = json!(person.recipient);
            line["added"] = row.added.iter().map(|hash| json!({ "sha256": hash, "reason": null })).collect();
            line["result"] = json!(if row.action == "skip" { "skipped" } else { "applied" });
            line["error_code"] = Value::Null;
            rows.push(line);
        }
    }
    // a domain's own account
    rows.push(
        json!({ "person": "krbtgt", "recipient": null, "attribute": null, "action": "skip", "reason": "no_address" }),
    );
    rows
}

/// The tenant as a run without fault would leave it.
fn perfect_tenant(company_dir: &Path, expected: &Expected) -> Result<Value, Box<dyn std::error::Error>> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let mut bytes = std::collections::HashMap::new();
    let mut tenant: Value = read_json(&company_dir.join("tenant.json"))?;
    for entry in read_ldif(&fs::read_to_string(company_dir.join("people.ldif"))?)? {
        for value in entry.values.values().flatten() {
            bytes.insert(smimesync_company::certificate::sha256(value), engine.encode(value));
        }
    }
    for recipient in tenant["recipients"].as_array_mut().into_iter().flatten() {
        for name in ["user_certificate", "user_smime_certificate"] {
            for value in recipient[name].as_array().into_iter().flatten() {
                let value = value.as_str().unwrap_or_default();
                bytes.insert(smimesync_company::certificate::sha256(&engine.decode(value)?), value.to_owned());
            }
        }
        let guid = recipient["guid"].as_str().unwrap_or_default().to_owned();
        let wanted = expected.recipients.iter().find(|r| r.guid == guid).ok_or("unknown recipient")?;
        for (attribute, hashes) in &wanted.after {
            let name =
                if attribute.name() == "userCertificate" { "user_certificate" } else { "user_smime_certificate" };
            recipient[name] = hashes.iter().map(|hash| json!(bytes.get(hash))).collect();
        }
    }
    Ok(tenant)
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

#[test]
fn a_run_without_fault_has_no_differences_and_every_fault_is_told() -> Outcome {
    let (_, dir) = written("compare")?;
    let expected: Expected = read_json(&dir.join("expected-ldif.json"))?;
    let perfect = perfect_rows(&expected);
    let options = Options {
        expected: dir.join("expected-ldif.json"),
        rows: dir.join("rows.jsonl"),
        tenant: Some(dir.join("saved.json")),
        after_change: false,
        unchanged: false,
    };
    let saved = perfect_tenant(&dir, &expected)?;
    fs::write(dir.join("saved.json"), saved.to_string())?;
    fs::write(&options.rows, lines(&perfect))?;
    let report = verify(&options)?;
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!((report.people, report.others), (300, 1));
    assert_eq!(report.recipients, expected.recipients.len());

    type Fault = fn(&mut Vec<Value>);
    let faults: [(&str, Fault); 9] = [
        ("a missing row", |rows| {
            rows.remove(0);
        }),
        ("another action", |rows| rows[0]["action"] = json!("clear")),
        ("another reason", |rows| rows[0]["reason"] = json!("weak")),
        ("another recipient", |rows| rows[0]["recipient"] = json!("00000000-0000-0000-0000-000000000000")),
        ("an unexpected loser", |rows| rows[0]["losers"] = json!([{ "sha256": "00", "reason": "weak" }])),
        ("an error", |rows| rows[0]["error_code"] = json!(-301)),
        ("a failed write", |rows| rows[0]["result"] = json!("failed")),
        ("a row twice", |rows| {
            let first = rows[0].clone();
            rows.push(first);
        }),
        ("a stranger written to", |rows| {
            rows.push(json!({ "person": "x", "recipient": "y", "attribute": "userCertificate", "action": "set" }));
        }),
    ];
    for (what, fault) in faults {
        let mut rows = perfect.clone();
        fault(&mut rows);
        fs::write(&options.rows, lines(&rows))?;
        assert!(!verify(&options)?.differences.is_empty(), "{what} was not noticed");
    }

    fs::write(&options.rows, lines(&perfect))?;
    fs::copy(dir.join("tenant.json"), dir.join("saved.json"))?;
    assert!(!verify(&options)?.differences.is_empty(), "a tenant nobody wrote to was not noticed");
    let looked = Options { unchanged: true, ..options.clone() };
    assert_eq!(verify(&looked)?.differences, Vec::<String>::new());
    Ok(())
}

#[test]
fn rows_of_powershell_are_understood() -> Outcome {
    let (_, dir) = written("pascal")?;
    let expected: Expected = read_json(&dir.join("expected-ldif.json"))?;
    let mut text = lines(&perfect_rows(&expected));
    for (snake, pascal) in [
        ("person", "Person"),
        ("recipient", "Recipient"),
        ("attribute", "Attribute"),
        ("action", "Action"),
        ("reason", "Reason"),
        ("before", "Before"),
        ("after", "After"),
        ("added", "Added"),
        ("removed", "Removed"),
        ("losers", "Losers"),
        ("sha256", "Sha256"),
        ("result", "Result"),
        ("error_code", "ErrorCode"),
    ] {
        text = text.replace(&format!("\"{snake}\":"), &format!("\"{pascal}\":"));
    }
    fs::write(dir.join("rows.jsonl"), text)?;
    let report = verify(&Options {
        expected: dir.join("expected-ldif.json"),
        rows: dir.join("rows.jsonl"),
        tenant: None,
        after_change: false,
        unchanged: false,
    })?;
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(report.people, 300);
    Ok(())
}

#[test]
fn the_second_run_may_write_one_person_only() -> Outcome {
    let (_, dir) = written("second")?;
    let expected: Expected = read_json(&dir.join("expected-ldif.json"))?;
    let change: smimesync_company::expected::ExpectedChange = read_json(&dir.join("expected-change.json"))?;
    let mut options = Options {
        expected: dir.join("expected-ldif.json"),
        rows: dir.join("rows.jsonl"),
        tenant: None,
        after_change: true,
        unchanged: false,
    };
    let changed =
        expected.people.iter().find(|person| person.key == change.key).ok_or("the changed person is missing")?;
    let delta: Vec<Value> = change
        .rows
        .iter()
        .map(|row| {
            let mut line = json!(row);
            line["person"] = json!(changed.identity);
            line["recipient"] = json!(change.recipient);
            line["added"] = row.added.iter().map(|hash| json!({ "sha256": hash })).collect();
            line
        })
        .collect();
    fs::write(&options.rows, lines(&delta))?;
    assert_eq!(verify(&options)?.differences, Vec::<String>::new());
    fs::write(&options.rows, lines(&perfect_rows(&expected)))?;
    assert!(!verify(&options)?.differences.is_empty(), "writing everybody again was not noticed");
    options.after_change = false;
    assert_eq!(verify(&options)?.differences, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_summary_counts_what_the_rows_say() -> Outcome {
    let (_, dir) = written("summary")?;
    let expected: Expected = read_json(&dir.join("expected-ldif.json"))?;
    fs::write(dir.join("rows.jsonl"), lines(&perfect_rows(&expected)))?;
    let table = summary::table(&dir.join("expected-ldif.json"), &dir.join("rows.jsonl"))?;
    let losers: usize = expected.people.iter().flat_map(|person| &person.rows).map(|row| row.losers.len()).sum();
    let number = |title: &str| {
        table
            .lines()
            .find(|line| line.starts_with(title))
            .and_then(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
    };
    assert_eq!(number("people"), Some(300));
    assert_eq!(number("left behind"), Some(losers));
    assert!(number("  over_limit") >= Some(5), "{table}");
    Ok(())
}
