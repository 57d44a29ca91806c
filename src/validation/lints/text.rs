//! What the rules ask of strings: addresses of mailboxes, of places, of countries.

use std::net::IpAddr;

use url::Url;

/// Longest domain name in text form (RFC 1035 3.1: 255 octets on the wire).
pub(super) const MAX_DOMAIN: usize = 253;
const MAX_LOCAL_PART: usize = 64;
const MAX_LABEL: usize = 63;

/// ISO 3166-1 alpha-2, as of 2026, with the user-assigned XK.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
    FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
    MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
    RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// Names that no public server has (RFC 6761, 6762, 8375; ICANN's `internal`; what networks took for themselves).
const INSIDE: [&str; 12] = [
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "arpa",
    "onion",
    "test",
];

/// Whether a country has this code.
pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && COUNTRIES.split(' ').any(|known| known == code)
}

/// The scheme of a URI, in lower case; empty where it has none.
pub(in crate::validation) fn scheme(uri: &str) -> String {
    let Some((scheme, _)) = uri.split_once(':') else { return String::new() };
    let fits = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    // what looks like a host and a port is no scheme
    if fits && !scheme.contains('.') { scheme.to_ascii_lowercase() } else { String::new() }
}

/// The schemes by which a certificate may name places.
pub(super) fn schemes(legacy: bool) -> &'static [&'static str] {
    if legacy { &["http", "ldap", "ftp"] } else { &["http"] }
}

/// The host of a URI; `None` where it has none.
pub(in crate::validation) fn host(uri: &str) -> Option<String> {
    // the parser takes slashes where a host should be, as browsers do
    if uri.split_once("://")?.1.starts_with('/') {
        return None;
    }
    Url::parse(uri)
        .ok()?
        .host_str()
        .filter(|host| !host.is_empty())
        .map(|host| host.trim_matches(['[', ']']).to_owned())
}

/// Whether a URI is one: absolute, and with a host unless it is a directory's.
pub(super) fn is_uri(uri: &str) -> bool {
    let plain = !uri.contains(|c: char| c.is_whitespace() || c.is_control() || !c.is_ascii());
    let directory = scheme(uri) == "ldap";
    (plain || directory) && !scheme(uri).is_empty() && (directory || host(uri).is_some_and(|host| is_host(&host)))
}

fn is_host(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok() || host.split('.').all(is_label)
}

/// Whether a URI leads to a place that only its own network knows.
pub(super) fn leads_inside(uri: &str) -> bool {
    host(uri).is_none_or(|host| host.parse::<IpAddr>().is_err() && is_inside(&host))
}

/// Whether a domain is known in its own network alone.
pub(in crate::validation) fn is_inside(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let last = domain.rsplit('.').next().unwrap_or_default();
    !domain.contains('.') || INSIDE.contains(&last)
}

/// Whether a domain is written as hosts are (RFC 1123 2.1): at least two labels of letters, digits and hyphens.
pub(super) fn is_domain(domain: &str) -> bool {
    domain.len() <= MAX_DOMAIN && domain.contains('.') && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= MAX_LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whether it is one Mailbox (RFC 5321 4.1.2), in ASCII alone.
pub(super) fn is_mailbox(text: &str) -> bool {
    text.is_ascii() && is_any_mailbox(text)
}

/// Whether it is one Mailbox, in whatever script (RFC 6531 3.3).
pub(super) fn is_any_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let domain_fits = is_domain(domain) || (!domain.is_ascii() && url::Host::parse(domain).is_ok());
    !local.is_empty() && local.len() <= MAX_LOCAL_PART && domain_fits && is_local_part(local)
}

fn is_local_part(local: &str) -> bool {
    if let Some(quoted) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return !quoted.contains(|c: char| c == '"' || c.is_control());
    }
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

/// What stands behind the first `@`; empty without one.
pub(super) fn domain_of(address: &str) -> &str {
    address.split_once('@').map_or("", |(_, domain)| domain)
}

/// Whether a value says anything: a letter, a digit or a symbol.
pub(super) fn is_significant(value: &str) -> bool {
    let symbol = |c: char| "$+<=>^`|~".contains(c) || (!c.is_ascii() && !c.is_whitespace() && !c.is_control());
    value.chars().any(|c| c.is_alphanumeric() || symbol(c))
}

/// Whether a value holds what HTML writes for a character, such as `&amp;`.
pub(super) fn has_entity(value: &str) -> bool {
    value.split('&').skip(1).any(|rest| {
        let Some((name, _)) = rest.split_once(';') else { return false };
        let number = name.strip_prefix('#').map(|digits| digits.trim_start_matches(['x', 'X']));
        match number {
            Some(digits) => !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit()),
            None => name.len() > 1 && name.chars().all(|c| c.is_ascii_alphanumeric()),
        }
    })
}

/// Whether a Legal Entity Identifier has its form (ISO 17442-1): 18 letters and digits, two check digits.
pub(super) fn is_lei(value: &str) -> bool {
    let digit = |c: u8| c.is_ascii_digit();
    value.len() == 20 && value.bytes().all(|c| digit(c) || c.is_ascii_uppercase()) && value.bytes().skip(18).all(digit)
}

/// Whether its check digits fit (ISO/IEC 7064, MOD 97-10).
pub(super) fn lei_adds_up(value: &str) -> bool {
    let rest = value.chars().filter_map(|c| c.to_digit(36)).fold(0_u32, |rest, digit| {
        let shift = if digit < 10 { 10 } else { 100 };
        (rest * shift + digit) % 97
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_told_from_what_looks_like_one() {
        for good in ["ann@example.com", "a.b+c@sub.example.com", "\"a b\"@example.com"] {
            assert!(is_mailbox(good), "{good}");
        }
        for bad in ["ann", "ann@", "@example.com", "ann@example", "a..b@example.com", "a b@example.com", "a@b.c, d@e.f"]
        {
            assert!(!is_mailbox(bad), "{bad}");
        }
        assert!(!is_mailbox("jürgen@example.com") && is_any_mailbox("jürgen@example.com"));
        assert!(!is_mailbox(&format!("a@{}.example.com", "b".repeat(64))));
    }

    #[test]
    fn uris_need_a_scheme_and_a_host() {
        assert!(is_uri("http://crl.example.com/ca.crl") && is_uri("http://[2001:db8::1]/"));
        assert!(is_uri("ldap:///CN=CA,DC=contoso,DC=com?certificateRevocationList"));
        for bad in ["crl.example.com/ca.crl", "crl.example.com:80/ca.crl", "http:///ca.crl", "http://a b/"] {
            assert!(!is_uri(bad), "{bad}");
        }
        assert_eq!(scheme("HTTP://example.com"), "http");
        assert_eq!(scheme("example.com:80/x"), "");
    }

    #[test]
    fn inside_is_what_nobody_outside_can_resolve() {
        for inside in ["http://pki/ca.crl", "http://pki.contoso.local/ca.crl", "ldap:///CN=CA?x"] {
            assert!(leads_inside(inside), "{inside}");
        }
        for outside in ["http://pki.example.com/ca.crl", "http://192.0.2.42/ocsp"] {
            assert!(!leads_inside(outside), "{outside}");
        }
    }

    #[test]
    fn check_digits_of_an_lei() {
        assert!(is_lei("5493000IBP32UQZ0KL24") && lei_adds_up("5493000IBP32UQZ0KL24"));
        assert!(!lei_adds_up("5493000IBP32UQZ0KL25"));
        assert!(!is_lei("5493000IBP32UQZ0KL2"));
    }

    #[test]
    fn values_say_something_and_hold_no_entities() {
        assert!(is_significant("Ann") && is_significant("山田") && !is_significant(" . - "));
        assert!(has_entity("Fish &amp; Chips") && has_entity("&#x26;") && !has_entity("Fish & Chips; Ltd"));
    }

    #[test]
    fn countries_are_in_upper_case() {
        assert!(is_country("DE") && is_country("ZW") && !is_country("de") && !is_country("XG") && !is_country("XX"));
        assert_eq!(COUNTRIES.split(' ').count(), 250);
    }
}
