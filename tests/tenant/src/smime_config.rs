//! `Get-SmimeConfig` and `Set-SmimeConfig`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::Value;
use time::macros::format_description;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::clock::utc;
use crate::cmdlets::SettingType;
use crate::errors::CmdletError;
use crate::parameters::Bound;
use crate::properties::PropertyValue;
use crate::sst;
use crate::state::SmimeConfig;
use crate::tenant::Core;

enum Default {
    Boolean(bool),
    Unsigned(u64),
    Text(&'static str),
}

const SETTINGS: &[(&str, Default)] = &[
    ("NoSignOnReply", Default::Boolean(true)),
    ("OWAAllowUserChoiceOfSigningCertificate", Default::Boolean(false)),
    ("OWAAlwaysEncrypt", Default::Boolean(false)),
    ("OWAAlwaysSign", Default::Boolean(false)),
    ("OWABCCEncryptedEmailForking", Default::Unsigned(0)),
    ("OWACheckCRLOnSend", Default::Boolean(false)),
    ("OWAClearSign", Default::Boolean(true)),
    ("OWACopyRecipientHeaders", Default::Boolean(false)),
    ("OWACRLConnectionTimeout", Default::Unsigned(60_000)),
    ("OWACRLRetrievalTimeout", Default::Unsigned(10_000)),
    ("OWADisableCRLCheck", Default::Boolean(false)),
    ("OWADLExpansionTimeout", Default::Unsigned(60_000)),
    ("OWAEncryptionAlgorithms", Default::Text("6610")),
    ("OWAEncryptTemporaryBuffers", Default::Boolean(true)),
    ("OWAForceSMIMEClientUpgrade", Default::Boolean(true)),
    ("OWAIncludeCertificateChainAndRootCertificate", Default::Boolean(false)),
    ("OWAIncludeCertificateChainWithoutRootCertificate", Default::Boolean(false)),
    ("OWAIncludeSMIMECapabilitiesInMessage", Default::Boolean(false)),
    ("OWAOnlyUseSmartCard", Default::Boolean(false)),
    ("OWASenderCertificateAttributesToDisplay", Default::Text("")),
    ("OWASignedEmailCertificateInclusion", Default::Boolean(true)),
    ("OWASigningAlgorithms", Default::Text("8004")),
    ("OWATripleWrapSignedEncryptedMail", Default::Boolean(true)),
    ("OWAUseKeyIdentifier", Default::Boolean(false)),
    ("OWAUseSecondaryProxiesWhenFindingCertificates", Default::Boolean(true)),
];

/// The type of a setting, if there is one of that name.
pub(crate) fn setting_type(name: &str) -> Option<SettingType> {
    SETTINGS.iter().find(|(known, _)| *known == name).map(|(_, default)| match default {
        Default::Boolean(_) => SettingType::Boolean,
        Default::Unsigned(_) => SettingType::Unsigned,
        Default::Text(_) => SettingType::Text,
    })
}

/// Refuses settings of a state file that `Set-SmimeConfig` does not have, or of another type.
pub(crate) fn check_settings(settings: &BTreeMap<String, Value>) -> Result<(), String> {
    for (name, value) in settings {
        let fits = match setting_type(name) {
            None => return Err(format!("smime_config has the unknown setting `{name}`")),
            Some(SettingType::Boolean) => value.is_boolean(),
            Some(SettingType::Unsigned) => value.is_u64(),
            Some(SettingType::Text) => value.is_string(),
        };
        if !fits {
            return Err(format!("smime_config setting `{name}` has the wrong type"));
        }
    }
    Ok(())
}

/// Carries out `Set-SmimeConfig`; nothing changes when the SST is refused. `now_s` decides what has expired.
pub(crate) fn set(core: &mut Core, bound: Bound, now_s: i64) -> Result<(), CmdletError> {
    check_identity(&bound)?;
    let max_bytes = core.switches.max_sst_bytes;
    if let Some(Some(store)) = &bound.issuing_certificates {
        check_store(store, max_bytes, now_s).map_err(CmdletError::issuing_certificates)?;
    }
    let lag = core.switches.smime_config_lag;
    core.smime_config_before = (lag > 0).then(|| (core.smime_config.clone(), lag));
    let config = &mut core.smime_config;
    if let Some(store) = bound.issuing_certificates {
        config.smime_certificate_issuing_ca = store;
    }
    config.settings.extend(bound.settings);
    Ok(())
}

/// What is shown now: for a while after a write some servers know what was there before alone.
pub(crate) fn shown(core: &mut Core) -> SmimeConfig {
    match core.smime_config_before.take() {
        Some((before, 1)) => before,
        Some((before, left)) => {
            core.smime_config_before = Some((before.clone(), left.saturating_sub(1)));
            before
        }
        None => core.smime_config.clone(),
    }
}

/// The one configuration object has one name, and most callers give none.
pub(crate) fn check_identity(bound: &Bound) -> Result<(), CmdletError> {
    match &bound.identity {
        Some(identity) if identity != NAME => Err(CmdletError::not_found(identity, 404)),
        _ => Ok(()),
    }
}

const NAME: &str = "Smime Configuration";

fn check_store(store: &[u8], max_bytes: usize, now_s: i64) -> Result<(), String> {
    if store.len() > max_bytes {
        return Err(format!("SMIMECertificateIssuingCA is larger than {max_bytes} bytes."));
    }
    let certificates = sst::certificates(store).ok_or("SMIMECertificateIssuingCA has wrong format")?;
    let mut expired = Vec::new();
    for der in certificates {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|_| "SMIMECertificateIssuingCA has wrong format")?;
        if certificate.validity().not_after.timestamp() < now_s {
            expired.push(thumbprint(der));
        }
    }
    if expired.is_empty() {
        Ok(())
    } else {
        Err(format!("SMIMECertificateIssuingCA contains expired certificates: {}", expired.join(", ")))
    }
}

fn thumbprint(der: &[u8]) -> String {
    hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, der))
}

/// What `Get-SmimeConfig` shows.
pub(crate) fn properties(config: &SmimeConfig, now_s: i64) -> Vec<(&'static str, PropertyValue<'_>)> {
    let mut properties = vec![
        ("Identity", PropertyValue::Text(Cow::Borrowed(NAME))),
        ("Name", PropertyValue::Text(Cow::Borrowed(NAME))),
    ];
    for (name, default) in SETTINGS {
        let set = config.settings.get(*name);
        let value = match default {
            Default::Boolean(value) => PropertyValue::Boolean(set.and_then(Value::as_bool).unwrap_or(*value)),
            Default::Unsigned(value) => PropertyValue::Unsigned(set.and_then(Value::as_u64).unwrap_or(*value)),
            Default::Text(value) => PropertyValue::Text(Cow::Borrowed(set.and_then(Value::as_str).unwrap_or(value))),
        };
        properties.push((*name, value));
    }
    let store = config.smime_certificate_issuing_ca.as_deref();
    let dated: Vec<(i64, String)> = store
        .and_then(sst::certificates)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|der| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            Some((certificate.validity().not_after.timestamp(), thumbprint(der)))
        })
        .collect();
    let expired: Vec<&str> =
        dated.iter().filter(|(end, _)| *end < now_s).map(|(_, thumbprint)| thumbprint.as_str()).collect();
    let first_end = dated.iter().map(|(end, _)| *end).min();
    properties.push(("SMIMECertificateIssuingCA", store.map_or(PropertyValue::Null, PropertyValue::Bytes)));
    properties.push((
        "SMIMECertificatesExpiryDate",
        first_end.map_or(PropertyValue::Null, |end| PropertyValue::Text(date(end).into())),
    ));
    properties.push((
        "SMIMEExpiredCertificateThumbprint",
        if expired.is_empty() { PropertyValue::Null } else { PropertyValue::Text(expired.join(", ").into()) },
    ));
    properties
}

fn date(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    utc(seconds).format(&format).unwrap_or_default()
}
