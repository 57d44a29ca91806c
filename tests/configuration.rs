//! The configuration: what is refused and how, what never shows, and that its page in `docs/` is whole.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::collections::BTreeMap;
use std::path::Path;

use smimesync::config::parse;
use smimesync::error::Code;

fn refused(config: &str) -> (Code, String) {
    let error = parse(config).unwrap_err();
    (error.code(), error.get_target().unwrap_or_default().to_owned())
}

#[test]
fn unknown_keys_are_named_at_any_depth() {
    for (config, pointer) in [
        (r#"{"nonsense":1}"#, "/nonsense"),
        (r#"{"directory":{"bind":{"pasword":"x"}}}"#, "/directory/bind/pasword"),
        (r#"{"directory":{"bind":{"password":{"file":"f","other":1}}}}"#, "/directory/bind/password/other"),
        (r#"{"trust":{"anchors":["a.pem",{"file":"b.pem","domains":["x"],"domain":"y"}]}}"#, "/trust/anchors/1/domain"),
        (r#"{"directories":[{"urls":[],"uri":1}]}"#, "/directories/0/uri"),
        (r#"{"policy":{"a/b~c":1}}"#, "/policy/a~1b~0c"),
    ] {
        assert_eq!(refused(config), (Code::ConfigUnknownKey, pointer.to_owned()), "{config}");
    }
}

#[test]
fn wrong_types_and_values_are_named() {
    for (config, code, pointer) in [
        (r#"{"policy":{"max_values":"15"}}"#, Code::ConfigType, "/policy/max_values"),
        (r#"{"policy":{"max_values":-1}}"#, Code::ConfigValue, "/policy/max_values"),
        (r#"{"policy":{"max_values":0}}"#, Code::ConfigValue, "/policy/max_values"),
        (r#"{"policy":{"full_every_days":0}}"#, Code::ConfigValue, "/policy/full_every_days"),
        (r#"{"policy":{"publish":"all"}}"#, Code::ConfigValue, "/policy/publish"),
        (r#"{"exchange":{"timeout_ms":0}}"#, Code::ConfigValue, "/exchange/timeout_ms"),
        (r#"{"directory":{"timeout_ms":0}}"#, Code::ConfigValue, "/directory/timeout_ms"),
        (r#"{"revocation":{"timeout_ms":0}}"#, Code::ConfigValue, "/revocation/timeout_ms"),
        (r#"{"log":{"max_bytes":1}}"#, Code::ConfigValue, "/log/max_bytes"),
        (r#"{"guard":{"max_removals_percent":101}}"#, Code::ConfigValue, "/guard/max_removals_percent"),
        (r#"{"trust":{"anchors":[7]}}"#, Code::ConfigType, "/trust/anchors/0"),
        (r#"{"trust":{"anchors":[{"file":"a.pem"}]}}"#, Code::ConfigValue, "/trust/anchors/0"),
        (r#"{"exchange":{"auth":{"secret":7}}}"#, Code::ConfigType, "/exchange/auth/secret"),
    ] {
        assert_eq!(refused(config), (code, pointer.to_owned()), "{config}");
    }
}

#[test]
fn what_this_version_cannot_do_is_refused_by_name() {
    for (config, pointer) in [
        (r#"{"directory":{"kind":"ldif","group":"CN=g"}}"#, "/directory/group"),
        (r#"{"directories":[{},{"kind":"ldif","group":"CN=g"}]}"#, "/directories/1/group"),
        (r#"{"exchange":{"auth":{"certificate_thumbprint":"x"}}}"#, "/exchange/auth/certificate_thumbprint"),
        (r#"{"trust":{"os_store":true}}"#, "/trust/os_store"),
    ] {
        assert_eq!(refused(config), (Code::ConfigUnsupported, pointer.to_owned()), "{config}");
    }
}

#[test]
fn kerberos_is_a_matter_of_the_build() {
    for (config, pointer) in [
        (r#"{"directory":{"bind":{"method":"gssapi"}}}"#, "/directory/bind/method"),
        (r#"{"directory":{"bind":{"method":"gssapi","keytab":"k"}}}"#, "/directory/bind/method"),
        (r#"{"directory":{"bind":{"keytab":"k"}}}"#, "/directory/bind/keytab"),
    ] {
        if cfg!(feature = "gssapi") {
            assert!(smimesync::config::parse(config).is_ok(), "{config}");
        } else {
            assert_eq!(refused(config), (Code::ConfigUnsupported, pointer.to_owned()), "{config}");
        }
    }
}

#[test]
fn secrets_show_nowhere() {
    let config = parse(
        r#"{"directory":{"bind":{"password":"hunter2-a","certificate_password":"hunter2-e"}},
            "exchange":{"proxy":"http://u:hunter2-b@proxy:8080","auth":{"secret":"hunter2-c","token":"hunter2-d"}}}"#,
    )
    .unwrap();
    assert!(!format!("{config:?} {config:#?}").contains("hunter2"));
    for wrong in [
        r#"{"policy":{"publish":"hunter2"}}"#,
        r#"{"policy":"hunter2"}"#,
        r#"{"policy":{"at":"hunter2"}}"#,
        r#"{"exchange":{"environment":"hunter2"}}"#,
        r#"{"exchange":{"auth":{"secret":["hunter2"]}}}"#,
        r#"{"exchange":{"auth":{"secret":{"file":["hunter2"]}}}}"#,
        r#"{"directory":{"bind":{"allow_plaintext":"hunter2"}}}"#,
        r#"{"directory":{"bind":{"password":"hunter2"#,
        r#"{"directory":{"bind":{"password":"hunter2\x"}}}"#,
        r#"{"trust":{"anchors":"hunter2"}}"#,
    ] {
        let error = parse(wrong).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{wrong}: {error:?}");
    }
}

#[cfg(unix)]
#[test]
fn files_of_secrets_are_relative_to_the_base_and_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "hunter2\n").unwrap();
    let config = serde_json::json!({
        "base_dir": folder.path(),
        "exchange": { "auth": { "secret": { "file": "secret" } } },
    });
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(refused(&config.to_string()), (Code::ConfigSecretExposed, file.display().to_string()));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = parse(&config.to_string()).unwrap();
    assert_eq!(config.exchange.unwrap().auth.secret.unwrap().reveal(), "hunter2");
}

/// Keys of the structs a configuration is made of, by the struct's name, read from the source.
fn keys() -> BTreeMap<String, Vec<String>> {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/sections.rs")).unwrap();
    let mut keys = BTreeMap::new();
    for block in source.split("pub struct ").skip(1) {
        let (name, rest) = block.split_once(" {").unwrap();
        let body = rest.split_once("\n}").unwrap().0;
        let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
        keys.insert(name.to_owned(), fields.map(|(field, _)| field.to_owned()).collect::<Vec<_>>());
    }
    keys
}

#[test]
fn the_page_describes_every_key_in_its_section() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md")).unwrap();
    let keys = keys();
    assert_eq!(keys.len(), 11);
    for (name, keys) in keys {
        let start = match name.as_str() {
            "Config" => "## Top level".to_owned(),
            "Bind" => "`directory.bind`:".to_owned(),
            "Auth" => "`exchange.auth`:".to_owned(),
            _ => format!("## `{}`", name.to_lowercase()),
        };
        let section = &page[page.find(&start).unwrap_or_else(|| panic!("no {start}"))..];
        let section = section.split("\n## ").next().unwrap();
        let rows: String = section.lines().filter(|line| line.starts_with("| `")).map(first_cell).collect();
        for key in keys {
            assert!(rows.contains(&format!("`{key}`")), "{key} of {name} is not described");
        }
    }
}

fn first_cell(row: &str) -> String {
    row.split('|').nth(1).unwrap_or_default().to_owned()
}
