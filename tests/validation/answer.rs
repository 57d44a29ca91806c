//! OCSP answers written byte by byte, as a responder may write them.

use aws_lc_rs::digest;
use rcgen::{KeyPair, SigningKey as _};
use smimesync::certificate::{Certificate, OcspResponse};
use time::OffsetDateTime;
use time::macros::format_description;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::pki::Authority;
use crate::raw::{ecdsa, integer, sequence, tlv};

/// The serial number of people's certificates here.
pub(crate) const ANN: u64 = 4711;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// What a responder can say, beside `revoked`.
pub(crate) const GOOD: &[u8] = &[0x80, 0];
pub(crate) const UNKNOWN: &[u8] = &[0x82, 0];

/// id-pkix-ocsp and one arc below.
pub(crate) fn ocsp_oid(arc: u8) -> Vec<u8> {
    tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, arc])
}

fn moment(at_ms: i64) -> Vec<u8> {
    let time = OffsetDateTime::from_unix_timestamp(at_ms / 1000).unwrap();
    let text = time.format(format_description!("[year][month][day][hour][minute][second]Z")).unwrap();
    tlv(0x18, text.as_bytes())
}

pub(crate) fn revoked(at_ms: i64, reason: u8) -> Vec<u8> {
    tlv(0xa1, &[moment(at_ms), tlv(0xa0, &tlv(10, &[reason]))].concat())
}

fn name_of(certificate: &Certificate) -> Vec<u8> {
    X509Certificate::from_der(&certificate.der).unwrap().1.subject().as_raw().to_vec()
}

fn key_of(certificate: &Certificate) -> Vec<u8> {
    X509Certificate::from_der(&certificate.der).unwrap().1.public_key().subject_public_key.data.to_vec()
}

pub(crate) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[oid, critical, &tlv(4, value)])
}

/// An OCSPResponse to be, with one answer.
#[derive(Clone)]
pub(crate) struct Answer<'a> {
    /// Whose certificates the answer is about.
    pub(crate) issuer: &'a Certificate,
    pub(crate) serial: u64,
    /// Of the certificate's id.
    pub(crate) hash: &'static digest::Algorithm,
    pub(crate) status: Vec<u8>,
    pub(crate) this_update: i64,
    pub(crate) next_update: Option<i64>,
    pub(crate) produced_at: i64,
    /// Whom the response names as its signer, and how.
    pub(crate) responder: &'a Certificate,
    pub(crate) by_key: bool,
    pub(crate) key: &'a KeyPair,
    pub(crate) certificates: Vec<&'a Certificate>,
    pub(crate) version: Vec<u8>,
    pub(crate) single_extensions: Vec<u8>,
    pub(crate) extensions: Vec<u8>,
}

impl<'a> Answer<'a> {
    /// Good, given by the issuer itself an hour ago, for a day.
    pub(crate) fn by(issuer: &'a Authority, at_ms: i64) -> Self {
        Self {
            issuer: &issuer.certificate,
            serial: ANN,
            hash: &digest::SHA1_FOR_LEGACY_USE_ONLY,
            status: GOOD.to_vec(),
            this_update: at_ms - HOUR,
            next_update: Some(at_ms + DAY),
            produced_at: at_ms - HOUR,
            responder: &issuer.certificate,
            by_key: false,
            key: &issuer.key,
            certificates: Vec::new(),
            version: Vec::new(),
            single_extensions: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// The same by a delegate, whose certificate comes along.
    pub(crate) fn delegated(self, delegate: &'a Authority) -> Self {
        let certificates = vec![&delegate.certificate];
        Self { responder: &delegate.certificate, key: &delegate.key, certificates, ..self }
    }

    fn single(&self) -> Vec<u8> {
        let digest = |bytes: &[u8]| tlv(4, digest::digest(self.hash, bytes).as_ref());
        let number: &[u8] = match self.hash.output_len() {
            20 => &[0x2b, 0x0e, 3, 2, 0x1a],
            32 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
            48 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2],
            _ => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
        };
        let id = sequence(&[
            &sequence(&[&tlv(6, number), &[5, 0]]),
            &digest(&name_of(self.issuer)),
            &digest(&key_of(self.issuer)),
            &integer(self.serial),
        ]);
        let next = self.next_update.map_or_else(Vec::new, |next| tlv(0xa0, &moment(next)));
        sequence(&[&id, &self.status, &moment(self.this_update), &next, &in_extensions(&self.single_extensions)])
    }

    /// ResponseData.
    fn data(&self) -> Vec<u8> {
        let responder = if self.by_key {
            let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &key_of(self.responder));
            tlv(0xa2, &tlv(4, hash.as_ref()))
        } else {
            tlv(0xa1, &name_of(self.responder))
        };
        let answers = tlv(0x30, &self.single());
        let extensions = in_extensions(&self.extensions);
        sequence(&[&self.version, &responder, &moment(self.produced_at), &answers, &extensions])
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let data = self.data();
        let signature = tlv(3, &[&[0], &self.key.sign(&data).unwrap()[..]].concat());
        let certificates: Vec<u8> = self.certificates.iter().flat_map(|certificate| certificate.der.to_vec()).collect();
        let certificates = if certificates.is_empty() { Vec::new() } else { tlv(0xa0, &tlv(0x30, &certificates)) };
        wrapped(&sequence(&[&data, &ecdsa(), &signature, &certificates]))
    }

    pub(crate) fn response(&self) -> OcspResponse {
        OcspResponse::parse(&self.der()).unwrap()
    }
}

fn in_extensions(extensions: &[u8]) -> Vec<u8> {
    if extensions.is_empty() { Vec::new() } else { tlv(0xa1, &tlv(0x30, extensions)) }
}

fn wrapped(basic: &[u8]) -> Vec<u8> {
    sequence(&[&[10, 1, 0], &tlv(0xa0, &sequence(&[&ocsp_oid(1), &tlv(4, basic)]))])
}
