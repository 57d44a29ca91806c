//! Keeps `include/smimesync.h` true to `src/ffi/`. Where `SMIMESYNC_HEADER_FROZEN` is set nothing is written: the test
//! `tests/header.rs` compares.

#[path = "src/ffi/header.rs"]
mod header;

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=src/ffi");
    println!("cargo::rerun-if-changed=src/error.rs");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-env-changed=SMIMESYNC_HEADER_FROZEN");
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    // sources that do not parse are rustc's to report, and a frozen tree is the test's to judge
    if std::env::var_os("SMIMESYNC_HEADER_FROZEN").is_none()
        && let Some(text) = header::generate(Path::new(&root))
    {
        let path = Path::new(&root).join("include/smimesync.h");
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text)
            && let Err(error) =
                std::fs::create_dir_all(Path::new(&root).join("include")).and_then(|()| std::fs::write(&path, &text))
        {
            println!("cargo::warning=include/smimesync.h: {error}");
        }
    }
}
