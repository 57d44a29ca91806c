//! Makes the C header from the sources of the ABI; shared by `build.rs`, which writes it, and `tests/header.rs`, which compares.

use std::path::Path;

/// The text of `include/smimesync.h`; `None` where the sources do not parse.
pub(crate) fn generate(root: &Path) -> Option<String> {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).ok()?;
    config.header = Some(std::fs::read_to_string(root.join("src/ffi/essay.h")).ok()?.trim_end().to_owned());
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in [
        "error.rs",
        "ffi/version.rs",
        "ffi/error.rs",
        "ffi/session.rs",
        "ffi/cursor.rs",
        "ffi/column.rs",
        "ffi/verb.rs",
    ] {
        builder = builder.with_src(root.join("src").join(file));
    }
    let mut out = Vec::new();
    builder.generate().ok()?.write(&mut out);
    // Rust's safety sections say to C what the essay says once for all functions
    Some(without_safety(&String::from_utf8(out).ok()?))
}

fn without_safety(header: &str) -> String {
    let mut out = String::with_capacity(header.len());
    let mut in_safety = false;
    for line in header.lines() {
        if line.trim() == "* # Safety" {
            in_safety = true;
            // the blank comment line before the section goes with it
            if out.ends_with(" *\n") {
                out.truncate(out.len() - " *\n".len());
            }
        }
        if line.trim() == "*/" {
            in_safety = false;
        }
        if !in_safety {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}
