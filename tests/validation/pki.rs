//! Authorities and people made by rcgen, and a short way to judge them.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use smimesync::certificate::{Certificate, Crl};
use smimesync::people::Address;
use smimesync::validation::{Anchor, Audience, Evidence, RevocationCheck, Rules, Verdict, judge};

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_780_272_000_000;
pub(crate) const DAY: i64 = 86_400_000;
pub(crate) const ADDRESS: &str = "ann@contoso.com";

/// An authority that can issue.
pub(crate) struct Authority {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) certificate: Certificate,
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

pub(crate) fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    params
}

/// A person's certificate as it should be, for an EC key.
pub(crate) fn person_params(address: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Ann Lee");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(SerialNumber::from(4711));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        Self::root_of(ca_params(name))
    }

    pub(crate) fn root_of(params: CertificateParams) -> Self {
        let key = key();
        let certificate = Certificate::parse(params.self_signed(&key).unwrap().der()).unwrap();
        Self { params, key, certificate }
    }

    pub(crate) fn child(&self, name: &str) -> Self {
        self.child_of(ca_params(name))
    }

    pub(crate) fn child_of(&self, params: CertificateParams) -> Self {
        let key = key();
        let certificate = self.issue(&params, &key);
        Self { params, key, certificate }
    }

    pub(crate) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    pub(crate) fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Certificate {
        Certificate::parse(params.signed_by(key, &self.issuer()).unwrap().der()).unwrap()
    }

    pub(crate) fn person(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut params = person_params(ADDRESS);
        change(&mut params);
        self.issue(&params, &key())
    }

    /// A CRL with a time of validity around `NOW`, changed as the test needs it.
    pub(crate) fn crl(&self, serials: &[u64], change: impl FnOnce(&mut CertificateRevocationListParams)) -> Crl {
        Crl::parse(&self.crl_der(serials, change)).unwrap()
    }

    pub(crate) fn crl_der(
        &self,
        serials: &[u64],
        change: impl FnOnce(&mut CertificateRevocationListParams),
    ) -> Vec<u8> {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 4, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let mut params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 5, 1),
            next_update: date_time_ymd(2026, 7, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut params);
        params.signed_by(&self.issuer()).unwrap().der().to_vec()
    }
}

pub(crate) fn anchor(certificate: &Certificate) -> Anchor {
    Anchor { certificate: certificate.clone(), domains: None }
}

pub(crate) fn evidence(anchors: &[&Certificate], intermediates: &[&Certificate], crls: &[Crl]) -> Evidence {
    Evidence::new(
        anchors.iter().map(|certificate| anchor(certificate)).collect(),
        intermediates.iter().map(|certificate| (*certificate).clone()).collect(),
        crls.to_vec(),
    )
}

/// Rules without revocation.
pub(crate) fn rules() -> Rules {
    Rules {
        at_ms: NOW,
        min_rsa_bits: 2048,
        allow_sha1: false,
        allow_no_address: false,
        expiring_days: 30,
        revocation: RevocationCheck::Off,
        fetch_issuers: false,
    }
}

/// The verdict for Ann.
pub(crate) fn verdict(certificate: &Certificate, evidence: &Evidence, rules: &Rules) -> Verdict {
    verdict_for(&[ADDRESS], certificate, evidence, rules)
}

pub(crate) fn verdict_for(
    addresses: &[&str],
    certificate: &Certificate,
    evidence: &Evidence,
    rules: &Rules,
) -> Verdict {
    let addresses: Vec<Address> = addresses.iter().map(|address| Address::parse(address).unwrap()).collect();
    judge(certificate, &[], Some(&Audience { addresses: &addresses }), evidence, rules)
}

pub(crate) fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.findings.iter().map(|finding| finding.code).collect()
}
