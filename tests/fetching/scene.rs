//! A clock, a store, an authority and what is needed of it.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, CustomExtension,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use serde_json::{Value as Json, json};
use smimesync::config::{self, Config, RevocationMode};
use smimesync::exchange::Surroundings;
use smimesync::store::Store;
use smimesync::trust::{Brought, Retriever};
use smimesync::validation::{Evidence, Need};

/// 2026-06-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_780_272_000_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct Clock(AtomicI64);

impl Clock {
    pub(crate) fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }
}

impl Surroundings for Clock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn sleep(&self, _: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn random_below(&self, _: u64) -> u64 {
        0
    }
}

/// What runs share.
pub(crate) struct Scene {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(&json!({}))
    }

    /// A scene with further keys of `revocation`.
    pub(crate) fn with(revocation: &Json) -> Self {
        let mut all = json!({ "mode": "online", "allow_loopback": true, "timeout_ms": 1000, "max_bytes": 100_000 });
        for (key, value) in revocation.as_object().unwrap() {
            all[key] = value.clone();
        }
        let config = json!({ "revocation": all, "trust": { "fetch_issuers": true } });
        Self {
            config: config::parse(&config.to_string()).unwrap(),
            store: Store::in_memory().unwrap(),
            clock: Clock(AtomicI64::new(NOW)),
        }
    }

    /// What one run does, in which things are learned round by round.
    pub(crate) fn run(&self) -> Run<'_> {
        let retriever = Retriever::new(&self.config, RevocationMode::Online, &self.store, &self.clock).unwrap();
        Run { retriever, evidence: Evidence::default() }
    }
}

/// A run.
pub(crate) struct Run<'a> {
    pub(crate) retriever: Retriever<'a>,
    pub(crate) evidence: Evidence,
}

impl Run<'_> {
    pub(crate) async fn bring(&mut self, needs: &[Need]) -> Brought {
        let needs: BTreeSet<Need> = needs.iter().cloned().collect();
        self.retriever.bring(&needs, &mut self.evidence).await.unwrap()
    }

    /// Why each place gave nothing, in words.
    pub(crate) async fn failures(&mut self, needs: &[Need]) -> Vec<String> {
        self.bring(needs).await.failures.into_iter().map(|(_, cause)| cause.to_string()).collect()
    }
}

pub(crate) fn crl_at(urls: &[String]) -> Need {
    Need::Crl { urls: urls.to_vec() }
}

pub(crate) fn issuer_at(urls: &[String]) -> Need {
    Need::Issuer { urls: urls.to_vec() }
}

/// Where a certificate says that things are.
#[derive(Default)]
pub(crate) struct Places {
    pub(crate) issuer: Option<String>,
    pub(crate) crl: Option<String>,
    pub(crate) responder: Option<String>,
}

/// An AccessDescription of id-ad and this number.
fn access(url: &str, method: u8) -> Vec<u8> {
    let method = element(0x06, &[0x2b, 6, 1, 5, 5, 7, 48, method]);
    element(0x30, &[method, element(0x86, url.as_bytes())].concat())
}

fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u8::try_from(contents.len()).unwrap();
    let header = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [header.as_slice(), contents].concat()
}

/// An authority.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2095, 1, 1);
        Self { params, key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap() }
    }

    /// A person's certificate that says where its issuer, its CRL and its responder are.
    pub(crate) fn person(&self, address: &str, serial: u64, places: &Places) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, address);
        params.serial_number = Some(SerialNumber::from(serial));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
        params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2090, 1, 1);
        let uris: Vec<_> = places.crl.iter().cloned().collect();
        params.crl_distribution_points = uris.into_iter().map(|uri| CrlDistributionPoint { uris: vec![uri] }).collect();
        let methods = [(&places.issuer, 2), (&places.responder, 1)];
        let access: Vec<u8> =
            methods.iter().filter_map(|(url, method)| Some(access(url.as_ref()?, *method))).flatten().collect();
        if !access.is_empty() {
            let access = element(0x30, &access);
            params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access)];
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap().der().to_vec()
    }

    /// An authority below this one.
    pub(crate) fn child(&self, name: &str) -> (Self, Vec<u8>) {
        let child = Self::new(name);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = child.params.signed_by(&child.key, &issuer).unwrap().der().to_vec();
        (child, certificate)
    }

    /// A CRL that holds for long and lists these.
    pub(crate) fn lasting_crl(&self, serials: &[u64]) -> Vec<u8> {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 4, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 4, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&Issuer::from_params(&self.params, &self.key)).unwrap().der().to_vec()
    }

    /// Its key, PEM.
    pub(crate) fn key(&self) -> String {
        self.key.serialize_pem()
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.params.clone().self_signed(&self.key).unwrap().der().to_vec()
    }

    /// A CRL that holds from April 2026 to the first of this month of 2026.
    pub(crate) fn crl(&self, number: u64, until_month: u8) -> Vec<u8> {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 4, 1),
            next_update: date_time_ymd(2026, until_month, 1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&Issuer::from_params(&self.params, &self.key)).unwrap().der().to_vec()
    }
}
