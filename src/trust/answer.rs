//! What came from a place that a certificate names, and whether it is what was asked for.

use crate::certificate::{Bundle, Certificate, Crl, OcspError, OcspResponse, Sha256, der};
use crate::net::Cause;
use crate::validation::Need;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Certificates of an issuer.
    Issuer,
    /// CRLs.
    Crl,
    /// The answer to an OCSP request of this digest.
    Ocsp(Sha256),
}

impl Kind {
    pub(super) fn of(need: &Need) -> Self {
        match need {
            Need::Issuer { .. } => Self::Issuer,
            Need::Crl { .. } => Self::Crl,
            Need::Ocsp { request, .. } => Self::Ocsp(Sha256::of(request)),
        }
    }

    /// The digest of the OCSP request.
    pub(super) fn request(self) -> Option<Sha256> {
        match self {
            Self::Ocsp(request) => Some(request),
            Self::Issuer | Self::Crl => None,
        }
    }

    /// Its name in the store.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Crl => "crl",
            Self::Ocsp(_) => "ocsp",
        }
    }
}

/// What came from a place.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) certificates: Vec<Certificate>,
    pub(super) crls: Vec<Crl>,
    pub(super) ocsp_responses: Vec<OcspResponse>,
    /// From when on it says nothing any more; `None` where it does not say.
    pub(super) next_update_ms: Option<i64>,
}

impl Answer {
    /// What bytes from a web server hold of a kind.
    pub(super) fn of_bytes(kind: Kind, bytes: &[u8]) -> Result<Self, Cause> {
        if matches!(kind, Kind::Ocsp(_)) {
            return Self::of_ocsp(bytes);
        }
        let Bundle { certificates, crls, .. } = Bundle::read(bytes);
        Self { certificates, crls, ..Self::default() }.only(kind)
    }

    fn of_ocsp(bytes: &[u8]) -> Result<Self, Cause> {
        let response = OcspResponse::parse(bytes).map_err(|error| match error {
            OcspError::Unreadable(_) => Cause::NotAnOcspAnswer,
            OcspError::Refused(status) => Cause::Refused(status),
        })?;
        let next_update_ms = earliest(response.details.answers.iter().map(|answer| answer.next_update_ms));
        Ok(Self { ocsp_responses: vec![response], next_update_ms, ..Self::default() })
    }

    /// What a directory's values, one behind the other, hold of a kind. Values that are something else are left out:
    /// Active Directory's authorities write a single zero where there is nothing yet.
    pub(super) fn of_values(kind: Kind, values: &[u8]) -> Result<Self, Cause> {
        let mut found = Self::default();
        for value in der::raw_elements(values).iter().flatten() {
            match kind {
                Kind::Issuer => found.certificates.extend(certificates(value)),
                Kind::Crl => found.crls.extend(Crl::parse(value)),
                Kind::Ocsp(_) => {}
            }
        }
        found.only(kind)
    }

    /// What else came along was not asked for.
    fn only(self, kind: Kind) -> Result<Self, Cause> {
        match kind {
            Kind::Issuer if self.certificates.is_empty() => Err(Cause::NotACertificate),
            Kind::Issuer => {
                let next_update_ms = self.certificates.iter().map(|certificate| certificate.not_after_ms).max();
                Ok(Self { crls: Vec::new(), next_update_ms, ..self })
            }
            Kind::Crl if self.crls.is_empty() => Err(Cause::NotACrl),
            Kind::Crl => {
                let next_update_ms = earliest(self.crls.iter().map(|crl| crl.next_update_ms));
                Ok(Self { certificates: Vec::new(), next_update_ms, ..self })
            }
            Kind::Ocsp(_) => Err(Cause::NotAnOcspAnswer),
        }
    }

    /// Whether it was out of date already when it came, so that another place may have better.
    pub(super) fn is_outdated(&self, now_ms: i64) -> bool {
        self.next_update_ms.is_some_and(|next_update_ms| next_update_ms <= now_ms)
    }
}

/// The earliest of these times; `None` where one is not known.
fn earliest(times: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    times.collect::<Option<Vec<i64>>>()?.into_iter().min()
}

/// The certificate of a value, or both of a crossCertificatePair (RFC 4523 2.3).
fn certificates(value: &[u8]) -> Vec<Certificate> {
    if let Ok(certificate) = Certificate::parse(value) {
        return vec![certificate];
    }
    let pair = der::whole(value).and_then(|pair| der::elements(pair.data)).unwrap_or_default();
    pair.iter().filter_map(|half| Certificate::parse(half.data).ok()).collect()
}

/// A directory's values as one text of bytes, from which [`Answer::of_values`] finds them again.
pub(super) fn joined(values: &[Vec<u8>]) -> Vec<u8> {
    // a value that is no single element would hide those behind it
    values.iter().filter(|value| der::whole(value).is_some()).flatten().copied().collect()
}
