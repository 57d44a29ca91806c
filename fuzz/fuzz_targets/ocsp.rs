//! Any bytes as an OCSP response: read or refused, and what was read is held against a certificate, without a panic. The last
//! two certificates in the response are its authority, which is trusted, and the one that is judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smimesync::certificate::OcspResponse;
use smimesync::validation::{Anchor, Evidence, RevocationCheck, Rules, judge};

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = OcspResponse::parse(bytes) else { return };
    let [.., anchor, certificate] = response.certificates() else { return };
    let (anchor, certificate) = (Anchor { certificate: anchor.clone(), domains: None }, certificate.clone());
    let mut evidence = Evidence::new(vec![anchor], Vec::new(), Vec::new());
    evidence.add_ocsp_responses(vec![response]);
    let rules = Rules {
        // 2026-06-01T00:00:00Z, at which the seeds hold
        at_ms: 1_780_272_000_000,
        min_rsa_bits: 2048,
        allow_sha1: false,
        allow_no_address: false,
        expiring_days: 30,
        revocation: RevocationCheck::Online,
        fetch_issuers: true,
    };
    let _ = judge(&certificate, &[], None, &evidence, &rules);
});
