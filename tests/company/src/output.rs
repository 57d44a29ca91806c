//! A company as files.

use crate::company::Company;
use crate::directory::Directory;
use crate::error::{Error, Result};
use crate::expected::{Expected, ExpectedChange};
use crate::ldif;
use crate::maker::{PARTNER_DOMAIN, TENANT_DOMAIN};
use crate::person::Attribute;
use crate::tenant;
use serde::Serialize;
use serde_json::json;
use std::fs;
use std::path::Path;

/// Writes everything below `dir`. With `fixed_time` the configuration judges at the company's moment, not at the clock's.
///
/// # Errors
/// A file cannot be written.
pub fn write(company: &Company, dir: &Path, fixed_time: bool) -> Result<()> {
    let crl_dir = dir.join("crls");
    fs::create_dir_all(&crl_dir).map_err(Error::io(&crl_dir))?;
    text(dir, "roots.pem", &company.pki.roots_pem())?;
    text(dir, "intermediates.pem", &company.pki.intermediates_pem())?;
    text(dir, "partner.pem", &company.pki.partner_pem())?;
    let mut crls = Vec::new();
    for (name, list) in company.pki.crls()? {
        let path = crl_dir.join(&name);
        fs::write(&path, list).map_err(Error::io(&path))?;
        crls.push(format!("crls/{name}"));
    }
    directories(company, dir)?;
    let state = tenant::state(company);
    for name in ["tenant.json", "tenant-ad.json", "tenant-openldap.json"] {
        json_file(dir, name, &state)?;
    }
    json_file(dir, "company.json", &configuration(company, &crls, fixed_time))
}

fn directories(company: &Company, dir: &Path) -> Result<()> {
    for directory in Directory::ALL {
        let name = match directory {
            Directory::Ldif => "people.ldif".to_owned(),
            Directory::Ad | Directory::OpenLdap => format!("people-{}.ldif", directory.name()),
        };
        text(dir, &name, &ldif::file(directory == Directory::Ldif, &directory.entries(&company.people)))?;
        let expected = Expected::of(company, directory);
        json_file(dir, &format!("expected-{}.json", directory.name()), &expected)?;
    }
    let changed = Directory::Ldif.entries(&company.people_changed());
    text(dir, "people-changed.ldif", &ldif::file(true, &changed))?;
    let person = &company.changed.person;
    let values: Vec<&[u8]> = person.values.iter().map(|value| value.bytes.as_slice()).collect();
    for directory in [Directory::Ad, Directory::OpenLdap] {
        let attribute = directory.attribute_description(Attribute::UserCertificate);
        let record = ldif::replace(&directory.dn(person), attribute, &values);
        text(dir, &format!("change-{}.ldif", directory.name()), &record)?;
    }
    json_file(dir, "expected-change.json", &ExpectedChange::of(company))
}

/// What a configuration takes over: file names are relative to the company's folder.
fn configuration(company: &Company, crls: &[String], fixed_time: bool) -> serde_json::Value {
    let mut configuration = json!({
        "trust": {
            "anchors": ["roots.pem", { "file": "partner.pem", "domains": [PARTNER_DOMAIN] }],
            "intermediates": ["intermediates.pem"],
            // the authorities' hosts exist nowhere
            "fetch_issuers": false,
        },
        "revocation": { "mode": "offline", "crls": crls },
        "exchange": {
            "organization": TENANT_DOMAIN,
            "auth": { "method": "secret", "app_id": company.app_id.to_string(), "secret": company.secret },
        },
    });
    if fixed_time {
        configuration["policy"] = json!({ "at": company.at_text() });
    }
    configuration
}

fn text(dir: &Path, name: &str, content: &str) -> Result<()> {
    let path = dir.join(name);
    fs::write(&path, content).map_err(Error::io(&path))
}

fn json_file(dir: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let path = dir.join(name);
    let mut content = serde_json::to_vec_pretty(value).map_err(Error::json(&path))?;
    content.push(b'\n');
    fs::write(&path, content).map_err(Error::io(&path))
}
