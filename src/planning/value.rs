//! A judged value of a certificate attribute.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::certificate::{Attribute, Certificate, Sha256};
use crate::people::RawValue;
use crate::validation::{Fitness, NOT_IN_TENANT, Use, Verdict};

use super::{Policy, reason};

/// A value of the directory or of Exchange together with what was found out about it.
#[derive(Debug, Clone)]
pub struct Value {
    /// The attribute.
    pub attribute: Attribute,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// The bytes, unchanged.
    pub bytes: Arc<[u8]>,
    /// The certificate that was judged; `None` where the value holds none.
    pub certificate: Option<Arc<CertificateSummary>>,
    /// The verdict on that certificate.
    pub verdict: Arc<Verdict>,
    /// Why it is unfit, as validation names it; looked at only where the verdict is unfit.
    pub reason: Option<&'static str>,
}

impl Value {
    /// Why it is not chosen; `None` where it counts as fit.
    pub(super) fn unfit_reason(&self, policy: &Policy) -> Option<&'static str> {
        if policy.counts_as_fit(self, Use::Both) {
            return None;
        }
        // an undetermined value must never carry a reason that removes
        Some(match self.verdict.fitness() {
            Fitness::Unfit => self.reason.unwrap_or(reason::UNFIT),
            Fitness::Undetermined | Fitness::Fit => {
                self.reason.filter(|found| *found == NOT_IN_TENANT).unwrap_or(reason::UNDETERMINED)
            }
        })
    }

    /// Whether its certificate may serve S/MIME by its extended key usage; any other belongs to another system.
    pub(super) fn is_for_mail(&self) -> bool {
        self.certificate.is_some() && !self.verdict.findings.iter().any(|finding| finding.code == "extended_key_usage")
    }

    /// What values are ordered by: the newest first, then by digest.
    pub(super) fn rank(&self) -> (Reverse<i64>, Sha256) {
        (Reverse(self.certificate.as_ref().map_or(i64::MIN, |certificate| certificate.not_before_ms)), self.sha256)
    }

    /// When its certificate begins or ends to be valid next, in milliseconds since 1970 UTC.
    pub fn due_ms(&self, at_ms: i64) -> Option<i64> {
        let certificate = self.certificate.as_deref()?;
        [certificate.not_before_ms, certificate.not_after_ms].into_iter().filter(|time| *time > at_ms).min()
    }

    /// The value without what was found out about it.
    pub fn raw(&self) -> RawValue {
        RawValue { attribute: self.attribute, bytes: Arc::clone(&self.bytes), sha256: self.sha256 }
    }
}

/// What is kept of a certificate once it was judged: what rows show and values are ordered by. A run keeps one for each
/// value of everybody, so it holds neither bytes nor extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSummary {
    /// SHA-1 of its bytes, upper-case hexadecimal.
    pub thumbprint: String,
    /// Subject as RFC 4514 text.
    pub subject: String,
    /// Start of validity, milliseconds since 1970 UTC.
    pub not_before_ms: i64,
    /// End of validity, milliseconds since 1970 UTC.
    pub not_after_ms: i64,
}

impl From<&Certificate> for CertificateSummary {
    fn from(certificate: &Certificate) -> Self {
        Self {
            thumbprint: certificate.thumbprint.clone(),
            subject: certificate.subject.clone(),
            not_before_ms: certificate.not_before_ms,
            not_after_ms: certificate.not_after_ms,
        }
    }
}

/// What a recipient holds, judged with the addresses of the person behind it.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// Values of `UserCertificate` in Exchange's order; `None` where they could not be read.
    pub user_certificate: Option<Vec<Value>>,
    /// Values of `UserSMimeCertificate` in Exchange's order; `None` where they could not be read.
    pub user_smime_certificate: Option<Vec<Value>>,
}

impl Before {
    /// The values of an attribute; `None` where they could not be read.
    pub fn values(&self, attribute: Attribute) -> Option<&[Value]> {
        match attribute {
            Attribute::UserCertificate => self.user_certificate.as_deref(),
            Attribute::UserSmimeCertificate => self.user_smime_certificate.as_deref(),
            Attribute::IssuingCertificates => None,
        }
    }
}
