//! TLS with a scripted server: whose certificate is taken, and what is told when it is not.

use std::io::Write as _;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ConfigBuilder, RootCertStore, WantsVerifier};
use smimesync::config::Directory;
use smimesync::error::Code;
use smimesync::net::CheckResult;
use tempfile::NamedTempFile;

use crate::reader::{anonymous, directory, everybody, failed, shown, steps};
use crate::scripted_server::{
    Act, Operation, Request, ServerConfig, page_end, person, result, serve_requests, serve_tls,
};

/// An authority and the file its certificate is in.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
    file: NamedTempFile,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), params.clone().self_signed(&key).unwrap().pem()).unwrap();
        Self { params, key, file }
    }

    /// A server that has a certificate for these names until the end of a year, and sends the authority's after it.
    fn server(&self, names: &[&str], until: i32) -> Arc<ServerConfig> {
        let builder = Self::builder().with_no_client_auth();
        let (chain, key) = self.issued(names, until);
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }

    /// The same for clients with a certificate of the authority's alone.
    fn server_for_clients(&self, names: &[&str]) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.params.clone().self_signed(&self.key).unwrap().der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let (chain, key) = self.issued(names, 2100);
        Arc::new(Self::builder().with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap())
    }

    fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
    }

    fn issued(&self, names: &[&str], until: i32) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Directory 1");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2015, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        let own = self.params.clone().self_signed(&self.key).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        (vec![leaf.der().clone(), own.der().clone()], key)
    }
}

/// A directory with one person.
fn script(request: &Request) -> Act {
    match request.operation {
        Operation::Bind { .. } => Act::Send(vec![result(0x61, 0, "")]),
        _ if request.is_root_dse() => Act::Send(vec![page_end(b"")]),
        _ => Act::Send(vec![person(1), page_end(b"")]),
    }
}

fn ldaps(host: &str, server: Arc<ServerConfig>, trusted: &Authority) -> Directory {
    let url = format!("ldaps://{host}:{}", serve_tls(server, script));
    directory(&url, "dc=x", anonymous(), Some(trusted.file.path()))
}

/// The code and the words of a refusal, and what `check` says in detail.
fn refused(config: &Directory) -> (Code, String, String) {
    let error = everybody(config).unwrap_err();
    assert_eq!(error.get_target(), Some(config.urls[0].as_str()));
    let tried = steps(config);
    assert_eq!(shown(&tried), "name pass, connect pass, tls fail");
    let detail = failed(&tried).detail.as_ref().unwrap().render(Default::default());
    (error.code(), error.to_string(), detail)
}

#[test]
fn a_server_that_an_authority_vouches_for_is_spoken_to_by_name_and_by_address() {
    let authority = Authority::new("House CA");
    for (host, name) in [("localhost", "localhost"), ("127.0.0.1", "127.0.0.1")] {
        let config = ldaps(host, authority.server(&[name], 2100), &authority);
        assert_eq!(everybody(&config).unwrap().0.len(), 1, "{host}");
        let tried = steps(&config);
        let tls = tried.iter().find(|step| step.step == "tls").unwrap();
        let chain = tls.detail.as_ref().unwrap().render(Default::default());
        assert_eq!(tls.result, CheckResult::Pass);
        assert!(chain.contains("CN=Directory 1 (issued by CN=House CA, until 2100-12-31); CN=House CA"), "{chain}");
    }
}

#[test]
fn an_address_of_ipv6_is_spoken_to_over_tls() {
    let authority = Authority::new("House CA");
    let port = serve_tls(authority.server(&["::1"], 2100), script);
    let Ok(listener) = std::net::TcpListener::bind(("::1", 0)) else {
        // not eprintln, which the test harness keeps to itself
        let line = "SKIPPED tls::an_address_of_ipv6_is_spoken_to_over_tls: no IPv6 on this machine\n";
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    };
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (from, into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut &from, &mut &into));
            std::thread::spawn(move || std::io::copy(&mut &server, &mut &client));
        }
    });
    let config = directory(&format!("ldaps://[::1]:{own}"), "dc=x", anonymous(), Some(authority.file.path()));
    assert_eq!(everybody(&config).unwrap().0.len(), 1);
}

#[test]
fn a_server_of_another_authority_is_refused_with_the_chain_it_sent() {
    let (authority, stranger) = (Authority::new("House CA"), Authority::new("Strange CA"));
    let (code, words, detail) = refused(&ldaps("localhost", stranger.server(&["localhost"], 2100), &authority));
    assert_eq!(code, Code::DirectoryTls);
    assert!(words.contains("its issuer is not known"), "{words}");
    assert!(detail.contains(&words) && detail.contains("CN=Directory 1 (issued by CN=Strange CA"), "{detail}");
    let nobody =
        Directory { ca_files: Vec::new(), ..ldaps("localhost", stranger.server(&["localhost"], 2100), &authority) };
    assert_eq!(refused(&nobody).0, Code::DirectoryTls);
}

#[test]
fn an_expired_server_certificate_is_refused() {
    let authority = Authority::new("House CA");
    let (code, words, detail) = refused(&ldaps("localhost", authority.server(&["localhost"], 2019), &authority));
    assert_eq!(code, Code::DirectoryTls);
    assert!(words.contains("it has expired") && detail.contains("until 2019-12-31"), "{words} {detail}");
}

#[test]
fn a_certificate_for_another_name_is_refused_with_its_names() {
    let authority = Authority::new("House CA");
    let (code, words, _) = refused(&ldaps("localhost", authority.server(&["dc1.x.test"], 2100), &authority));
    assert_eq!(code, Code::DirectoryTls);
    assert!(words.contains("it is for another host") && words.contains("dc1.x.test"), "{words}");
}

#[test]
fn a_server_that_says_why_it_takes_no_client_certificate_is_quoted() {
    let authority = Authority::new("House CA");
    let client = |signer: &Authority| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "svc-sync");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::from_params(&signer.params, &signer.key)).unwrap();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), certificate.pem() + &key.serialize_pem()).unwrap();
        file
    };
    let (known, unknown) = (client(&authority), client(&Authority::new("Strange CA")));
    let config = |file: Option<&NamedTempFile>| {
        let mut config = ldaps("localhost", authority.server_for_clients(&["localhost"]), &authority);
        config.bind.certificate_file = file.map(|file| file.path().to_path_buf());
        config
    };
    assert_eq!(everybody(&config(Some(&known))).unwrap().0.len(), 1);
    for (file, words) in [(None, "wants a client certificate"), (Some(&unknown), "its issuer is not known there")] {
        let error = everybody(&config(file)).unwrap_err();
        assert_eq!(error.code(), Code::DirectoryAuth, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// A server that answers StartTLS with this act.
fn start_tls(trusted: &Authority, answer: impl Fn() -> Act + Send + Sync + 'static) -> Directory {
    let url = serve_requests(move |request| match &request.operation {
        Operation::Extended(name) if name == "1.3.6.1.4.1.1466.20037" => answer(),
        _ => script(request),
    });
    let url = url.replace("127.0.0.1", "localhost");
    let config = directory(&url, "dc=x", anonymous(), Some(trusted.file.path()));
    Directory { start_tls: true, timeout_ms: Some(3000), ..config }
}

#[test]
fn start_tls_secures_the_connection_before_the_bind() {
    let authority = Authority::new("House CA");
    let server = authority.server(&["localhost"], 2100);
    let config = start_tls(&authority, move || Act::SendAndStartTls(vec![result(0x78, 0, "")], Arc::clone(&server)));
    assert_eq!(everybody(&config).unwrap().0.len(), 1);
}

#[test]
fn a_connection_closed_instead_of_start_tls_is_told_as_such() {
    let authority = Authority::new("House CA");
    for act in [|| Act::Close, || Act::SendAndClose(vec![result(0x78, 0, "")])] {
        let error = everybody(&start_tls(&authority, act)).unwrap_err();
        assert_eq!(error.code(), Code::DirectoryUnreachable, "{error}");
        assert!(error.to_string().contains("closed the connection"), "{error}");
    }
}

#[test]
fn a_server_that_refuses_start_tls_is_not_spoken_to_without() {
    let authority = Authority::new("House CA");
    let config = start_tls(&authority, || Act::Send(vec![result(0x78, 2, "no TLS here")]));
    let error = everybody(&config).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryProtocol);
    assert!(error.to_string().contains("no TLS here"), "{error}");
}

#[test]
fn what_comes_before_tls_is_not_taken_for_what_comes_within() {
    // an attacker's answer to the bind, sent in the clear right behind the consent to TLS
    let authority = Authority::new("House CA");
    let server = authority.server(&["localhost"], 2100);
    let config = start_tls(&authority, move || {
        Act::SendAndStartTls(vec![result(0x78, 0, ""), result(0x61, 0, "")], Arc::clone(&server))
    });
    assert!(everybody(&config).is_err());
}

#[test]
fn a_server_that_does_not_speak_tls_is_told_as_such() {
    let authority = Authority::new("House CA");
    let url = serve_requests(script).replace("ldap://", "ldaps://");
    let config = directory(&url, "dc=x", anonymous(), Some(authority.file.path()));
    let config = Directory { timeout_ms: Some(2000), ..config };
    let error = everybody(&config).unwrap_err();
    assert!(matches!(error.code(), Code::DirectoryProtocol | Code::DirectoryUnreachable), "{error}");
}
