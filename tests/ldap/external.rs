//! Binding as whom the connection says (SASL EXTERNAL): a client certificate at slapd, and a socket of this machine.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use smimesync::config::{Bind, BindMethod, Directory};
use smimesync::error::{Code, Error};
use smimesync::net::CheckResult;
use tempfile::TempDir;

use crate::reader::{directory, everybody, failed, shown, steps};
use crate::servers::{RealServer, openldap_by};

/// An authority for clients, and a folder for what it issues.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
    folder: TempDir,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let (key, folder) = (KeyPair::generate().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("ca.pem"), params.clone().self_signed(&key).unwrap().pem()).unwrap();
        Self { params, key, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A PEM file with key and certificate of a client, valid until the end of a year.
    fn client(&self, name: &str, until: i32) -> PathBuf {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = date_time_ymd(2015, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        let path = self.folder.path().join(format!("{name}-{until}.pem"));
        std::fs::write(&path, certificate.pem() + &key.serialize_pem()).unwrap();
        restrict(&path, 0o600);
        path
    }
}

fn restrict(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

fn external(server: &RealServer, file: Option<&Path>) -> Directory {
    let bind = Bind { method: BindMethod::External, certificate_file: file.map(Path::to_path_buf), ..Bind::default() };
    directory(server.fact("LDAPS_URL"), server.fact("BASE_DN"), bind, Some(server.ca_file()))
}

/// More people than anybody but cn=svc-sync may read.
const PEOPLE: usize = 1100;

#[test]
fn a_client_certificate_binds_over_ldaps_and_start_tls() {
    let authority = Authority::new("Clients CA");
    let options = ["-c", &authority.file().display().to_string()];
    let Some(server) = openldap_by(&options, "external::a_client_certificate_binds", PEOPLE) else { return };
    let own = authority.client("svc-sync", 2100);
    let config = external(&server, Some(&own));
    let start_tls = Directory { urls: vec![server.fact("LDAP_URL").into()], start_tls: true, ..config.clone() };
    for config in [&config, &start_tls] {
        let (people, report) = everybody(config).unwrap();
        assert_eq!((people.len(), report.complete), (PEOPLE, true), "it is bound as the account without a limit");
        let tried = steps(config);
        assert!(shown(&tried).starts_with("name pass, connect pass, tls pass, bind pass, search pass"), "{tried:?}");
    }
    let somebody = external(&server, Some(&authority.client("somebody", 2100)));
    let (people, report) = everybody(&somebody).unwrap();
    assert_eq!((people.len(), report.complete), (1000, false), "bound as another, the limit of everybody holds");

    let refused = |file: Option<&Path>| -> Error {
        let config = external(&server, file);
        let error = everybody(&config).unwrap_err();
        let tried = steps(&config);
        let bind = failed(&tried);
        assert_eq!((bind.step, bind.result), ("bind", CheckResult::Fail), "{tried:?}");
        assert!(bind.remedy.as_ref().unwrap().render(Default::default()).contains("certificate_file"));
        error
    };
    let stranger = Authority::new("Strange CA");
    // this build of slapd says nothing about a certificate that it does not take
    let error = refused(Some(&stranger.client("svc-sync", 2100)));
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryUnreachable, Some(server.fact("LDAPS_URL"))));
    assert!(error.to_string().contains("may want another client certificate"), "{error}");
    let expired = authority.client("svc-sync", 2019);
    let error = refused(Some(&expired));
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryCertificate, expired.to_str()));
    assert!(error.to_string().contains("it expired on 2019-12-31"), "{error}");
    let error = refused(None);
    assert_eq!((error.code(), error.get_target()), (Code::ConfigMissing, Some("/directory/bind/certificate_file")));
    // a certificate is wanted for every method, and shown by every one that has it
    let anonymous = |file: Option<&Path>| Directory {
        bind: Bind { method: BindMethod::Anonymous, certificate_file: file.map(Path::to_path_buf), ..Bind::default() },
        ..external(&server, None)
    };
    let error = everybody(&anonymous(None)).unwrap_err();
    assert!(error.to_string().contains("may want another client certificate"), "{error}");
    assert_eq!(everybody(&anonymous(Some(&own))).unwrap().0.len(), 1000);

    restrict(&own, 0o644);
    let error = refused(Some(&own));
    assert_eq!((error.code(), error.get_target()), (Code::ConfigSecretExposed, own.to_str()));
    let cut = authority.folder.path().join("cut.pem");
    std::fs::write(&cut, "-----BEGIN CERTIFICATE-----").unwrap();
    assert_eq!(refused(Some(&cut)).code(), Code::DirectoryCertificate);
    let config = external(&server, Some(&authority.folder.path().join("gone.pem")));
    assert_eq!(everybody(&config).unwrap_err().code(), Code::FileNotFound);
}

#[test]
fn a_server_that_trusts_no_client_refuses_the_bind_in_its_own_words() {
    let authority = Authority::new("Clients CA");
    let Some(server) = openldap_by(&[], "external::a_server_that_trusts_no_client", 1) else { return };
    let error = everybody(&external(&server, Some(&authority.client("svc-sync", 2100)))).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryAuth, "{error}");
}

#[test]
fn the_user_of_this_process_binds_at_a_socket_of_this_machine() {
    let Some(server) = openldap_by(&["-i"], "external::the_user_of_this_process_binds", PEOPLE) else { return };
    let config = Directory { urls: vec![server.fact("LDAPI_URL").into()], ..external(&server, None) };
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), report.complete), (PEOPLE, true));
    let tried = steps(&config);
    assert!(shown(&tried).starts_with("name pass, connect pass, tls skipped, bind pass, search pass"), "{tried:?}");
    let nobody = Directory { urls: vec!["ldapi://%2Fnonexistent%2Fldapi".into()], ..config };
    let error = everybody(&nobody).unwrap_err();
    assert_eq!(
        (error.code(), error.get_target()),
        (Code::DirectoryUnreachable, Some("ldapi://%2Fnonexistent%2Fldapi"))
    );
    assert_eq!(failed(&steps(&nobody)).step, "connect");
}
