//! Accounts that may not sign in any more, at Samba's AD DC, with what it says of each.

use smimesync::error::Code;

use crate::reader::{directory, everybody, failed, simple, steps};
use crate::servers::{RealServer, own_active_directory};

fn set(server: &RealServer, dn: &str, attribute: &str, value: &str) {
    server.modify(&format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"));
}

#[test]
fn why_an_account_may_not_sign_in_is_put_into_words() {
    let Some(server) = own_active_directory("accounts::why_an_account_may_not_sign_in", 1) else { return };
    let dn = server.fact("PLAIN_DN");
    let config = |password: &str| {
        let bind = simple(dn, password);
        directory(server.fact("LDAPS_URL"), server.fact("BASE_DN"), bind, Some(server.ca_file()))
    };
    let good = config(server.fact("SYNC_PASSWORD"));
    let refused = |words: &str| {
        let error = everybody(&good).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::DirectoryAuth, Some(server.fact("LDAPS_URL"))));
        assert!(error.to_string().contains(words), "{error}");
        let tried = steps(&good);
        assert_eq!(failed(&tried).step, "bind");
    };
    assert!(!everybody(&good).unwrap().0.is_empty());
    set(&server, dn, "userAccountControl", "514");
    refused("the account is disabled");
    set(&server, dn, "userAccountControl", "512");
    set(&server, dn, "pwdLastSet", "0");
    refused("the password must be changed first");
    set(&server, dn, "pwdLastSet", "-1");
    set(&server, dn, "accountExpires", "131000000000000000");
    refused("the account has expired");
    set(&server, dn, "accountExpires", "0");
    assert!(!everybody(&good).unwrap().0.is_empty());
    set(&server, server.fact("BASE_DN"), "lockoutThreshold", "2");
    for _ in 0..3 {
        assert_eq!(everybody(&config("wrong")).unwrap_err().code(), Code::DirectoryAuth);
    }
    refused("the account is locked");
}
