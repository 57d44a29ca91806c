//! The authorities: the company's two tiers, a partner's, and one nobody here knows.

use crate::certificate::{Leaf, Profile};
use crate::der;
use crate::error::{Error, Result};
use crate::pool::{Pool, SigningKey};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
};
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// Which authority signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The company's RSA issuing authority.
    IssuingRsa,
    /// The company's EC issuing authority.
    IssuingEc,
    /// The partner's authority, trusted for the partner's domain only.
    Partner,
    /// An authority in nobody's list.
    Unknown,
}

/// An authority with its certificate, its key and what it has revoked.
pub struct Ca {
    /// Base name of its files, e.g. `issuing-1`.
    pub name: &'static str,
    /// Its certificate.
    pub certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
    revoked: Vec<RevokedCertParams>,
    /// The file of its private key.
    pub key_path: PathBuf,
}

/// All authorities.
pub struct Pki {
    root: Ca,
    issuing_rsa: Ca,
    issuing_ec: Ca,
    partner: Ca,
    unknown: Ca,
    at: OffsetDateTime,
}

impl Pki {
    /// Makes the authorities around the moment `at`, with the keys the pool keeps for them.
    ///
    /// # Errors
    /// The pool lacks an authority's key, or a certificate cannot be made.
    pub fn new(pool: &mut Pool, at: OffsetDateTime) -> Result<Self> {
        let mut keys = pool.take_authorities().into_iter();
        let mut key = || keys.next().ok_or_else(|| Error::Other("the pool has no keys for authorities".to_owned()));
        let years = |n: i64| Duration::days(365 * n);
        let root =
            Ca::new(&Plan::root("root", "Contoso", "Contoso Root CA", 1), key()?, None, at - years(8), at + years(12))?;
        let issuing_rsa = Ca::new(
            &Plan::issuing("issuing-1", "Contoso Issuing CA 1", 0x11),
            key()?,
            Some(&root),
            at - years(4),
            at + years(6),
        )?;
        let issuing_ec = Ca::new(
            &Plan::issuing("issuing-2", "Contoso Issuing CA 2", 0x12),
            key()?,
            Some(&root),
            at - years(3),
            at + years(7),
        )?;
        let partner = Ca::new(
            &Plan::root("partner", "Fabrikam", "Fabrikam Mail CA", 2),
            key()?,
            None,
            at - years(5),
            at + years(5),
        )?;
        let unknown = Ca::new(
            &Plan::root("unknown", "Northwind", "Northwind Community CA", 3),
            key()?,
            None,
            at - years(5),
            at + years(5),
        )?;
        Ok(Self { root, issuing_rsa, issuing_ec, partner, unknown, at })
    }

    /// The moment everything is relative to.
    pub fn at(&self) -> OffsetDateTime {
        self.at
    }

    /// One authority.
    pub fn ca(&self, authority: Authority) -> &Ca {
        match authority {
            Authority::IssuingRsa => &self.issuing_rsa,
            Authority::IssuingEc => &self.issuing_ec,
            Authority::Partner => &self.partner,
            Authority::Unknown => &self.unknown,
        }
    }

    /// Signs a certificate for a person.
    ///
    /// # Errors
    /// The profile names text that cannot be encoded.
    pub fn issue(&self, pool: &Pool, profile: &Profile) -> Result<Leaf> {
        let ca = self.ca(profile.authority);
        let key = pool.public(profile.key, profile.key_index);
        let certificate = profile.params(ca.name)?.signed_by(&key, &ca.issuer)?;
        Leaf::new(certificate.der().to_vec(), profile)
    }

    /// Puts a certificate on its authority's next list.
    pub fn revoke(&mut self, leaf: &Leaf) {
        let revocation_time = self.at - Duration::days(5);
        let ca = match leaf.authority {
            Authority::IssuingRsa => &mut self.issuing_rsa,
            Authority::IssuingEc => &mut self.issuing_ec,
            Authority::Partner => &mut self.partner,
            Authority::Unknown => &mut self.unknown,
        };
        ca.revoked.push(RevokedCertParams {
            serial_number: SerialNumber::from_slice(&leaf.serial),
            revocation_time,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        });
    }

    /// The certificates above a leaf that an operator would publish along with it, nearest first.
    pub fn chain(&self, authority: Authority) -> Vec<Vec<u8>> {
        match authority {
            Authority::IssuingRsa | Authority::IssuingEc => {
                vec![self.ca(authority).certificate.der().to_vec(), self.root.certificate.der().to_vec()]
            }
            Authority::Partner | Authority::Unknown => vec![self.ca(authority).certificate.der().to_vec()],
        }
    }

    /// The company's root, PEM.
    pub fn roots_pem(&self) -> String {
        self.root.certificate.pem()
    }

    /// The company's issuing authorities, PEM.
    pub fn intermediates_pem(&self) -> String {
        self.issuing_rsa.certificate.pem() + &self.issuing_ec.certificate.pem()
    }

    /// The partner's root, PEM.
    pub fn partner_pem(&self) -> String {
        self.partner.certificate.pem()
    }

    /// The current lists of all authorities that publish one, by file name: DER.
    ///
    /// # Errors
    /// A list cannot be made.
    pub fn crls(&self) -> Result<Vec<(String, Vec<u8>)>> {
        [&self.root, &self.issuing_rsa, &self.issuing_ec, &self.partner]
            .into_iter()
            .map(|ca| {
                let list = CertificateRevocationListParams {
                    this_update: self.at - Duration::days(1),
                    next_update: self.at + Duration::days(30),
                    crl_number: SerialNumber::from(4711_u64),
                    issuing_distribution_point: None,
                    revoked_certs: ca.revoked.clone(),
                    key_identifier_method: KeyIdMethod::Sha256,
                };
                Ok((format!("{}.crl", ca.name), list.signed_by(&ca.issuer)?.der().to_vec()))
            })
            .collect()
    }
}

/// What distinguishes one authority from the next.
struct Plan {
    name: &'static str,
    organization: &'static str,
    common_name: &'static str,
    serial: u64,
    path_length: Option<u8>,
}

impl Plan {
    fn root(name: &'static str, organization: &'static str, common_name: &'static str, serial: u64) -> Self {
        Self { name, organization, common_name, serial, path_length: None }
    }

    fn issuing(name: &'static str, common_name: &'static str, serial: u64) -> Self {
        Self { name, organization: "Contoso", common_name, serial, path_length: Some(0) }
    }
}

impl Ca {
    fn new(
        plan: &Plan,
        key: SigningKey,
        above: Option<&Self>,
        not_before: OffsetDateTime,
        not_after: OffsetDateTime,
    ) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, rcgen::DnValue::PrintableString("DE".try_into()?));
        params.distinguished_name.push(DnType::OrganizationName, plan.organization);
        params.distinguished_name.push(DnType::CommonName, plan.common_name);
        params.not_before = not_before;
        params.not_after = not_after;
        params.serial_number = Some(SerialNumber::from(plan.serial));
        params.is_ca =
            IsCa::Ca(plan.path_length.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = match above {
            None => params.self_signed(&key.pair)?,
            Some(above) => {
                params.use_authority_key_identifier_extension = true;
                params.crl_distribution_points = vec![distribution_point(above.name)];
                params.signed_by(&key.pair, &above.issuer)?
            }
        };
        let issuer = Issuer::new(params, key.pair);
        Ok(Self { name: plan.name, certificate, issuer, revoked: Vec::new(), key_path: key.path })
    }
}

/// Where a company publishes a list: over HTTP for the world, in its configuration naming context for itself.
pub fn distribution_point(name: &str) -> rcgen::CrlDistributionPoint {
    let domain = if name == "partner" { "fabrikam.com" } else { "contoso.com" };
    rcgen::CrlDistributionPoint {
        uris: vec![
            format!(
                "ldap:///CN={name},CN=pki,CN=CDP,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=contoso,DC=com?certificateRevocationList?base?objectClass=cRLDistributionPoint"
            ),
            format!("http://pki.{domain}/{name}.crl"),
        ],
    }
}

/// Content of an authorityInfoAccess extension that names the authority's own certificate.
pub fn authority_information_access(name: &str) -> Vec<u8> {
    let domain = if name == "partner" { "fabrikam.com" } else { "contoso.com" };
    let place = der::element(0x86, format!("http://pki.{domain}/{name}.cer").as_bytes());
    der::sequence(&[&der::sequence(&[&der::oid(&[1, 3, 6, 1, 5, 5, 7, 48, 2]), &place])])
}
