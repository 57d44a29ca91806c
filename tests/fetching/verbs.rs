//! The verbs, over servers that have what the certificates say.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};
use smimesync::error::Code;
use smimesync::session::{Row, Session, Step, Value, Verb};
use smimesync_tenant::{Running, State, Tenant};
use tempfile::TempDir;

use crate::scene::{Authority, Places};
use crate::server::{Reply, Server};

const ADDRESS: &str = "ann@contoso.com";
const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// A root in a file, an authority below it whose certificate and CRL only a server has, and that server.
struct World {
    folder: TempDir,
    issuing: Authority,
    /// The issuing authority's own.
    certificate: Vec<u8>,
    server: Server,
}

impl World {
    /// A world whose CRL lists these serial numbers.
    fn new(revoked: &[u64]) -> Self {
        let folder = TempDir::new().unwrap();
        let root = Authority::new("Root");
        let (issuing, certificate) = root.child("Issuing");
        let (crl, roots) = (issuing.lasting_crl(revoked), root.lasting_crl(&[]));
        std::fs::write(folder.path().join("root.cer"), root.certificate()).unwrap();
        std::fs::write(folder.path().join("root.crl"), roots).unwrap();
        let served = certificate.clone();
        let server = Server::start(move |path| match path {
            "/issuing.cer" => Reply::ok(&served),
            "/issuing.crl" => Reply::ok(&crl),
            _ => Reply::status(404),
        });
        Self { folder, issuing, certificate, server }
    }

    fn person(&self, address: &str, serial: u64) -> Vec<u8> {
        let places = Places {
            issuer: Some(self.server.url("/issuing.cer")),
            crl: Some(self.server.url("/issuing.crl")),
            responder: None,
        };
        self.issuing.person(address, serial, &places)
    }

    fn config(&self) -> Json {
        json!({
            "base_dir": self.folder.path(),
            "trust": { "anchors": ["root.cer"], "fetch_issuers": true },
            "revocation": { "mode": "online", "crls": ["root.crl"], "allow_loopback": true },
            "store": { "path": "state.db" },
        })
    }

    /// The paths asked for since the last look, in order.
    fn asked(&self) -> Vec<String> {
        let path = |head: &str| head.split(' ').nth(1).unwrap().to_owned();
        let mut asked: Vec<_> = self.server.asked().iter().map(|asked| path(&asked.head)).collect();
        asked.sort();
        asked
    }
}

/// Rows and events of a verb in a session of its own.
fn run(config: &Json, verb: Verb, options: &Json) -> (Vec<Row>, Vec<(Code, String)>) {
    let session = Session::open(&config.to_string()).unwrap();
    let mut cursor = session.start(verb, &options.to_string()).unwrap();
    let mut rows = Vec::new();
    loop {
        match cursor.next(Duration::from_secs(60)).unwrap() {
            Step::Row => rows.push(cursor.row().unwrap().clone()),
            Step::Done => break,
            Step::Timeout => panic!("the verb takes too long"),
        }
    }
    let events = std::iter::from_fn(|| cursor.event());
    (rows, events.map(|event| (event.code, event.text.render(smimesync::text::Culture::default()))).collect())
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    match row.get(column) {
        Some(Value::Text(text)) => text,
        other => panic!("{column} is {other:?}"),
    }
}

/// The codes of a row's findings that matter here, each with what was seen.
fn findings(row: &Row) -> Vec<(String, String)> {
    let Some(Value::Rows(findings)) = row.get("findings") else { panic!("no findings") };
    let code = |row: &Row| text(row, "code").to_owned();
    let observed = |row: &Row| match row.get("observed") {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    findings.iter().filter(|row| text(row, "severity") != "info").map(|row| (code(row), observed(row))).collect()
}

fn handed_in(der: &[u8]) -> Json {
    json!({ "certificates": [{ "der": BASE64_STANDARD.encode(der) }], "emails": [ADDRESS] })
}

#[test]
fn a_certificate_is_judged_by_what_was_fetched_for_it() {
    let world = World::new(&[13]);
    for (serial, encrypt, codes) in [(12, "fit", &[][..]), (13, "unfit", &["revoked"])] {
        let options = handed_in(&world.person(ADDRESS, serial));
        let (rows, events) = run(&world.config(), Verb::Validate, &options);
        assert_eq!((rows.len(), events), (1, Vec::new()));
        assert_eq!(text(&rows[0], "encrypt"), encrypt, "{:?}", findings(&rows[0]));
        assert_eq!(findings(&rows[0]).iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), codes);
        // the store survives the session: the second certificate needs nobody
        let expected: &[&str] = if serial == 12 { &["/issuing.cer", "/issuing.crl"] } else { &[] };
        assert_eq!(world.asked(), expected);
    }
}

#[test]
fn an_option_turns_fetching_on_and_off() {
    let world = World::new(&[]);
    let mut config = world.config();
    config["trust"]["fetch_issuers"] = json!(false);
    std::fs::write(world.folder.path().join("issuing.cer"), &world.certificate).unwrap();
    config["trust"]["intermediates"] = json!(["issuing.cer"]);
    config["store"] = json!({});
    for (configured, option, requests) in
        [("offline", "online", 1), ("online", "offline", 0), ("online", "off", 0), ("off", "online", 1)]
    {
        config["revocation"]["mode"] = json!(configured);
        let mut options = handed_in(&world.person(ADDRESS, 12));
        options["revocation_mode"] = json!(option);
        let (rows, _) = run(&config, Verb::Validate, &options);
        let fit = if option == "offline" { "undetermined" } else { "fit" };
        assert_eq!(text(&rows[0], "encrypt"), fit, "{configured} {option}");
        assert_eq!(world.asked().len(), requests, "{configured} {option}");
    }
}

#[test]
fn what_cannot_be_had_is_told_of_once_and_named_by_the_finding() {
    let world = World::new(&[]);
    let places = |path: &str| Places {
        issuer: Some(world.server.url("/issuing.cer")),
        crl: Some(world.server.url(path)),
        responder: None,
    };
    let certificate =
        |serial| json!({ "der": BASE64_STANDARD.encode(world.issuing.person(ADDRESS, serial, &places("/gone"))) });
    let options = json!({ "certificates": [certificate(1), certificate(2), certificate(3)], "emails": [ADDRESS] });
    let (rows, events) = run(&world.config(), Verb::Validate, &options);
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!(text(row, "encrypt"), "undetermined");
        let found = findings(row);
        let unknown = found.iter().find(|(code, _)| code == "revocation_unknown").unwrap();
        assert!(unknown.1.contains("http 404") && unknown.1.contains("/gone"), "{unknown:?}");
    }
    let told = format!("nothing came from {}: http 404", world.server.url("/gone"));
    assert_eq!(events, [(Code::EvidenceUnavailable, told)]);
    assert_eq!(world.asked(), ["/gone", "/issuing.cer"]);
}

#[test]
fn people_are_judged_in_batches_and_places_asked_once_for_all() {
    let world = World::new(&[]);
    let value = BASE64_STANDARD.encode(world.person(ADDRESS, 12));
    let entry = |number: u32| {
        format!(
            "dn: cn=u{number},dc=x\nobjectClass: inetOrgPerson\ncn: u{number}\nmail: {ADDRESS}\nuserCertificate;binary:: {value}\n"
        )
    };
    let people: Vec<_> = (0..2100).map(entry).collect();
    std::fs::write(world.folder.path().join("people.ldif"), format!("version: 1\n\n{}", people.join("\n"))).unwrap();
    let mut config = world.config();
    config["directory"] = json!({ "kind": "ldif", "path": "people.ldif" });
    let (rows, _) = run(&config, Verb::Validate, &json!({}));
    assert_eq!(rows.len(), 2100);
    assert!(rows.iter().all(|row| text(row, "encrypt") == "fit"), "{:?}", findings(&rows[0]));
    assert_eq!(world.asked(), ["/issuing.cer", "/issuing.crl"]);
}

/// A tenant where Ann holds these values, and the configuration of it and of `people.ldif`.
fn with_ann(world: &World, values: &[String]) -> (Running, Json) {
    let state: State = serde_json::from_value(json!({
        "tenant": { "id": "11111111-2222-4333-8444-555555555555", "domain": "contoso.onmicrosoft.com" },
        "apps": [{ "app_id": APP, "secret": "open sesame" }],
        "recipients": [{
            "guid": "00000000-0000-4000-8000-000000000001",
            "external_directory_object_id": "00000000-0000-4000-9000-000000000001",
            "recipient_type_details": "UserMailbox", "display_name": "ann", "user_principal_name": ADDRESS,
            "primary_smtp_address": ADDRESS, "email_addresses": [format!("SMTP:{ADDRESS}")],
            "user_certificate": values,
        }],
    }))
    .unwrap();
    let running = Tenant::new(state).unwrap().start().unwrap();
    let mut config = world.config();
    config["directory"] = json!({ "kind": "ldif", "path": "people.ldif" });
    config["exchange"] = json!({
        "organization": "contoso.onmicrosoft.com",
        "auth": { "method": "secret", "app_id": APP, "secret": "open sesame" },
        "admin_url": running.url(), "authority_url": running.url(),
    });
    (running, config)
}

#[test]
fn what_is_fetched_for_the_last_of_many_people_counts_for_the_first() {
    let world = World::new(&[]);
    // Ann's own certificate says nowhere where its issuer is
    let silent = BASE64_STANDARD.encode(world.issuing.person(ADDRESS, 12, &Places::default()));
    let zoe = BASE64_STANDARD.encode(world.person("zoe@contoso.com", 13));
    let entry = |name: &str, mail: &str, value: &str| {
        format!("dn: cn={name},dc=x\nobjectClass: inetOrgPerson\nmail: {mail}\n{value}\n")
    };
    let mut ldif = String::from("version: 1\n\n");
    ldif += &entry("ann", ADDRESS, &format!("userCertificate;binary:: {silent}\n"));
    // more than are judged together
    ldif.extend((0..1100).map(|number| entry(&format!("m{number}"), &format!("m{number}@contoso.com"), "")));
    ldif += &entry("zoe", "zoe@contoso.com", &format!("userCertificate;binary:: {zoe}\n"));
    std::fs::write(world.folder.path().join("people.ldif"), ldif).unwrap();
    let (_running, config) = with_ann(&world, &[]);
    let (rows, _) = run(&config, Verb::Compare, &json!({}));
    let row = rows.iter().find(|row| text(row, "person") == "cn=ann,dc=x").unwrap();
    assert_eq!((text(row, "attribute"), text(row, "action")), ("userCertificate", "set"));
    assert_eq!(row.get("change"), Some(&Value::Integer(1)));
    assert_eq!(rows.len(), 2 + 1101);
    assert_eq!(world.asked(), ["/issuing.cer", "/issuing.crl"]);
}

#[test]
fn a_run_and_the_coverage_fetch_for_what_both_sides_hold() {
    let world = World::new(&[13]);
    let (good, revoked) = (world.person(ADDRESS, 12), world.person(ADDRESS, 13));
    let ldif = format!(
        "version: 1\n\ndn: cn=ann,dc=x\nobjectClass: inetOrgPerson\ncn: ann\nmail: {ADDRESS}\nuserCertificate;binary:: {}\n",
        BASE64_STANDARD.encode(&good)
    );
    std::fs::write(world.folder.path().join("people.ldif"), ldif).unwrap();
    let (_running, config) = with_ann(&world, &[BASE64_STANDARD.encode(&revoked)]);
    let (rows, _) = run(&config, Verb::Coverage, &json!({}));
    assert_eq!(text(&rows[0], "blocked_by"), "revoked");
    assert_eq!(world.asked(), ["/issuing.cer", "/issuing.crl"]);
    let (rows, _) = run(&config, Verb::Compare, &json!({}));
    let row = rows.iter().find(|row| text(row, "attribute") == "userCertificate").unwrap();
    assert_eq!((text(row, "action"), text(row, "reason")), ("set", "revoked"));
    assert_eq!(world.asked().len(), 0, "what coverage fetched still holds");
}

/// OpenSSL as a responder for one authority, all of whose certificates are good but number 13.
fn responder(folder: &Path, authority: &Authority, certificate: &[u8]) -> Server {
    let file = |name: &str| folder.join(name);
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(certificate));
    std::fs::write(file("responder.pem"), pem).unwrap();
    std::fs::write(file("responder.key"), authority.key()).unwrap();
    std::fs::write(
        file("index.txt"),
        "V\t900101000000Z\t\t0C\tunknown\t/CN=a\nR\t900101000000Z\t260401000000Z\t0D\tunknown\t/CN=b\n",
    )
    .unwrap();
    let folder = folder.to_path_buf();
    Server::answering(move |_, request| {
        std::fs::write(folder.join("request.der"), request).unwrap();
        let made = Command::new("openssl")
            .current_dir(&folder)
            .args(["ocsp", "-index", "index.txt", "-CA", "responder.pem", "-rsigner", "responder.pem"])
            .args(["-rkey", "responder.key", "-reqin", "request.der", "-respout", "response.der", "-ndays", "7"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Reply::ok(&std::fs::read(folder.join("response.der")).unwrap())
    })
}

#[test]
fn a_responder_is_asked_for_each_certificate_once() {
    let world = World::new(&[]);
    let root = Authority::new("Responding Root");
    let anchor = root.certificate();
    std::fs::write(world.folder.path().join("root.cer"), &anchor).unwrap();
    let server = responder(world.folder.path(), &root, &anchor);
    let places = || Places { responder: Some(server.url("/ocsp")), ..Places::default() };
    let (good, revoked) = (root.person(ADDRESS, 12, &places()), root.person(ADDRESS, 13, &places()));
    let mut config = world.config();
    config["revocation"].as_object_mut().unwrap().remove("crls");
    for requests in [1, 0] {
        for (der, encrypt) in [(&good, "fit"), (&revoked, "unfit")] {
            let (rows, events) = run(&config, Verb::Validate, &handed_in(der));
            assert_eq!(text(&rows[0], "encrypt"), encrypt, "{:?} {events:?}", findings(&rows[0]));
            assert_eq!(server.asked().len(), requests);
        }
    }
}
