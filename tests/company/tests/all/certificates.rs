//! openssl's opinion of every certificate and container: it must agree with what the recipes say.

use crate::common::{AT, Outcome, run, written};
use smimesync_company::certificate::sha256;
use smimesync_company::container::pem;
use smimesync_company::person::{Attribute, Fitness};
use smimesync_company::recipe::Recipe;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

const WRONG_PURPOSE: &str = "unsuitable certificate purpose";

#[test]
fn openssl_agrees_with_every_outcome() -> Outcome {
    let (company, dir) = written("verify")?;
    let trusted = dir.join("trusted.pem");
    fs::write(&trusted, fs::read_to_string(dir.join("roots.pem"))? + &fs::read_to_string(dir.join("partner.pem"))?)?;
    let lists = dir.join("crls.pem");
    let mut all_lists = String::new();
    for entry in fs::read_dir(dir.join("crls"))? {
        let path = entry?.path();
        let output = run("openssl", &["crl", "-inform", "DER", "-in", &path.to_string_lossy()])?;
        all_lists += std::str::from_utf8(&output.stdout)?;
    }
    fs::write(&lists, all_lists)?;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut good = 0;
    for person in &company.people {
        // one of many: the good ones are all made alike
        if person.recipe == Recipe::Good {
            good += 1;
            if good > 8 {
                continue;
            }
        }
        for value in person.values.iter().filter(|value| value.attribute == Attribute::UserCertificate) {
            if value.thumbprint.is_none() {
                continue;
            }
            let leaf = dir.join("leaf.pem");
            fs::write(&leaf, pem(&value.bytes))?;
            let reason = value.loses.unwrap_or("published");
            *seen.entry(reason).or_default() += 1;
            if reason == "other_person" {
                assert_eq!(addresses_of_owner(&leaf, &person.addresses)?, 0, "{:?}", person.addresses);
                continue;
            }
            let wanted = match reason {
                "expired" => "certificate has expired",
                "not_yet_valid" => "certificate is not yet valid",
                "revoked" => "certificate revoked",
                "weak" => "EE certificate key too weak",
                "undetermined" => "unable to get local issuer certificate",
                "wrong_purpose" => WRONG_PURPOSE,
                _ => ": OK",
            };
            let mut uses = vec![("smimesign", value.sign)];
            // openssl knows encryption by key transport alone, which EC keys cannot
            if person.recipe != Recipe::EllipticCurve && wanted == ": OK" {
                uses.push(("smimeencrypt", value.encrypt));
            }
            for (purpose, fitness) in uses {
                let text = verify(&trusted, &dir.join("intermediates.pem"), &lists, &leaf, purpose)?;
                let wanted = if wanted == ": OK" && fitness == Fitness::Unfit && reason != "anchor_domain" {
                    WRONG_PURPOSE
                } else {
                    wanted
                };
                assert!(text.contains(wanted), "{:?} {purpose}, expected {wanted}:\n{text}", person.recipe);
            }
            if wanted == ": OK" {
                assert_ne!(addresses_of_owner(&leaf, &person.addresses)?, 0, "{:?}", person.addresses);
            }
        }
    }
    for reason in
        ["published", "expired", "not_yet_valid", "revoked", "weak", "undetermined", "wrong_purpose", "other_person"]
    {
        assert!(seen.contains_key(reason), "no certificate for {reason}");
    }
    Ok(())
}

/// How many of a certificate's addresses, as openssl reads them, are the person's.
fn addresses_of_owner(leaf: &Path, addresses: &[String]) -> Result<usize, Box<dyn Error>> {
    let output = run("openssl", &["x509", "-noout", "-email", "-in", &leaf.to_string_lossy()])?;
    let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
    Ok(text.lines().filter(|email| addresses.iter().any(|address| address == email)).count())
}

fn verify(
    trusted: &Path,
    intermediates: &Path,
    lists: &Path,
    leaf: &Path,
    purpose: &str,
) -> Result<String, Box<dyn Error>> {
    let time = AT.unix_timestamp().to_string();
    let [trusted, intermediates, lists, leaf] =
        [trusted, intermediates, lists, leaf].map(|path| path.to_string_lossy());
    let arguments = [
        "verify",
        "-attime",
        &time,
        "-no-CApath",
        "-no-CAstore",
        "-CAfile",
        &trusted,
        "-untrusted",
        &intermediates,
        "-CRLfile",
        &lists,
        "-crl_check_all",
        "-purpose",
        purpose,
        "-auth_level",
        "2",
        &leaf,
    ];
    let output = run("openssl", &arguments)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn openssl_reads_and_verifies_every_cms_value() -> Outcome {
    let (company, dir) = written("cms")?;
    let mut seen = BTreeMap::new();
    for person in &company.people {
        for value in person.values.iter().filter(|value| value.attribute == Attribute::UserSmimeCertificate) {
            let is_cms = matches!(
                person.recipe,
                Recipe::CmsWithChain
                    | Recipe::CmsDualKey
                    | Recipe::CmsBer
                    | Recipe::CmsSigningOnly
                    | Recipe::ExpiredSmime
            );
            if !is_cms {
                continue;
            }
            *seen.entry(person.recipe).or_insert(0) += 1;
            let path = dir.join("value.der");
            fs::write(&path, &value.bytes)?;
            let path = path.to_string_lossy();
            // the trust is another test's subject; here the signature must be right
            let mut arguments =
                vec!["cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", &path, "-out", "/dev/null"];
            let is_ber = person.recipe == Recipe::CmsBer;
            assert_eq!(value.bytes.starts_with(&[0x30, 0x80]), is_ber, "{:?}", person.recipe);
            if !is_ber {
                arguments.extend(["-content", "/dev/null"]);
            }
            let output = run("openssl", &arguments)?;
            assert!(output.status.success(), "{:?}: {}", person.recipe, String::from_utf8_lossy(&output.stderr));
            let print = run("openssl", &["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", &path])?;
            let print = String::from_utf8_lossy(&print.stdout).into_owned();
            assert!(print.contains("S/MIME Capabilities"), "{:?}", person.recipe);
            assert_eq!(print.contains("id-smime-aa-encrypKeyPref"), !is_ber, "{:?}", person.recipe);
            assert_eq!(print.contains("1.3.6.1.4.1.311.16.4"), !is_ber, "{:?}", person.recipe);
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    Ok(())
}

#[test]
fn tagged_lists_hold_the_certificates_they_should() -> Outcome {
    let (company, _) = written("tagged")?;
    let mut lists = 0;
    for person in company.people.iter().filter(|person| person.recipe == Recipe::TaggedList) {
        for value in person.values.iter().filter(|value| value.attribute == Attribute::UserSmimeCertificate) {
            let mut rest = value.bytes.as_slice();
            let mut found = BTreeMap::new();
            while let [t0, t1, l0, l1, ..] = rest {
                let len = usize::from(u16::from_le_bytes([*l0, *l1]));
                found.insert(u16::from_le_bytes([*t0, *t1]), sha256(&rest[4..len]));
                rest = &rest[len..];
            }
            assert!(rest.is_empty());
            let plain: Vec<String> = person
                .values
                .iter()
                .filter(|v| v.attribute == Attribute::UserCertificate)
                .map(|v| v.sha256())
                .collect();
            assert_eq!(found.get(&3), plain.first());
            assert_eq!(found.get(&8), plain.get(1));
            lists += 1;
        }
    }
    assert!(lists >= 2);
    Ok(())
}
