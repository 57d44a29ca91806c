//! The pool of keys: made once with openssl, kept in a folder, shared by every company. Making RSA keys is what would
//! take the time; choosing from a pool costs nothing.

use crate::error::{Error, Result};
use rcgen::{KeyPair, PublicKeyData, SubjectPublicKeyInfo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const AUTHORITIES: [(&str, &str); 5] = [
    ("ca-root", RSA_2048),
    ("ca-issuing-1", RSA_2048),
    ("ca-issuing-2", P_256),
    ("ca-partner", RSA_2048),
    ("ca-unknown", RSA_2048),
];
const RSA_2048: &str = "rsa:2048";
const RSA_1024: &str = "rsa:1024";
const P_256: &str = "ec:P-256";
const PEOPLE: [(&str, &str, usize); 3] = [("rsa2048", RSA_2048, 20), ("rsa1024", RSA_1024, 2), ("p256", P_256, 6)];

/// What kind of key a person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, 2048 bits.
    Rsa2048,
    /// RSA, 1024 bits: too weak.
    Rsa1024,
    /// Elliptic curve P-256.
    P256,
}

/// A key that can sign, with the file it lies in.
#[derive(Debug)]
pub struct SigningKey {
    /// The key.
    pub pair: KeyPair,
    /// Its PKCS #8 PEM file, for the openssl command line.
    pub path: PathBuf,
}

/// All keys of the pool.
#[derive(Debug)]
pub struct Pool {
    authorities: Vec<SigningKey>,
    rsa: Vec<SigningKey>,
    ec: Vec<SigningKey>,
    weak: Vec<SubjectPublicKeyInfo>,
}

impl Pool {
    /// Reads the pool from `dir`; makes what is missing first.
    ///
    /// # Errors
    /// The folder cannot be written, openssl is missing or refuses, or a key file is damaged.
    pub fn open(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).map_err(Error::io(dir))?;
        // one maker at a time: others wait and find the keys made
        let lock_path = dir.join("lock");
        let lock = fs::File::create(&lock_path).map_err(Error::io(&lock_path))?;
        lock.lock().map_err(Error::io(&lock_path))?;
        make_missing(dir)?;
        drop(lock);
        let people = |name: &str, count: usize| -> Result<Vec<SigningKey>> {
            (0..count).map(|i| read_key(dir, &format!("{name}-{i:02}"))).collect()
        };
        let weak = (0..2)
            .map(|i| {
                let path = dir.join(format!("rsa1024-{i:02}.pub"));
                let pem = fs::read_to_string(&path).map_err(Error::io(&path))?;
                Ok(SubjectPublicKeyInfo::from_pem(&pem)?)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            authorities: AUTHORITIES.iter().map(|(name, _)| read_key(dir, name)).collect::<Result<_>>()?,
            rsa: people("rsa2048", 20)?,
            ec: people("p256", 6)?,
            weak,
        })
    }

    /// Takes the five authorities' keys out of the pool: root, issuing 1, issuing 2, partner, unknown.
    pub fn take_authorities(&mut self) -> Vec<SigningKey> {
        std::mem::take(&mut self.authorities)
    }

    /// How many keys of a kind there are.
    pub fn count(&self, kind: KeyKind) -> usize {
        match kind {
            KeyKind::Rsa2048 => self.rsa.len(),
            KeyKind::Rsa1024 => self.weak.len(),
            KeyKind::P256 => self.ec.len(),
        }
    }

    /// The public half of a key.
    pub fn public(&self, kind: KeyKind, index: usize) -> &dyn PublicKeyData {
        match kind {
            KeyKind::Rsa2048 => &self.rsa[index].pair,
            KeyKind::Rsa1024 => &self.weak[index],
            KeyKind::P256 => &self.ec[index].pair,
        }
    }

    /// The key itself; none for the weak ones, which the signing library refuses to load.
    pub fn signing(&self, kind: KeyKind, index: usize) -> Option<&SigningKey> {
        match kind {
            KeyKind::Rsa2048 => self.rsa.get(index),
            KeyKind::Rsa1024 => None,
            KeyKind::P256 => self.ec.get(index),
        }
    }
}

fn read_key(dir: &Path, name: &str) -> Result<SigningKey> {
    let path = dir.join(format!("{name}.pem"));
    let pem = fs::read_to_string(&path).map_err(Error::io(&path))?;
    Ok(SigningKey { pair: KeyPair::from_pem(&pem)?, path })
}

fn make_missing(dir: &Path) -> Result<()> {
    let mut wanted: Vec<(String, &str)> = AUTHORITIES.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    for (name, kind, count) in PEOPLE {
        wanted.extend((0..count).map(|i| (format!("{name}-{i:02}"), kind)));
    }
    wanted.retain(|(name, kind)| {
        let public_missing = *kind == RSA_1024 && !dir.join(format!("{name}.pub")).exists();
        public_missing || !dir.join(format!("{name}.pem")).exists()
    });
    // two at a time: key generation is the one slow thing here, and the smallest machines we serve have two cores
    for pair in wanted.chunks(2) {
        std::thread::scope(|scope| {
            let running: Vec<_> =
                pair.iter().map(|(name, kind)| scope.spawn(move || make_key(dir, name, kind))).collect();
            running.into_iter().try_for_each(|thread| {
                thread.join().map_err(|_| Error::Other("a key generating thread panicked".to_owned()))?
            })
        })?;
    }
    Ok(())
}

fn make_key(dir: &Path, name: &str, kind: &str) -> Result<()> {
    let (algorithm, option) = match kind.split_once(':') {
        Some(("ec", curve)) => ("EC", format!("ec_paramgen_curve:{curve}")),
        Some((_, bits)) => ("RSA", format!("rsa_keygen_bits:{bits}")),
        None => return Err(Error::Other(format!("no such kind of key: {kind}"))),
    };
    let pem = openssl(&["genpkey", "-algorithm", algorithm, "-pkeyopt", &option])?;
    // written beside and renamed: a run that is killed leaves no half key
    let part = dir.join(format!("{name}.part"));
    fs::write(&part, &pem).map_err(Error::io(&part))?;
    if kind == RSA_1024 {
        let public = openssl(&["pkey", "-pubout", "-in", &part.to_string_lossy()])?;
        let path = dir.join(format!("{name}.pub"));
        fs::write(&path, public).map_err(Error::io(&path))?;
    }
    fs::rename(&part, dir.join(format!("{name}.pem"))).map_err(Error::io(&part))
}

/// Runs the openssl command line with an empty standard input and gives its standard output.
///
/// # Errors
/// It cannot be started, or ends with an error.
pub fn openssl(arguments: &[&str]) -> Result<Vec<u8>> {
    let command = arguments.first().copied().unwrap_or_default().to_owned();
    let output = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Error::Openssl { command: command.clone(), message: e.to_string() })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Openssl { command, message: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
    }
}
