//! A cmdlet's parameters, bound: known, and of the right type.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::cmdlets::{Cmdlet, ParameterType, SettingType};
use crate::errors::CmdletError;
use crate::opath::Filter;
use crate::state::RecipientTypeDetails;
use crate::write_shape;

/// The parameters of one call.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub(crate) identity: Option<String>,
    pub(crate) result_size: ResultSize,
    pub(crate) filter: Option<Filter>,
    pub(crate) recipient_types: Option<Vec<RecipientTypeDetails>>,
    /// The values to hold, none to clear; absent: untouched.
    pub(crate) user_certificate: Option<Vec<Vec<u8>>>,
    pub(crate) user_smime_certificate: Option<Vec<Vec<u8>>>,
    /// `Confirm: true` asks what would be done.
    pub(crate) confirm: bool,
    pub(crate) settings: BTreeMap<String, Value>,
    /// The new SST, none to clear; absent: untouched.
    pub(crate) issuing_certificates: Option<Option<Vec<u8>>>,
}

/// How many objects a listing gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultSize {
    Limit(usize),
    Unlimited,
}

impl Default for ResultSize {
    fn default() -> Self {
        Self::Limit(1000)
    }
}

/// Binds `parameters` to `cmdlet`.
pub(crate) fn bind(cmdlet: Cmdlet, parameters: &Map<String, Value>) -> Result<Bound, CmdletError> {
    let mut bound = Bound::default();
    for (name, value) in parameters {
        if name == "@odata.type" {
            continue;
        }
        if let Some(annotated) = name.strip_suffix("@odata.type") {
            check_annotation(cmdlet, parameters, annotated)?;
            continue;
        }
        let kind = cmdlet.parameter(name).ok_or_else(|| CmdletError::unknown_parameter(name))?;
        match kind {
            ParameterType::Identity => bound.identity = identity(value)?,
            ParameterType::ResultSize => bound.result_size = result_size(value)?,
            ParameterType::Filter => bound.filter = filter(value)?,
            ParameterType::RecipientTypeDetails => bound.recipient_types = Some(recipient_types(value)?),
            ParameterType::Certificates => {
                let values = write_shape::certificates(parameters, name)
                    .map_err(|reason| CmdletError::transformation(name, &reason))?;
                if name == "UserCertificate" {
                    bound.user_certificate = Some(values);
                } else {
                    bound.user_smime_certificate = Some(values);
                }
            }
            ParameterType::Confirm => {
                bound.confirm = value.as_bool().ok_or_else(|| CmdletError::wrong_type(name, "SwitchParameter"))?;
            }
            ParameterType::ActionPreference => action_preference(name, value)?,
            ParameterType::Setting(kind) => {
                check_setting(name, kind, value)?;
                bound.settings.insert(name.clone(), value.clone());
            }
            ParameterType::IssuingCertificates => {
                let sst =
                    write_shape::byte_array(value).map_err(|reason| CmdletError::transformation(name, &reason))?;
                bound.issuing_certificates = Some(sst);
            }
        }
    }
    Ok(bound)
}

/// An annotation belongs to a parameter that is there, and only byte collections carry one.
fn check_annotation(cmdlet: Cmdlet, parameters: &Map<String, Value>, annotated: &str) -> Result<(), CmdletError> {
    match cmdlet.parameter(annotated) {
        None => Err(CmdletError::unknown_parameter(annotated)),
        Some(ParameterType::Certificates) if parameters.contains_key(annotated) => Ok(()),
        Some(ParameterType::Certificates) => {
            Err(CmdletError::transformation(annotated, "the annotation has no value."))
        }
        Some(_) => Err(CmdletError::wrong_type(annotated, "System.Object")),
    }
}

/// An empty identity is none, as in the service.
fn identity(value: &Value) -> Result<Option<String>, CmdletError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        _ => Err(CmdletError::wrong_type("Identity", "Microsoft.Exchange.Configuration.Tasks.RecipientIdParameter")),
    }
}

fn result_size(value: &Value) -> Result<ResultSize, CmdletError> {
    let number = match value {
        Value::String(text) if text.eq_ignore_ascii_case("unlimited") => return Ok(ResultSize::Unlimited),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    number
        .and_then(|number| usize::try_from(number).ok())
        .map(ResultSize::Limit)
        .ok_or_else(|| CmdletError::wrong_type("ResultSize", "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]"))
}

fn filter(value: &Value) -> Result<Option<Filter>, CmdletError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Filter::parse(text).map(Some).map_err(|reason| CmdletError::filter(&reason)),
        _ => Err(CmdletError::wrong_type("Filter", "System.String")),
    }
}

fn recipient_types(value: &Value) -> Result<Vec<RecipientTypeDetails>, CmdletError> {
    let wrong = || {
        CmdletError::wrong_type(
            "RecipientTypeDetails",
            "Microsoft.Exchange.Data.Directory.Recipient.RecipientTypeDetails[]",
        )
    };
    let one = |value: &Value| value.as_str().and_then(RecipientTypeDetails::from_name).ok_or_else(wrong);
    match value {
        Value::Array(values) => values.iter().map(one).collect(),
        // PowerShell splits nothing: one text is one name.
        other => Ok(vec![one(other)?]),
    }
}

fn action_preference(name: &str, value: &Value) -> Result<(), CmdletError> {
    const KNOWN: [&str; 6] = ["Continue", "Ignore", "Inquire", "SilentlyContinue", "Stop", "Suspend"];
    let known = value.as_str().is_some_and(|text| KNOWN.iter().any(|known| known.eq_ignore_ascii_case(text)));
    if known { Ok(()) } else { Err(CmdletError::wrong_type(name, "System.Management.Automation.ActionPreference")) }
}

fn check_setting(name: &str, kind: SettingType, value: &Value) -> Result<(), CmdletError> {
    let (fits, wanted) = match kind {
        SettingType::Boolean => (value.is_boolean(), "System.Boolean"),
        SettingType::Unsigned => (value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()), "System.UInt32"),
        SettingType::Text => (value.is_string(), "System.String"),
    };
    if fits { Ok(()) } else { Err(CmdletError::wrong_type(name, wanted)) }
}
