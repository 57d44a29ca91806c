//! An authority and the certificates it issues.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};

/// The moment verdicts are computed for.
pub(crate) const AT: &str = "2026-06-01T00:00:00Z";

/// An authority that can issue.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        Self { params, key: key() }
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> String {
        self.params.clone().self_signed(&self.key).unwrap().pem()
    }

    /// A person's certificate that is fit from one year to the other.
    pub(crate) fn issue(&self, address: &str, from: i32, to: i32) -> Vec<u8> {
        self.issue_for(ExtendedKeyUsagePurpose::EmailProtection, address, from, to)
    }

    /// A person's certificate for a purpose.
    pub(crate) fn issue_for(&self, purpose: ExtendedKeyUsagePurpose, address: &str, from: i32, to: i32) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, address);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![purpose];
        params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.key);
        params.signed_by(&key(), &issuer).unwrap().der().to_vec()
    }
}

/// A server's certificate nobody vouches for, and its key; both PEM.
pub(crate) fn stranger() -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress("127.0.0.1".parse().unwrap()));
    let key = key();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}
