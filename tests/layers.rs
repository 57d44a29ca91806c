//! A room uses only rooms above it, in the order of `src/lib.rs`.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn data_flows_down_the_list_of_rooms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let list = std::fs::read_to_string(root.join("lib.rs")).unwrap();
    let rooms: Vec<_> = list
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(rooms.len() > 10 && rooms.last() == Some(&"ffi"), "{rooms:?}");
    let place = |name: &str| rooms.iter().position(|room| *room == name);
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files {
        let first = file.strip_prefix(&root).unwrap().components().next().unwrap();
        let name = first.as_os_str().to_string_lossy();
        let Some(own) = place(name.trim_end_matches(".rs")) else { continue };
        let source = std::fs::read_to_string(&file).unwrap();
        // the tests of a room may look at those below
        let code = source.split("#[cfg(test)]").next().unwrap();
        for used in code.split("crate::").skip(1) {
            let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            if let Some(other) = place(used) {
                assert!(other <= own, "{} uses {used}, which is below it", file.display());
            }
        }
    }
}
