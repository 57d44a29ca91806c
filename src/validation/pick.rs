//! Which of several certificates Microsoft's clients pick. What they look at guides the choice, not the verdict.

use std::cmp::Reverse;

use crate::certificate::Attribute;

use super::verdict::{AddressMatch, Use, Verdict};

/// Findings on the purpose of a certificate for which clients pass it over, whatever they look for.
const PASSED_OVER: [&str; 2] = ["ca_certificate", "extended_key_usage"];

/// What a choice looks at of a certificate.
#[derive(Debug, Clone, Copy)]
pub struct CandidateCertificate<'a> {
    /// SHA-1, upper-case hexadecimal.
    pub thumbprint: &'a str,
    /// Start of validity, milliseconds since 1970 UTC.
    pub not_before_ms: i64,
    /// End of validity, milliseconds since 1970 UTC.
    pub not_after_ms: i64,
}

/// A judged value, as far as a choice depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The attribute that holds it.
    pub attribute: Attribute,
    /// The certificate that was judged; `None` where the value holds none.
    pub certificate: Option<CandidateCertificate<'a>>,
    /// The verdict on it.
    pub verdict: &'a Verdict,
}

/// The place of the value that Outlook on a desktop takes to encrypt to whom these values belong, in this order; fit or not.
///
/// `userSMIMECertificate` comes first, and `userCertificate` is looked at only if the former holds no certificate; there
/// is no falling back from one that turns out bad (KB 2840546, KB 884738). Within an attribute it is the first one valid
/// in time with the right purpose ("Outlook S/MIME certificate selection"). Address, strength, path and revocation do
/// not guide the choice, which is why this does not ask the verdict.
pub fn outlook_pick(values: &[Candidate<'_>], at_ms: i64) -> Option<usize> {
    let attribute = attribute_asked(values);
    let mut held = places(values, attribute).peekable();
    let front = held.peek().copied();
    let first = held.find(|(_, value)| value.serves(Use::Encrypt, at_ms));
    // of userSMIMECertificate it takes the first one even if none serves
    let otherwise = front.filter(|_| attribute == Attribute::UserSmimeCertificate);
    first.or(otherwise).map(|(place, _)| place)
}

/// The place of the value that Outlook on the web and the new Outlook take.
///
/// To sign: the newest by notBefore of those with the right purpose and one of the person's addresses (Set-SmimeConfig),
/// which attribute ever holds it. To encrypt: the same within the attribute that Exchange prefers ([MS-OXLDAP] 2.2.5.2);
/// that it is the newest there too is not documented. Which of two equally new ones is not specified; here it is the first.
pub fn owa_pick(values: &[Candidate<'_>], wanted: Use, at_ms: i64) -> Option<usize> {
    let attribute = attribute_asked(values);
    let asked = |value: &Candidate<'_>| wanted == Use::Sign || value.attribute == attribute;
    let newest = values
        .iter()
        .enumerate()
        .filter(|(_, value)| asked(value) && value.is_the_persons() && value.serves(wanted, at_ms))
        .filter_map(|(place, value)| Some((value.certificate?.not_before_ms, Reverse(place))));
    newest.max().map(|(_, Reverse(place))| place)
}

/// The one attribute that is looked at to encrypt.
fn attribute_asked(values: &[Candidate<'_>]) -> Attribute {
    let smime = places(values, Attribute::UserSmimeCertificate).next();
    smime.map_or(Attribute::UserCertificate, |_| Attribute::UserSmimeCertificate)
}

/// The values of an attribute that hold a certificate, and their places.
fn places<'a, 'b>(
    values: &'a [Candidate<'b>],
    attribute: Attribute,
) -> impl Iterator<Item = (usize, &'a Candidate<'b>)> {
    let held = values.iter().enumerate();
    held.filter(move |(_, value)| value.attribute == attribute && value.certificate.is_some())
}

impl Candidate<'_> {
    /// Whether it is valid in time and has the right purpose.
    fn serves(&self, wanted: Use, at_ms: i64) -> bool {
        let of_use: &[&str] = match wanted {
            Use::Encrypt => &["key_usage_encrypt"],
            Use::Sign => &["key_usage_sign"],
            Use::Both => &["key_usage_encrypt", "key_usage_sign"],
        };
        let speaks_against = |code: &&str| PASSED_OVER.contains(code) || of_use.contains(code);
        self.certificate.is_some_and(|it| (it.not_before_ms..=it.not_after_ms).contains(&at_ms))
            && !self
                .verdict
                .findings
                .iter()
                .any(|finding| finding.certificate_index.unwrap_or(0) == 0 && speaks_against(&finding.code))
    }

    /// Whether it names the person; true where nobody asked for one.
    fn is_the_persons(&self) -> bool {
        !matches!(self.verdict.address_match, Some(AddressMatch::Other | AddressMatch::Absent))
    }
}
