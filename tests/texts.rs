//! What sentences say and what they are given fit together: read from the sources, because only they know all places.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use smimesync::error::{CODES, CodeInfo};
use smimesync::session::Verb;

fn sources(folder: &Path, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn parameters(template: &str) -> BTreeSet<&str> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// The templates of `error.*` from their table.
fn templates() -> BTreeMap<String, String> {
    let table =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/text/english/errors.rs")).unwrap();
    let texts: Vec<_> = table.split('"').skip(1).step_by(2).collect();
    texts.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

#[test]
fn every_parameter_of_an_error_or_event_is_given_somewhere() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let given: BTreeSet<&str> = files
        .iter()
        .flat_map(|file| file.split(".with(\"").skip(1).chain(file.split("(\"").skip(1)))
        .filter_map(|rest| rest.split_once("\", ").map(|(name, _)| name))
        .collect();
    let templates = templates();
    assert_eq!(templates.len(), CODES.len());
    let is_made = |info: &&CodeInfo| {
        let code = format!("Code::{:?}", info.code);
        // the list of codes itself says it once more
        files.iter().filter(|file| !file.contains("pub const CODES")).any(|file| file.contains(&code))
    };
    let idle: Vec<_> = CODES.iter().filter(|info| !is_made(info)).map(|info| info.name).collect();
    assert_eq!(idle, [""; 0]);
    for info in CODES.iter().filter(is_made) {
        for name in parameters(&templates[info.name]) {
            assert!(given.contains(name), "nobody gives {{{name}}} of {}", info.name);
        }
    }
}

#[test]
fn no_error_is_given_what_its_sentence_does_not_say() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let templates = templates();
    let mut looked_at = 0;
    for file in &files {
        for made in file.split("Error::new(Code::").skip(1) {
            let (code, rest) = made.split_once(')').unwrap();
            let name = CODES.iter().find(|info| format!("{:?}", info.code) == code).map(|info| info.name);
            // the calls chained to it, up to the end of the expression
            let mut chain = rest.trim_start();
            while let Some(call) = chain.strip_prefix('.') {
                if let (Some(name), Some(parameter)) = (name, call.strip_prefix("with(\"")) {
                    let parameter = parameter.split('"').next().unwrap();
                    assert!(parameters(&templates[name]).contains(parameter), "{name} does not say {parameter}");
                    looked_at += 1;
                }
                let mut depth = 0;
                let end = call.char_indices().find(|(_, c)| {
                    depth += match c {
                        '(' => 1,
                        ')' => -1,
                        _ => 0,
                    };
                    *c == ')' && depth == 0
                });
                let Some((end, _)) = end else { break };
                chain = call[end + 1..].trim_start();
            }
        }
    }
    assert!(looked_at > 30, "only {looked_at} places were understood");
}

#[test]
fn the_proofs_about_directories_name_tests_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/proof.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("Directories that fail")).unwrap();
    let mut named = 0;
    for (module, test) in section.split('`').filter_map(|quoted| quoted.split_once("::")) {
        let folders =
            ["ldap", "faults", "runs"].map(|folder| root.join("tests").join(folder).join(format!("{module}.rs")));
        let mut sources = folders.iter().filter_map(|path| std::fs::read_to_string(path).ok());
        assert!(sources.any(|source| source.contains(&format!("fn {test}("))), "there is no test {module}::{test}");
        named += 1;
    }
    assert!(named > 30, "{named}");
}

/// What stands between backticks in the first column of the table of a section.
fn documented(section: &str) -> BTreeSet<String> {
    let first_cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    first_cells.flat_map(|cell| cell.split(", ").map(|name| name.trim_matches('`').to_owned())).collect()
}

#[test]
fn every_option_of_a_verb_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/verbs.md")).unwrap();
    let sections: BTreeMap<&str, &str> = page.split("\n## ").skip(1).filter_map(|it| it.split_once('\n')).collect();
    let selection = documented(sections["The selection"]);
    assert_eq!(selection, ["bases", "filter", "identities", "limit"].map(str::to_owned).into());
    for verb in Verb::ALL {
        let name = verb.name();
        let source = std::fs::read_to_string(root.join(format!("src/session/verbs/{name}.rs"))).unwrap();
        let fields = |source: &str| -> BTreeSet<String> {
            let options = source.split_once("struct Options {").unwrap().1.split_once('}').unwrap().0;
            let names = options.lines().filter_map(|line| line.split_once(": "));
            names.map(|(name, _)| name.trim().trim_start_matches("pub(super) ").to_owned()).collect()
        };
        let section = sections.get(format!("`{name}`").as_str()).unwrap_or_else(|| panic!("{name} has no section"));
        assert_eq!(documented(section), fields(&source), "{name}");
        assert_eq!(section.contains("the selection"), source.contains("with_selection"), "{name}");
    }
}
