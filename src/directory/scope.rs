//! What a directory's read covers, as a digest: two complete reads of one scope can be compared.

use crate::certificate::Sha256;
use crate::config::{Config, Directory, DirectoryKind};
use crate::error::Result;

use super::name::Name;

/// SHA-256, lower-case hexadecimal, over kind, domain, base or bases, filter and group; not over servers, files or credentials.
pub fn scope(config: &Directory) -> String {
    let kind = match config.kind {
        DirectoryKind::Ldap => "ldap",
        DirectoryKind::Ldif => "ldif",
    };
    let normal = |dn: &String| Name::parse(dn).map_or_else(|| dn.clone(), |name| name.normal_form());
    let mut bases: Vec<String> = match &config.base {
        Some(base) if config.bases.is_empty() => vec![normal(base)],
        _ => config.bases.iter().map(normal).collect(),
    };
    bases.sort();
    bases.dedup();
    let domain = config.domain.as_ref().map(|domain| domain.to_lowercase());
    let parts = serde_json::json!([kind, domain, bases, config.filter, config.group.as_ref().map(normal)]);
    Sha256::of(parts.to_string().as_bytes()).to_string().to_lowercase()
}

/// The scope of all directories of a configuration, whatever their order; that of one is its own.
///
/// # Errors
/// `config_missing`.
pub fn scope_of(config: &Config) -> Result<String> {
    let mut scopes: Vec<_> = config.all_directories()?.into_iter().map(scope).collect();
    if let [only] = scopes.as_slice() {
        return Ok(only.clone());
    }
    scopes.sort();
    Ok(Sha256::of(scopes.join(" ").as_bytes()).to_string().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_directories_have_one_scope_in_any_order() {
        let one = Directory { base: Some("DC=x".into()), ..Directory::default() };
        let other = Directory { base: Some("DC=y".into()), ..Directory::default() };
        let of = |directories: &[&Directory]| {
            let directories = directories.iter().map(|directory| (*directory).clone()).collect();
            scope_of(&Config { directories, ..Config::default() }).unwrap()
        };
        assert_eq!(of(&[&one]), scope(&one));
        assert_eq!(of(&[&one, &other]), of(&[&other, &one]));
        assert!(of(&[&one, &other]) != of(&[&one]) && of(&[&one, &other]) != of(&[&one, &one]));
        assert!(scope_of(&Config::default()).is_err());
    }

    #[test]
    fn servers_and_writing_do_not_matter_but_what_is_covered_does() {
        let one = Directory {
            urls: vec!["ldaps://dc1.x.test".into()],
            bases: vec!["OU=A,DC=x".into(), "OU=B,DC=x".into()],
            ..Directory::default()
        };
        let same = Directory { urls: Vec::new(), bases: vec!["ou=b, dc=x".into(), "ou=a,dc=X".into()], ..one.clone() };
        assert_eq!(scope(&one), scope(&same));
        let others = [
            Directory { filter: Some("(a=b)".into()), ..one.clone() },
            Directory { bases: vec!["OU=A,DC=x".into()], ..one.clone() },
            Directory { kind: DirectoryKind::Ldif, ..one.clone() },
            Directory { group: Some("CN=g,DC=x".into()), ..one.clone() },
            Directory { domain: Some("x.test".into()), ..one.clone() },
        ];
        assert!(others.iter().all(|other| scope(other) != scope(&one)));
        assert_eq!(
            scope(&Directory { base: Some("DC=x".into()), ..Directory::default() }),
            scope(&Directory { bases: vec!["DC=x".into()], ..Directory::default() })
        );
    }
}
