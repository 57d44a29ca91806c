//! What directories are called where one of several is meant.

use crate::config::{Directory, DirectoryKind};

/// A name for each directory, in their order: the domain, else the bases, of an export its file. Servers come and go, so
/// they are no names. Of two that would be called the same, the second one is told by a number.
pub fn labels(directories: &[&Directory]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(directories.len());
    for directory in directories {
        let name = label(directory);
        let same = (2..).map(|number| format!("{name} ({number})"));
        let free = std::iter::once(name.clone()).chain(same).find(|name| !names.contains(name));
        names.extend(free);
    }
    names
}

fn label(directory: &Directory) -> String {
    match (directory.kind, &directory.domain) {
        (DirectoryKind::Ldif, _) => directory.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        (DirectoryKind::Ldap, Some(domain)) => domain.clone(),
        (DirectoryKind::Ldap, None) if !directory.bases.is_empty() => directory.bases.join("; "),
        (DirectoryKind::Ldap, None) => directory.base.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_directory_has_a_name_of_its_own() {
        let base = Directory { base: Some("DC=x".into()), ..Directory::default() };
        let bases = Directory { bases: vec!["OU=a".into(), "OU=b".into()], ..base.clone() };
        let domain = Directory { domain: Some("x.test".into()), ..bases.clone() };
        let file = Directory { kind: DirectoryKind::Ldif, path: Some("p.ldif".into()), ..domain.clone() };
        let names = labels(&[&base, &bases, &base, &domain, &file, &base]);
        assert_eq!(names, ["DC=x", "OU=a; OU=b", "DC=x (2)", "x.test", "p.ldif", "DC=x (3)"]);
    }
}
