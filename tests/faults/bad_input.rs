//! Every kind of bad input: one error with code, category and target; the run on record; the tenant as it was.

use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value as Json, json};
use smimesync::error::Code;
use smimesync::session::Verb;
use smimesync_tenant::{Fault, FaultKind, server_config};

use crate::bench::{Bench, error_code, run, text};
use crate::pki::stranger;
use crate::scripted_server::{Act, page_end, result, serve};

/// Whether a run had begun when the error came.
#[derive(Clone, Copy, PartialEq)]
enum Record {
    Nothing,
    Run,
}

/// A run with this on top of the configuration fails so, and does nothing.
fn fails(bench: &Bench, patch: &Json, options: &Json, expected: (Code, &str, &str), record: Record) {
    let before = bench.tenant.state().recipients;
    let runs = || if bench.path("state.db").exists() { bench.last_run().map_or(0, |run| run.run) } else { 0 };
    let run = runs();
    let outcome = bench.run(patch, Verb::Sync, options);
    assert_eq!(outcome.failure(), expected, "{}", outcome.error.as_ref().unwrap());
    assert!(outcome.rows.is_empty(), "{patch}");
    assert_eq!(bench.tenant.state().recipients, before, "{patch}");
    assert_eq!(bench.writes(), 0, "{patch}");
    match record {
        Record::Nothing => assert_eq!(runs(), run, "{patch}"),
        Record::Run => {
            assert_eq!(runs(), run + 1, "{patch}");
            bench.assert_recorded("failed", Some(expected.0));
        }
    }
    let message = outcome.error.unwrap().to_string();
    assert!(!message.contains('\n') && !message.contains("open sesame"), "{message}");
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A live directory in place of the export.
fn ldap(url: &str, more: Json) -> Json {
    let mut directory = json!({
        "kind": "ldap", "path": null, "urls": [url], "base": "dc=x", "timeout_ms": 2000, "changes": "none",
        "bind": { "method": "anonymous" },
    });
    for (name, value) in more.as_object().unwrap() {
        directory[name] = value.clone();
    }
    json!({ "directory": directory })
}

#[test]
fn a_wrong_configuration() {
    let bench = Bench::with_expired(1);
    for (patch, code, category, target) in [
        (json!({"exchange": {"organisation": "x"}}), Code::ConfigUnknownKey, "config", "/exchange/organisation"),
        (json!({"policy": {"max_values": "many"}}), Code::ConfigType, "config", "/policy/max_values"),
        (json!({"policy": {"max_values": 0}}), Code::ConfigValue, "config", "/policy/max_values"),
        (json!({"policy": {"attributes": ["mail"]}}), Code::ConfigValue, "config", "/policy/attributes/0"),
        (json!({"trust": {"os_store": true}}), Code::ConfigUnsupported, "unsupported", "/trust/os_store"),
        (json!({"exchange": null}), Code::ConfigMissing, "config", "/exchange"),
        (json!({"exchange": {"auth": {"secret": null}}}), Code::ConfigMissing, "config", "/exchange/auth/secret"),
        (json!({"exchange": {"organization": null}}), Code::ConfigMissing, "config", "/exchange/organization"),
        (
            json!({"exchange": {"admin_url": "https://exchange.example.com"}}),
            Code::ConfigValue,
            "config",
            "/exchange/admin_url",
        ),
        (json!({"directory": null}), Code::ConfigMissing, "config", "/directory"),
        (json!({"directory": {"path": null}}), Code::ConfigMissing, "config", "/directory/path"),
    ] {
        // whether people are read at all shows only once the run is under way
        let begins = target == "/directory/path";
        let record = if begins { Record::Run } else { Record::Nothing };
        fails(&bench, &patch, &json!({}), (code, category, target), record);
    }
}

#[test]
fn wrong_options() {
    let bench = Bench::with_expired(1);
    for (options, code, category, target) in [
        (json!({"stagin": true}), Code::OptionUnknown, "invalid", "/stagin"),
        (json!({"staging": "yes"}), Code::OptionType, "invalid", "/staging"),
        (json!({"force": ["max_removal"]}), Code::OptionValue, "invalid", "/force/0"),
        (json!({"identities": [""]}), Code::OptionValue, "invalid", "/identities/0"),
        (json!({"identities": []}), Code::OptionValue, "invalid", "/identities"),
        (json!({"changes": [1]}), Code::OptionValue, "invalid", "/changes"),
        (json!({"run": 1, "changes": []}), Code::OptionValue, "invalid", "/changes"),
        (json!({"run": 1, "identities": ["a"]}), Code::OptionValue, "invalid", "/run"),
        (json!({"policy_type": "all"}), Code::OptionValue, "invalid", "/policy_type"),
        (json!({"run": 4711}), Code::RunNotFound, "not_found", "4711"),
    ] {
        fails(&bench, &json!({}), &options, (code, category, target), Record::Nothing);
    }
}

#[test]
fn missing_and_unreadable_files() {
    let bench = Bench::with_expired(1);
    let absent = shown(&bench.path("absent.pem"));
    let not_found = (Code::FileNotFound, "not_found", absent.as_str());
    fails(&bench, &json!({"directory": {"path": "absent.pem"}}), &json!({}), not_found, Record::Run);
    fails(&bench, &json!({"trust": {"anchors": ["absent.pem"]}}), &json!({}), not_found, Record::Run);
    fails(&bench, &json!({"trust": {"intermediates": ["absent.pem"]}}), &json!({}), not_found, Record::Run);
    fails(&bench, &json!({"revocation": {"crls": ["absent.pem"]}}), &json!({}), not_found, Record::Run);
    fails(&bench, &json!({"exchange": {"ca_files": ["absent.pem"]}}), &json!({}), not_found, Record::Nothing);
    let secret = json!({"exchange": {"auth": {"secret": {"file": "absent.pem"}}}});
    fails(&bench, &secret, &json!({}), not_found, Record::Nothing);
    let directory = ldap("ldaps://127.0.0.1:1", json!({"ca_files": ["absent.pem"]}));
    fails(&bench, &directory, &json!({}), not_found, Record::Run);

    let garbage = bench.path("garbage.pem");
    std::fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").unwrap();
    let garbage = shown(&garbage);
    let unreadable = (Code::TrustUnreadable, "certificate", garbage.as_str());
    fails(&bench, &json!({"trust": {"anchors": ["garbage.pem"]}}), &json!({}), unreadable, Record::Run);
    fails(&bench, &json!({"revocation": {"crls": ["garbage.pem"]}}), &json!({}), unreadable, Record::Run);
    fails(&bench, &json!({"exchange": {"ca_files": ["garbage.pem"]}}), &json!({}), unreadable, Record::Nothing);
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::with_expired(1);
    std::fs::write(bench.path("secret.txt"), "open sesame").unwrap();
    std::fs::set_permissions(bench.path("secret.txt"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let path = shown(&bench.path("secret.txt"));
    let patch = json!({"exchange": {"auth": {"secret": {"file": "secret.txt"}}}});
    fails(&bench, &patch, &json!({}), (Code::ConfigSecretExposed, "config", &path), Record::Nothing);
}

#[test]
fn an_export_that_is_none() {
    let bench = Bench::with_expired(1);
    let path = shown(&bench.path("people.ldif"));
    for (content, code, category) in [
        ("this is no LDIF\n", Code::LdifSyntax, "invalid"),
        ("dn: cn=u1,dc=x\nchangetype: delete\n", Code::LdifChangeRecord, "unsupported"),
    ] {
        std::fs::write(bench.path("people.ldif"), content).unwrap();
        fails(&bench, &json!({}), &json!({}), (code, category, &path), Record::Run);
    }
}

#[test]
fn an_unknown_person() {
    let bench = Bench::with_expired(2);
    let nobody = "nobody@contoso.com";
    let expected = (Code::DirectoryNotFound, "not_found", nobody);
    fails(&bench, &json!({}), &json!({"identities": [nobody]}), expected, Record::Run);
    // one of several is a row, and the others are served
    let options = json!({"identities": [nobody, bench.people[0].address()]});
    let outcome = bench.run(&json!({}), Verb::Sync, &options);
    assert!(outcome.error.is_none());
    let failed = outcome.with_result("failed");
    assert_eq!((failed.len(), error_code(failed[0])), (1, Some(Code::DirectoryNotFound)));
    assert!(bench.has_its_values(&bench.people[0]) && !bench.has_its_values(&bench.people[1]));
    bench.assert_recorded("partial", None);
}

#[test]
fn an_unknown_recipient() {
    let bench = Bench::new(1);
    let nobody = "nobody@contoso.com";
    let outcome = bench.run(&json!({}), Verb::Recipients, &json!({"identities": [nobody]}));
    assert_eq!(outcome.failure(), (Code::ExchangeNotFound, "not_found", nobody));
    let options = json!({"identities": [nobody, bench.people[0].address()]});
    let outcome = bench.run(&json!({}), Verb::Recipients, &options);
    assert!(outcome.error.is_none());
    assert_eq!(text(&outcome.rows[0], "identity"), nobody);
    assert_eq!(error_code(&outcome.rows[0]), Some(Code::ExchangeNotFound));
    assert_eq!(text(&outcome.rows[1], "identity"), bench.people[0].recipient());
}

#[test]
fn a_certificate_that_cannot_be_read_is_left_behind_and_removes_nothing() {
    let mut bench = Bench::new(1);
    let held = bench.authority.issue(&bench.people[0].address(), 2025, 2031);
    bench.recipient(&bench.people[0], |recipient| recipient.user_certificate = vec![held.clone()]);
    bench.people[0].values = vec![vec![0x30, 0x03, 0x02, 0x01, 0x01]];
    bench.export(&bench.people);
    let outcome = bench.sync();
    assert!(outcome.with_result("applied").is_empty());
    assert_eq!((bench.held(&bench.people[0]), bench.writes()), (vec![held], 0));
    bench.assert_recorded("done", None);
    let judged = bench.run(&json!({}), Verb::Validate, &json!({}));
    assert_eq!(error_code(&judged.rows[0]), Some(Code::TrustUnreadable));
}

#[test]
fn a_directory_that_refuses() {
    let bench = Bench::with_expired(1);
    let refuses = serve(|_, _| Act::Send(vec![result(0x61, 49, "invalid credentials")]));
    let bind = json!({"method": "simple", "user": "cn=a", "password": "open sesame", "allow_plaintext": true});
    let patch = ldap(&refuses, json!({"bind": bind}));
    fails(&bench, &patch, &json!({}), (Code::DirectoryAuth, "auth", &refuses), Record::Run);
    let bind = json!({"method": "simple", "user": "cn=a", "password": "open sesame"});
    let patch = ldap(&refuses, json!({"bind": bind}));
    fails(&bench, &patch, &json!({}), (Code::DirectoryPlaintext, "config", &refuses), Record::Run);

    let denies = serve(|number, _| match number {
        0 => Act::Send(vec![result(0x61, 0, "")]),
        1 => Act::Send(vec![page_end(b"")]),
        _ => Act::Send(vec![result(0x65, 50, "")]),
    });
    let patch = ldap(&denies, json!({}));
    fails(&bench, &patch, &json!({}), (Code::DirectoryDenied, "denied", &denies), Record::Run);

    let lacks = serve(|number, _| match number {
        0 => Act::Send(vec![result(0x61, 0, "")]),
        1 => Act::Send(vec![page_end(b"")]),
        _ => Act::Send(vec![result(0x65, 32, "")]),
    });
    let patch = ldap(&lacks, json!({}));
    fails(&bench, &patch, &json!({}), (Code::ConfigValue, "config", "dc=x"), Record::Run);

    let silent = serve(|_, _| Act::Silence);
    let patch = ldap(&silent, json!({"timeout_ms": 300}));
    fails(&bench, &patch, &json!({}), (Code::DirectoryTimeout, "timeout", &silent), Record::Run);
}

#[test]
fn a_filter_that_is_none() {
    let bench = Bench::with_expired(1);
    let patch = json!({"directory": {"filter": "(cn=a"}});
    fails(&bench, &patch, &json!({}), (Code::DirectoryFilter, "invalid", "(cn=a"), Record::Run);
    fails(&bench, &json!({}), &json!({"filter": "(cn=a"}), (Code::DirectoryFilter, "invalid", "(cn=a"), Record::Run);
}

#[test]
fn a_closed_port() {
    let bench = Bench::with_expired(1);
    let started = Instant::now();
    let address = closed_port();
    let url = format!("ldap://{address}");
    let patch = ldap(&url, json!({}));
    fails(&bench, &patch, &json!({}), (Code::DirectoryUnreachable, "network", &url), Record::Run);
    let url = format!("http://{address}");
    let patch = json!({"exchange": {"admin_url": url, "authority_url": url}});
    fails(&bench, &patch, &json!({}), (Code::ExchangeUnreachable, "network", &url), Record::Run);
    let patch = json!({"exchange": {"admin_url": url}});
    fails(&bench, &patch, &json!({}), (Code::ExchangeUnreachable, "network", &url), Record::Run);
    assert!(started.elapsed().as_secs() < 5, "a closed port is waited for");
}

#[test]
fn an_untrusted_tls_certificate() {
    let bench = Bench::with_expired(1);
    let (certificate, key) = stranger();
    std::fs::write(bench.path("server.pem"), certificate).unwrap();
    std::fs::write(bench.path("server.key"), key).unwrap();
    let tls = server_config(&bench.path("server.pem"), &bench.path("server.key")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let running = runtime.block_on(bench.tenant.spawn_tls(tls)).unwrap();
    let https = running.url();
    let patch = json!({"exchange": {"admin_url": https, "authority_url": https}});
    fails(&bench, &patch, &json!({}), (Code::ExchangeTls, "certificate", https), Record::Run);
    let patch = json!({"exchange": {"admin_url": https}});
    fails(&bench, &patch, &json!({}), (Code::ExchangeTls, "certificate", https), Record::Run);
    // the handshake is over before either side knows what the other speaks
    let ldaps = https.replace("https:", "ldaps:");
    let patch = ldap(&ldaps, json!({"ca_files": ["root.pem"]}));
    fails(&bench, &patch, &json!({}), (Code::DirectoryTls, "certificate", &ldaps), Record::Run);
}

#[test]
fn a_token_that_is_not_accepted_any_more() {
    let bench = Bench::with_expired(2);
    let url = bench.url().to_owned();
    let patch = json!({"exchange": {"auth": {"method": "token", "token": bench.token()}}});
    bench.tenant.add_fault(Fault::once(FaultKind::TokenExpired)).unwrap();
    fails(&bench, &patch, &json!({}), (Code::ExchangeAuth, "auth", &url), Record::Run);
    // a fresh one is taken by the session that is open
    let session = bench.session(&patch);
    let run_again = || run(&session, Verb::Recipients, &json!({}));
    assert_eq!(run_again().failure(), (Code::ExchangeAuth, "auth", url.as_str()));
    session.set("/exchange/auth/token", &json!(bench.token()).to_string()).unwrap();
    assert!(run_again().error.is_none());
    drop(session);
    // one who can sign in again does, and nobody notices
    bench.tenant.add_fault(Fault::once(FaultKind::TokenExpired)).unwrap();
    bench.sync();
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
}

#[test]
fn a_wrong_secret_and_a_lost_right() {
    let bench = Bench::with_expired(1);
    let url = bench.url().to_owned();
    let patch = json!({"exchange": {"auth": {"secret": "another"}}});
    fails(&bench, &patch, &json!({}), (Code::ExchangeAuth, "auth", &url), Record::Run);
    let listing = Some("Get-Mailbox".to_owned());
    bench.tenant.add_fault(Fault { cmdlet: listing, ..Fault::once(FaultKind::Forbidden) }).unwrap();
    fails(&bench, &json!({}), &json!({}), (Code::ExchangeDenied, "denied", &url), Record::Run);
}

#[test]
fn a_store_that_is_none() {
    let bench = Bench::with_expired(1);
    let missing = (Code::ConfigMissing, "config", "/store/path");
    fails(&bench, &json!({"store": null}), &json!({}), missing, Record::Nothing);
    // a staging run needs none
    let staged = bench.run(&json!({"store": null}), Verb::Sync, &json!({"staging": true}));
    assert!(staged.error.is_none());
    assert_eq!(staged.with_result("planned").len(), 1);
    std::fs::write(bench.path("other.db"), "this is no database, however long it may be".repeat(100)).unwrap();
    for name in ["other.db", "absent/state.db"] {
        let path = shown(&bench.path(name));
        let patch = json!({"store": {"path": name}});
        fails(&bench, &patch, &json!({}), (Code::StoreOpen, "store", &path), Record::Nothing);
    }
}

#[test]
fn a_log_that_cannot_be_written() {
    let bench = Bench::with_expired(1);
    let path = shown(&bench.path("absent/run.log"));
    let patch = json!({"log": {"file": "absent/run.log"}});
    fails(&bench, &patch, &json!({}), (Code::FileNotFound, "not_found", &path), Record::Nothing);
}
