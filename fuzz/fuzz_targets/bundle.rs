//! Any bytes as a file of certificates or CRLs: PEM, DER, PKCS#7, SST.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smimesync::certificate::Bundle;

fuzz_target!(|bytes: &[u8]| {
    let _ = Bundle::read(bytes);
});
