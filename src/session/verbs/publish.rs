//! `publish`: certificates into the directory.

use std::sync::Arc;

use serde::Deserialize;

use crate::certificate::{Attribute, Container, certs_only};
use crate::config::{Source, pointer_error};
use crate::directory::Selection;
use crate::error::Result;
use crate::people::RawValue;
use crate::session::context::Context;
use crate::session::options::{guards, with_selection};
use crate::session::output::Output;
use crate::sync::{self, Publish};

use super::Work;
use super::compare::run_context;
use super::sync::durable;
use super::validate::{Item, subjects};

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum Target {
    #[serde(rename = "userCertificate")]
    UserCertificate,
    #[serde(rename = "userSMIMECertificate")]
    UserSmimeCertificate,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wrapping {
    #[default]
    None,
    Cms,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    certificates: Vec<Item>,
    attribute: Option<Target>,
    container: Wrapping,
    staging: Option<bool>,
    force: Vec<String>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, options) = with_selection::<Options>(options)?;
    let force = guards(options.force.clone())?;
    if options.certificates.is_empty() {
        return Err(pointer_error(Source::Options, "/certificates", "expected at least one certificate"));
    }
    if options.container == Wrapping::Cms && options.attribute == Some(Target::UserCertificate) {
        return Err(pointer_error(
            Source::Options,
            "/container",
            "expected none, as userCertificate holds no container",
        ));
    }
    Ok(Box::pin(async move {
        let (config, store) = (context.config(), context.store()?);
        let staging = durable(&store, options.staging)?;
        let at_ms = config.at_ms(context.surroundings().now_ms())?;
        let mut values = Vec::new();
        for (index, subject) in subjects(None, Some(&options.certificates), &config)?.into_iter().enumerate() {
            let pointer = format!("/certificates/{index}");
            let certificate = subject.value.chosen(at_ms);
            let certificate =
                certificate.ok_or_else(|| pointer_error(Source::Options, &pointer, "expected a certificate"))?;
            let is_container = subject.value.container != Container::None;
            let attribute = match options.attribute {
                Some(Target::UserCertificate) if is_container => {
                    return Err(pointer_error(Source::Options, &pointer, "expected no container for userCertificate"));
                }
                Some(Target::UserCertificate) => Attribute::UserCertificate,
                Some(Target::UserSmimeCertificate) => Attribute::UserSmimeCertificate,
                None if is_container || options.container == Wrapping::Cms => Attribute::UserSmimeCertificate,
                None => Attribute::UserCertificate,
            };
            let wrap = options.container == Wrapping::Cms && !is_container;
            let bytes = if wrap { certs_only(certificate).into() } else { Arc::clone(&subject.value.bytes) };
            values.push((RawValue::new(attribute, bytes), certificate.emails.clone()));
        }
        let selection = match selection == Selection::default() {
            true => Selection { identities: addressees(&values)?, ..selection },
            false => selection,
        };
        let values = values.into_iter().map(|(value, _)| value).collect();
        let publish = Publish { selection, values, staging, force };
        sync::publish(&run_context(&context, &config, &store, &output), publish).await
    }))
}

/// Where nobody is named, a certificate goes to the people whose addresses it has.
fn addressees(values: &[(RawValue, Vec<String>)]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (index, (_, emails)) in values.iter().enumerate() {
        if emails.is_empty() {
            let wanted = "expected a certificate with an address, or identities";
            return Err(pointer_error(Source::Options, &format!("/certificates/{index}"), wanted));
        }
        found.extend(emails.iter().cloned());
    }
    found.sort();
    found.dedup();
    Ok(found)
}
