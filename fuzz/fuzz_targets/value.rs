//! Any bytes as a value of userSMIMECertificate: CMS, tagged list or X.509.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smimesync::certificate::SmimeValue;

fuzz_target!(|bytes: &[u8]| {
    let value = SmimeValue::parse(bytes.into());
    let _ = value.chosen(1_700_000_000_000);
});
