//! What must work before a run can: sign-in, and reading one recipient; and whether the tenant's authorities can be read.

use crate::error::{Code, Error};
use crate::net::{CheckResult, CheckStep};
use crate::text::Text;

use super::client::Exchange;
use super::recipients::Selection;
use super::sign_in::day;

/// The application permission that the admin API asks for.
const PERMISSION: &str = "Exchange.ManageAsApp";

/// Reading the authorities that the tenant trusts.
const ISSUERS_STEP: &str = "issuers";

impl Exchange {
    /// Tries sign-in, reads one recipient and the tenant's authorities; nothing is written.
    pub async fn check(&self) -> Vec<CheckStep> {
        let (mut steps, token_step, list_step) = (Vec::new(), "token", "list");
        if let Some((thumbprint, end_ms)) = self.tokens.certificate().await {
            let detail = vec![("thumbprint", thumbprint), ("end", day(end_ms))];
            let detail = Some(Text::new("check", "exchange_certificate", detail));
            steps.push(CheckStep { detail, ..CheckStep::pass("certificate", 0) });
        }
        let begun = self.now_ms();
        let token = match self.tokens.current(&self.terms).await {
            Ok(token) => token,
            Err(error) => {
                let remedy = remedy(&error, false);
                let failed = CheckStep::fail(token_step, self.since(begun), error, remedy);
                steps.extend([failed, CheckStep::skipped(list_step), CheckStep::skipped(ISSUERS_STEP)]);
                return steps;
            }
        };
        let tenant = token.tenant().unwrap_or_default().to_owned();
        let detail = Some(Text::new("check", "exchange_signed_in", vec![("tenant", tenant)]));
        let signed_in = CheckStep { detail, ..CheckStep::pass(token_step, self.since(begun)) };
        let begun = self.now_ms();
        let one = Selection { limit: Some(1), ..Selection::default() };
        let listed = match self.collect(one).await {
            Ok((recipients, _)) => {
                let counts = vec![("recipients", recipients.len().to_string())];
                let detail = Some(Text::new("check", "exchange_listed", counts));
                CheckStep { detail, ..CheckStep::pass(list_step, self.since(begun)) }
            }
            Err(error) => {
                let lacks_permission = token.roles().is_some_and(|roles| !roles.iter().any(|role| role == PERMISSION));
                let remedy = remedy(&error, lacks_permission);
                CheckStep::fail(list_step, self.since(begun), error, remedy)
            }
        };
        let issuers = match listed.result {
            CheckResult::Pass => self.check_issuers().await,
            CheckResult::Fail | CheckResult::Skipped => CheckStep::skipped(ISSUERS_STEP),
        };
        steps.extend([signed_in, listed, issuers]);
        steps
    }

    /// Whether the authorities that the tenant trusts can be read. Runs go on without, so a lacking right fails nothing.
    async fn check_issuers(&self) -> CheckStep {
        let begun = self.now_ms();
        let text = |name: &'static str| Some(Text::plain("check", name));
        match self.issuing_certificates().await {
            Ok(Some(store)) => {
                let counts = vec![("bytes", store.len().to_string())];
                let detail = Some(Text::new("check", "exchange_issuers_read", counts));
                CheckStep { detail, ..CheckStep::pass(ISSUERS_STEP, self.since(begun)) }
            }
            Ok(None) => {
                let detail = text("exchange_issuers_none");
                CheckStep { detail, ..CheckStep::pass(ISSUERS_STEP, self.since(begun)) }
            }
            Err(error) if error.code() == Code::ExchangeDenied => {
                let (detail, remedy) = (text("exchange_issuers_denied"), text("exchange_issuers_right"));
                CheckStep { detail, remedy, ..CheckStep::skipped(ISSUERS_STEP) }
            }
            Err(error) => {
                let remedy = remedy(&error, false);
                CheckStep::fail(ISSUERS_STEP, self.since(begun), error, remedy)
            }
        }
    }

    fn since(&self, begun_ms: i64) -> u64 {
        u64::try_from(self.now_ms() - begun_ms).unwrap_or(0)
    }
}

fn remedy(error: &Error, lacks_permission: bool) -> Option<Text> {
    let name = match (error.get_remedy(), error.code()) {
        (_, Code::ExchangeAuth | Code::ExchangeDenied) if lacks_permission => "exchange_permission",
        (Some(known), _) => return Some(known.clone()),
        (None, Code::ExchangeAuth) => "exchange_auth",
        (None, Code::ExchangeThrottled) => "exchange_throttled",
        (None, Code::ExchangeRefused) => "exchange_refused",
        (None, _) => return None,
    };
    Some(Text::plain("check", name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Culture, exists};

    #[test]
    fn every_remedy_has_its_sentence() {
        for info in crate::error::CODES {
            for lacks_permission in [false, true] {
                if let Some(text) = remedy(&Error::new(info.code), lacks_permission) {
                    assert!(!text.render(Culture::English).starts_with("check."), "{}", info.name);
                }
            }
        }
        assert!(exists(Culture::English, "check", "exchange_permission"));
    }
}
