//! Any bytes as an OCSP response: read or refused, and what was read is held against a certificate, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smimesync::certificate::OcspResponse;
use smimesync::validation::Evidence;

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = OcspResponse::parse(bytes) else { return };
    let mut evidence = Evidence::default();
    evidence.add_ocsp_responses(vec![response]);
    assert_eq!(evidence.ocsp_responses().len(), 1);
});
