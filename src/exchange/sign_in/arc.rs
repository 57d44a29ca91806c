//! The challenge of Azure Arc's agent: it names a file that only those may read who may have a token.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::config::Secret;

/// Largest key that is read.
const MAX_KEY_BYTES: u64 = 4096;

/// The key a challenge asks for. Whoever answers on the agent's port could name any file, so only a `.key` directly in
/// the agent's own folder is read.
///
/// # Errors
/// What is wrong with the challenge or the file, in words for a message.
pub(super) fn key(challenge: &str, folder: &Path) -> Result<Secret, String> {
    let realm = realm(challenge).ok_or("the agent's challenge names no file")?;
    let given = Path::new(realm);
    if given.extension().is_none_or(|extension| extension != "key") {
        return Err("the agent's challenge names no .key file".to_owned());
    }
    let failed = |error: std::io::Error| format!("the agent's key cannot be read: {error}");
    // links are resolved first, so that none leads out of the folder
    let folder = folder.canonicalize().map_err(failed)?;
    if !given.is_absolute() || given.parent().and_then(|parent| parent.canonicalize().ok()).as_ref() != Some(&folder) {
        return Err("the agent's challenge names a file outside its folder".to_owned());
    }
    let file = given.canonicalize().map_err(failed)?;
    if file.parent() != Some(folder.as_path()) {
        return Err("the agent's challenge names a file outside its folder".to_owned());
    }
    let mut key = Vec::new();
    let opened = File::open(file).map_err(failed)?;
    if !opened.metadata().map_err(failed)?.is_file() {
        return Err("the agent's challenge names no file".to_owned());
    }
    opened.take(MAX_KEY_BYTES + 1).read_to_end(&mut key).map_err(failed)?;
    if u64::try_from(key.len()).is_ok_and(|length| length > MAX_KEY_BYTES) {
        return Err(format!("the agent's key is longer than {MAX_KEY_BYTES} bytes"));
    }
    String::from_utf8(key).map(Secret::new).map_err(|_| "the agent's key is no text".to_owned())
}

/// `Basic realm=PATH`, with or without quotes.
fn realm(challenge: &str) -> Option<&str> {
    let (scheme, rest) = challenge.trim().split_once(' ')?;
    let (name, value) = rest.trim().split_once('=')?;
    let named = scheme.eq_ignore_ascii_case("Basic") && name.trim().eq_ignore_ascii_case("realm");
    named.then(|| value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(challenge: &str, folder: &Path) -> String {
        key(challenge, folder).err().unwrap()
    }

    #[test]
    fn the_agents_own_key_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        std::fs::write(&path, "s3cret").unwrap();
        for challenge in [format!("Basic realm={}", path.display()), format!("basic Realm=\"{}\"", path.display())] {
            assert_eq!(key(&challenge, folder.path()).unwrap().reveal(), "s3cret");
        }
    }

    #[test]
    fn no_other_file_is_read() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |path: std::path::PathBuf| format!("Basic realm={}", path.display());
        std::fs::write(outside.path().join("x.key"), "no").unwrap();
        std::fs::write(folder.path().join("x.txt"), "no").unwrap();
        std::fs::write(folder.path().join("long.key"), vec![b'x'; 4097]).unwrap();
        std::fs::create_dir_all(folder.path().join("sub/dir.key")).unwrap();
        std::fs::write(folder.path().join("sub/deep.key"), "no").unwrap();
        let up = folder.path().join("..").join(outside.path().file_name().unwrap()).join("x.key");
        for (challenge, word) in [
            (at(outside.path().join("x.key")), "outside"),
            (at(up), "outside"),
            (at(folder.path().join("sub/deep.key")), "outside"),
            ("Basic realm=x.key".to_owned(), "outside"),
            (at(folder.path().join("x.txt")), ".key"),
            (at(folder.path().join("gone.key")), "cannot be read"),
            (at(folder.path().join("long.key")), "4096"),
            (at(folder.path().join("sub/dir.key")), "outside"),
            ("Basic".to_owned(), "names no file"),
            ("Bearer realm=/x.key".to_owned(), "names no file"),
            ("Basic realm=".to_owned(), "names no file"),
        ] {
            let words = refused(&challenge, folder.path());
            assert!(words.contains(word), "{challenge}: {words}");
        }
        std::fs::create_dir(folder.path().join("dir.key")).unwrap();
        refused(&at(folder.path().join("dir.key")), folder.path());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(outside.path().join("x.key"), "no").unwrap();
        let link = folder.path().join("link.key");
        std::os::unix::fs::symlink(outside.path().join("x.key"), &link).unwrap();
        assert!(refused(&format!("Basic realm={}", link.display()), folder.path()).contains("outside"));
    }
}
