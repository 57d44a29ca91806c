//! Any bytes as a certificate: read or refused, and what was read is judged, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smimesync::certificate::Certificate;
use smimesync::validation::{Evidence, RevocationCheck, Rules, judge};

fuzz_target!(|bytes: &[u8]| {
    let Ok(certificate) = Certificate::parse(bytes) else { return };
    let rules = Rules {
        at_ms: 1_700_000_000_000,
        min_rsa_bits: 2048,
        allow_sha1: false,
        allow_no_address: false,
        expiring_days: 30,
        revocation: RevocationCheck::Offline,
        fetch_issuers: false,
    };
    // the certificate is its own issuer, so that paths and signatures are tried
    let evidence = Evidence::new(Vec::new(), vec![certificate.clone()], Vec::new());
    let _ = judge(&certificate, &[], None, &evidence, &rules);
});
