//! Any bytes as an LDIF export, read as the product reads it.
#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use smimesync::config::{Directory, DirectoryKind};
use smimesync::directory::{Selection, read};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).is_err() {
        return;
    }
    let directory =
        Directory { kind: DirectoryKind::Ldif, path: Some(file.path().to_path_buf()), ..Directory::default() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let (sink, mut people) = tokio::sync::mpsc::channel(16);
        let selection = Selection::default();
        let reading = read(&directory, None, &selection, sink);
        let taking = async { while people.recv().await.is_some() {} };
        let _ = tokio::join!(reading, taking);
    });
});
