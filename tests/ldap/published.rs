//! What authorities publish: at a server that a certificate names, and in the session's own directory.

use std::collections::{BTreeSet, HashSet};

use ldap3::LdapConnAsync;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use smimesync::config::{Config, Directory, DirectoryKind, RevocationMode};
use smimesync::exchange::SystemSurroundings;
use smimesync::store::Store;
use smimesync::trust::Retriever;
use smimesync::validation::{Evidence, Need};

use crate::reader::{directory, run, simple};
use crate::servers::{RealServer, active_directory, openldap};

/// An authority's certificate, its CRL, and a second CRL to stand for changes.
fn authority() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Published");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().unwrap();
    let certificate = params.clone().self_signed(&key).unwrap().der().to_vec();
    let issuer = Issuer::from_params(&params, &key);
    let crl = |number: u64| {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&issuer).unwrap().der().to_vec()
    };
    (certificate, crl(1), crl(2))
}

/// A crossCertificatePair of the certificate with itself.
fn pair(certificate: &[u8]) -> Vec<u8> {
    let element = |tag: u8, contents: &[u8]| {
        let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], length.as_slice(), contents].concat()
    };
    element(0x30, &[element(0xa0, certificate), element(0xa1, certificate)].concat())
}

fn add(server: &RealServer, dn: &str, attributes: &[(&str, &[&[u8]])]) {
    let values = |values: &[&[u8]]| values.iter().map(|value| value.to_vec()).collect::<HashSet<_>>();
    let attributes = attributes.iter().map(|(name, found)| (name.as_bytes().to_vec(), values(found))).collect();
    run(async {
        let (driver, mut ldap) = LdapConnAsync::new(server.fact("LDAP_URL")).await.unwrap();
        tokio::spawn(driver.drive());
        let (admin, password) = (server.fact("ADMIN_DN"), server.fact("ADMIN_PASSWORD"));
        ldap.simple_bind(admin, password).await.unwrap().success().unwrap();
        ldap.add(dn, attributes).await.unwrap().success().unwrap();
    });
}

/// What comes from a URL in a session with this directory: CRLs, certificates, why nothing.
fn brought(own: Option<Directory>, url: &str, what: fn(Vec<String>) -> Need) -> (usize, usize, Option<String>) {
    let mut config = Config { directory: own, ..Config::default() };
    config.revocation.allow_loopback = true;
    config.trust.fetch_issuers = Some(true);
    let (store, mut evidence) = (Store::in_memory().unwrap(), Evidence::default());
    let needs = BTreeSet::from([what(vec![url.to_owned()])]);
    let counts = |evidence: &Evidence| (evidence.crls().len(), evidence.intermediates().len());
    let failure = run(async {
        let mut retriever = Retriever::new(&config, RevocationMode::Online, &store, &SystemSurroundings).unwrap();
        let brought = retriever.bring(&needs, &mut evidence).await.unwrap();
        brought.failures.first().map(|(_, cause)| cause.to_string())
    });
    if failure.is_none() {
        // the second run has it from the store, with no server at all
        config.directory = None;
        let mut again = Evidence::default();
        run(async {
            let mut retriever = Retriever::new(&config, RevocationMode::Online, &store, &SystemSurroundings).unwrap();
            retriever.bring(&needs, &mut again).await.unwrap();
        });
        assert_eq!(counts(&again), counts(&evidence), "{url}");
    }
    let (crls, certificates) = counts(&evidence);
    (crls, certificates, failure)
}

fn crl(urls: Vec<String>) -> Need {
    Need::Crl { urls }
}

fn issuer(urls: Vec<String>) -> Need {
    Need::Issuer { urls }
}

#[test]
fn an_authority_s_entry_is_read_anonymously_whatever_its_url_asks_for() {
    let Some(server) = openldap("published::an_authority_s_entry_is_read_anonymously") else { return };
    let (certificate, first, second) = authority();
    let base = server.fact("BASE_DN");
    let dn = format!("cn=Test CA,{base}");
    add(
        &server,
        &dn,
        &[
            ("objectClass", &[b"cRLDistributionPoint", b"pkiCA"]),
            ("cn", &[b"Test CA"]),
            ("certificateRevocationList;binary", &[&first]),
            ("deltaRevocationList;binary", &[&second]),
            ("cACertificate;binary", &[&certificate]),
            ("crossCertificatePair;binary", &[&pair(&certificate)]),
        ],
    );
    let url = |rest: &str| format!("{}/cn=Test%20CA,{base}{rest}", server.fact("LDAP_URL"));
    for rest in ["", "?certificateRevocationList;binary?base?objectClass=*", "?userPassword?sub?(cn=*)"] {
        assert_eq!(brought(None, &url(rest), crl), (2, 0, None), "{rest}");
        // the pair's halves are the same certificate
        assert_eq!(brought(None, &url(rest), issuer), (0, 1, None), "{rest}");
    }
    let missing = format!("{}/cn=Nobody,{base}", server.fact("LDAP_URL"));
    assert_eq!(brought(None, &missing, crl), (0, 0, Some("no such entry".into())));
    let person = format!("{}/uid=user000000,ou=people,{base}", server.fact("LDAP_URL"));
    assert_eq!(brought(None, &person, crl), (0, 0, Some("no such entry".into())));
}

#[test]
fn a_url_without_a_host_needs_a_directory_that_says_where_its_configuration_is() {
    let Some(server) = openldap("published::a_url_without_a_host_needs_a_directory") else { return };
    let base = server.fact("BASE_DN");
    let own = directory(
        server.fact("LDAPS_URL"),
        base,
        simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD")),
        Some(server.ca_file()),
    );
    let url = format!("ldap:///cn=Test%20CA,{base}");
    assert_eq!(brought(Some(own), &url, crl), (0, 0, Some("no configuration naming context".into())));
    let ldif = Directory { kind: DirectoryKind::Ldif, ..Directory::default() };
    assert_eq!(brought(Some(ldif), &url, crl), (0, 0, Some("no directory server".into())));
}

#[test]
fn active_directory_s_own_authorities_are_read_below_its_configuration_alone() {
    let Some(server) = active_directory("published::active_directory_s_own_authorities") else { return };
    let (certificate, first, second) = authority();
    let base = server.fact("BASE_DN");
    let services = format!("CN=Public Key Services,CN=Services,CN=Configuration,{base}");
    let dn = format!("CN=Test CA,CN=CDP,{services}");
    add(
        &server,
        &dn,
        &[
            ("objectClass", &[b"cRLDistributionPoint"]),
            ("certificateRevocationList", &[&first]),
            ("deltaRevocationList", &[&second]),
        ],
    );
    let authority = format!("CN=Test CA,CN=AIA,{services}");
    add(
        &server,
        &authority,
        &[
            ("objectClass", &[b"certificationAuthority"]),
            ("cACertificate", &[&certificate]),
            // what Active Directory's authorities write while there is nothing
            ("certificateRevocationList", &[&[0]]),
            ("authorityRevocationList", &[&[0]]),
        ],
    );
    let own = || {
        let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
        Some(directory(server.fact("LDAPS_URL"), base, bind, Some(server.ca_file())))
    };
    let url = |dn: &str, rest: &str| format!("ldap:///{}{rest}", dn.replace(' ', "%20"));
    let asked = "?certificateRevocationList?base?objectClass=cRLDistributionPoint";
    assert_eq!(brought(own(), &url(&dn, asked), crl), (2, 0, None));
    assert_eq!(brought(own(), &url(&dn.to_lowercase(), ""), crl), (2, 0, None));
    assert_eq!(brought(own(), &url(&authority, "?cACertificate?base"), issuer), (0, 1, None));
    assert_eq!(brought(own(), &url(&authority, ""), crl), (0, 0, Some("not a CRL".into())));
    let outside = "outside of the configuration naming context";
    for dn in [
        format!("CN=user000000,OU=Load,{base}"),
        format!("CN=a\\,CN=Configuration\\,{}", base.replace(',', "\\,")),
        format!("CN=Configuration,{base},DC=evil"),
        base.to_owned(),
    ] {
        assert_eq!(brought(own(), &url(&dn, ""), crl), (0, 0, Some(outside.into())), "{dn}");
    }
    let nobody = format!("CN=Nobody,CN=CDP,{services}");
    assert_eq!(brought(own(), &url(&nobody, ""), crl), (0, 0, Some("no such entry".into())));
    let mut refused = own();
    refused.as_mut().unwrap().bind = simple(server.fact("SYNC_DN"), "wrong");
    assert_eq!(brought(refused, &url(&dn, ""), crl), (0, 0, Some("denied".into())));
    // with a host it is read as nobody, whom Active Directory shows nothing
    let named = format!("{}/{}", server.fact("LDAP_URL"), dn.replace(' ', "%20"));
    assert_eq!(brought(own(), &named, crl), (0, 0, Some("denied".into())));
}
