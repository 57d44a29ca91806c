//! The form in which a tenant's certificates could be read, kept from one run to the next. It is a hint: where it fails, a
//! run finds out anew.

use crate::error::Result;
use crate::exchange::ReadForm;

use super::Job;

/// Lets the tenant be asked first in the form that worked last.
pub(super) fn expect(job: &Job<'_>) -> Result<()> {
    if let Some((environment, organization)) = tenant(job)
        && let Some(form) = job.store.read_form(environment, organization)?.as_deref().and_then(ReadForm::from_name)
    {
        job.exchange.expect_form(form);
    }
    Ok(())
}

/// Keeps the form that worked.
pub(super) fn keep(job: &Job<'_>) -> Result<()> {
    let Some((environment, organization)) = tenant(job) else { return Ok(()) };
    job.store.keep_read_form(environment, organization, job.exchange.read_form().map(ReadForm::name))
}

fn tenant<'a>(job: &Job<'a>) -> Option<(&'static str, &'a str)> {
    let exchange = job.context.config.exchange.as_ref()?;
    Some((exchange.environment.name(), exchange.organization.as_deref()?.trim()))
}
