#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| smimesync_fuzz::crl(bytes));
