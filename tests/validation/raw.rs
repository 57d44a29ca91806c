//! Certificates' parts and CRLs written byte by byte, for what rcgen does not write.

use aws_lc_rs::digest;
use rcgen::{CustomExtension, KeyPair, SigningKey as _};
use smimesync::certificate::Crl;

/// An element of a tag and its contents.
pub(crate) fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let length = match length {
        0..0x80 => vec![length as u8],
        0x80..0x100 => vec![0x81, length as u8],
        0x100..0x1_0000 => vec![0x82, (length >> 8) as u8, length as u8],
        _ => vec![0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8],
    };
    [&[tag], &length[..], contents].concat()
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let start = bytes.iter().position(|&byte| byte != 0).unwrap_or(7);
    let sign: &[u8] = if bytes[start] >= 0x80 { &[0] } else { &[] };
    tlv(2, &[sign, &bytes[start..]].concat())
}

/// One RDN: a common name.
pub(crate) fn rdn(common_name: &str) -> Vec<u8> {
    sequence(&[&tlv(6, &[0x55, 4, 3]), &tlv(12, common_name.as_bytes())])
}

/// A Name of common names, the highest first.
pub(crate) fn name(common_names: &[&str]) -> Vec<u8> {
    let rdns: Vec<u8> = common_names.iter().flat_map(|name| tlv(0x31, &rdn(name))).collect();
    tlv(0x30, &rdns)
}

/// A directoryName among general names.
pub(crate) fn directory(common_names: &[&str]) -> Vec<u8> {
    tlv(0xa4, &name(common_names))
}

pub(crate) fn extension(last_arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&tlv(6, &[0x55, 0x1d, last_arc]), critical, &tlv(4, value)])
}

/// An extension below 2.5.29 for rcgen.
pub(crate) fn custom(last_arc: u64, value: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&[2, 5, 29, last_arc], value)
}

/// What is signed, the algorithm ecdsa-with-SHA256, and the signature.
pub(crate) fn signed(tbs: &[u8], key: &KeyPair) -> Vec<u8> {
    let signature = key.sign(tbs).unwrap();
    sequence(&[tbs, &ecdsa(), &tlv(3, &[&[0], &signature[..]].concat())])
}

pub(crate) fn ecdsa() -> Vec<u8> {
    sequence(&[&tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])])
}

/// Where a CRL is (a DistributionPoint's contents) or what it is for: `[0]` with full names.
pub(crate) fn point(general_names: &[u8]) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa0, general_names))
}

/// A uniformResourceIdentifier among general names.
pub(crate) fn uri(url: &str) -> Vec<u8> {
    tlv(0x86, url.as_bytes())
}

/// cRLDistributionPoints or freshestCRL of these points' contents.
pub(crate) fn points(points: &[Vec<u8>]) -> Vec<u8> {
    let points: Vec<Vec<u8>> = points.iter().map(|point| sequence(&[point])).collect();
    tlv(0x30, &points.concat())
}

/// authorityInfoAccess with issuers (caIssuers) and OCSP responders.
pub(crate) fn access(issuers: &[&str], responders: &[&str]) -> CustomExtension {
    let of = |arc: u8, url: &str| sequence(&[&tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, arc]), &uri(url)]);
    let descriptions: Vec<Vec<u8>> =
        issuers.iter().map(|url| of(2, url)).chain(responders.iter().map(|url| of(1, url))).collect();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], tlv(0x30, &descriptions.concat()))
}

/// The same with a name relative to the CRL's issuer.
pub(crate) fn relative_point(common_name: &str) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa1, &rdn(common_name)))
}

/// A listed certificate: serial number, reason, issuer.
#[derive(Clone, Copy)]
pub(crate) struct Listed<'a>(pub(crate) u64, pub(crate) Option<u8>, pub(crate) Option<&'a [&'a str]>);

/// A CRL to be.
pub(crate) struct List<'a> {
    pub(crate) issuer: &'a [&'a str],
    pub(crate) number: u64,
    /// BaseCRLNumber, of a list of changes.
    pub(crate) base: Option<u64>,
    /// freshestCRL: where its changes are.
    pub(crate) freshest: Option<&'a str>,
    /// issuingDistributionPoint's contents.
    pub(crate) scope: Option<Vec<u8>>,
    /// Day of May 2026 from which on, and day of June up to which it holds.
    pub(crate) days: (u8, u8),
    pub(crate) listed: &'a [Listed<'a>],
}

impl Default for List<'_> {
    fn default() -> Self {
        Self { issuer: &["Root"], number: 5, base: None, freshest: None, scope: None, days: (1, 30), listed: &[] }
    }
}

impl List<'_> {
    pub(crate) fn signed(&self, key: &KeyPair) -> Crl {
        let time = |month: u8, day: u8| tlv(0x17, format!("26{month:02}{day:02}000000Z").as_bytes());
        let entries: Vec<u8> = self.listed.iter().flat_map(|entry| Self::entry(entry, &time(4, 1))).collect();
        let entries = if entries.is_empty() { entries } else { tlv(0x30, &entries) };
        let mut extensions = extension(20, false, &integer(self.number));
        if let Some(base) = self.base {
            extensions.extend(extension(27, true, &integer(base)));
        }
        if let Some(url) = self.freshest {
            extensions.extend(extension(46, false, &points(&[point(&uri(url))])));
        }
        if let Some(scope) = &self.scope {
            extensions.extend(extension(28, true, &tlv(0x30, scope)));
        }
        let tbs = sequence(&[
            &integer(1),
            &ecdsa(),
            &name(self.issuer),
            &time(5, self.days.0),
            &time(6, self.days.1),
            &entries,
            &tlv(0xa0, &tlv(0x30, &extensions)),
        ]);
        Crl::parse(&signed(&tbs, key)).unwrap()
    }

    fn entry(Listed(serial, reason, issuer): &Listed<'_>, revoked: &[u8]) -> Vec<u8> {
        let mut extensions = Vec::new();
        if let Some(reason) = reason {
            extensions.extend(extension(21, false, &tlv(10, &[*reason])));
        }
        if let Some(issuer) = issuer {
            extensions.extend(extension(29, true, &tlv(0x30, &directory(issuer))));
        }
        let extensions = if extensions.is_empty() { extensions } else { tlv(0x30, &extensions) };
        sequence(&[&integer(*serial), revoked, &extensions])
    }
}

/// Bytes that look random and are the same every time.
pub(crate) struct Random {
    seed: u64,
    count: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.count += 1;
        let block = [self.seed.to_be_bytes(), self.count.to_be_bytes()].concat();
        let digest = digest::digest(&digest::SHA256, &block);
        let number = digest.as_ref().iter().take(8).fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        (number % limit as u64) as usize
    }
}
