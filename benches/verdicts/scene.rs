//! A company's certificates: root, issuing authority, people, all with RSA-2048.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RevokedCertParams,
    RsaKeySize, SanType, SerialNumber, date_time_ymd,
};
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Anchor, Evidence, RevocationCheck, Rules};

/// 2026-06-01T00:00:00Z in seconds since 1970.
pub(crate) const AT: u64 = 1_780_272_000;
/// Certificates on the issuing authority's CRL.
const REVOKED: u64 = 10_000;

/// Who signs, and what is signed.
pub(crate) struct Scene {
    pub(crate) anchor: Certificate,
    pub(crate) issuer: Certificate,
    pub(crate) leaf: Vec<u8>,
    pub(crate) address: String,
    lists: Vec<Crl>,
    issuing: (CertificateParams, KeyPair),
    person_key: KeyPair,
}

fn key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CountryName, "DE");
    params.distinguished_name.push(DnType::OrganizationName, "Contoso");
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn person(number: u64, address: &str) -> CertificateParams {
    let mut params = named(&format!("Person {number}"));
    params.is_ca = IsCa::ExplicitNoCa;
    params.serial_number = Some(SerialNumber::from(1_000_000 + number));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
    let uris = vec!["http://pki.contoso.com/issuing.crl".to_owned()];
    params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
    params
}

fn list(issuer: &Issuer<'_, &KeyPair>, serials: u64) -> Crl {
    let revoked = |serial| RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: date_time_ymd(2026, 4, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 5, 1),
        next_update: date_time_ymd(2026, 7, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: (0..serials).map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Crl::parse(params.signed_by(issuer).unwrap().der()).unwrap()
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (root, issuing, person_key) = (key(), key(), key());
        let (root_params, issuing_params) = (authority("Contoso Root CA"), authority("Contoso Issuing CA 1"));
        let anchor = root_params.self_signed(&root).unwrap();
        let by_root = Issuer::from_params(&root_params, &root);
        let by_issuing = Issuer::from_params(&issuing_params, &issuing);
        let issuer = issuing_params.signed_by(&issuing, &by_root).unwrap();
        let address = "person0@contoso.com".to_owned();
        let leaf = person(0, &address).signed_by(&person_key, &by_issuing).unwrap();
        Self {
            anchor: Certificate::parse(anchor.der()).unwrap(),
            issuer: Certificate::parse(issuer.der()).unwrap(),
            leaf: leaf.der().to_vec(),
            address,
            lists: vec![list(&by_root, 0), list(&by_issuing, REVOKED)],
            issuing: (issuing_params, issuing),
            person_key,
        }
    }

    /// The address and the certificate of so many people.
    pub(crate) fn people(&self, count: usize) -> Vec<(String, Arc<[u8]>)> {
        let (params, key) = &self.issuing;
        let issuer = Issuer::from_params(params, key);
        let made = |number| {
            let address = format!("person{number}@contoso.com");
            let certificate = person(number, &address).signed_by(&self.person_key, &issuer).unwrap();
            (address, certificate.der().as_ref().into())
        };
        (0..count as u64).map(made).collect()
    }

    pub(crate) fn evidence(&self, with_issuer: bool) -> Evidence {
        let issuers = with_issuer.then(|| self.issuer.clone()).into_iter().collect();
        Evidence::new(vec![self.trusted()], issuers, Vec::new())
    }

    pub(crate) fn evidence_with_lists(&self) -> Evidence {
        Evidence::new(vec![self.trusted()], vec![self.issuer.clone()], self.lists.clone())
    }

    fn trusted(&self) -> Anchor {
        Anchor { certificate: self.anchor.clone(), domains: None }
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            at_ms: AT as i64 * 1000,
            min_rsa_bits: 2048,
            allow_sha1: false,
            allow_no_address: false,
            expiring_days: 30,
            revocation: RevocationCheck::Offline,
            fetch_issuers: false,
        }
    }
}
