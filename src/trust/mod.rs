//! Where anchors, intermediates, CRLs and OCSP answers come from, into the evidence validation needs: files, told apart by content; and
//! what `retriever` fetches from the places certificates name.

mod answer;
mod retriever;

use std::path::{Path, PathBuf};

use crate::certificate::{Bundle, OcspResponse, Sha256};
use crate::config::{AnchorFile, Config};
use crate::error::{Code, Error, Result};
use crate::platform;
use crate::validation::{Anchor, Evidence, Tenant};

pub use retriever::{Brought, Retriever};

/// One source of certificates, CRLs or OCSP answers.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file, or a folder whose files are read.
    Path(PathBuf),
    /// The bytes themselves.
    Bytes(Vec<u8>),
}

/// Where evidence comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Anchors, and the domains they may vouch for; `None` is every domain.
    pub anchors: Vec<(Source, Option<Vec<String>>)>,
    /// Issuing authorities.
    pub intermediates: Vec<Source>,
    /// CRLs.
    pub crls: Vec<Source>,
    /// OCSP answers, one in a file.
    pub ocsp_responses: Vec<Source>,
}

impl Sources {
    /// What the configuration names.
    pub fn of(config: &Config) -> Self {
        let source = |name: &PathBuf| Source::Path(config.path(name));
        let anchors = config.trust.anchors.iter().map(|anchor| match anchor {
            AnchorFile::Any(file) => (source(file), None),
            AnchorFile::Restricted { file, domains } => (source(file), Some(domains.clone())),
        });
        Self {
            anchors: anchors.collect(),
            intermediates: config.trust.intermediates.iter().map(source).collect(),
            crls: config.revocation.crls.iter().map(source).collect(),
            ocsp_responses: Vec::new(),
        }
    }

    /// A digest of all of it: what verdicts rest on may be other evidence if this is another one.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`; the target is the file.
    pub fn digest(&self) -> Result<Sha256> {
        let mut parts = Vec::new();
        for (source, domains) in &self.anchors {
            parts.push(format!("anchor {domains:?} {}", digests(source)?));
        }
        for source in &self.intermediates {
            parts.push(format!("intermediate {}", digests(source)?));
        }
        for source in &self.crls {
            parts.push(format!("crl {}", digests(source)?));
        }
        Ok(Sha256::of(parts.join("\n").as_bytes()))
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`, `trust_unreadable`; the target is the file.
    pub fn load(&self) -> Result<Evidence> {
        let mut anchors = Vec::new();
        for (source, domains) in &self.anchors {
            let found = bundles(source)?.into_iter().flat_map(|bundle| bundle.certificates);
            anchors.extend(found.map(|certificate| Anchor { certificate, domains: domains.clone() }));
        }
        let mut intermediates = Vec::new();
        for source in &self.intermediates {
            intermediates.extend(bundles(source)?.into_iter().flat_map(|bundle| bundle.certificates));
        }
        let mut crls = Vec::new();
        for source in &self.crls {
            crls.extend(bundles(source)?.into_iter().flat_map(|bundle| bundle.crls));
        }
        let mut answers = Vec::new();
        for source in &self.ocsp_responses {
            answers.extend(ocsp_responses(source)?);
        }
        let mut evidence = Evidence::new(anchors, intermediates, crls);
        evidence.add_ocsp_responses(answers);
        Ok(evidence)
    }
}

/// A tenant's collection of authorities from a file: an SST, or any other form certificates come in.
///
/// # Errors
/// `file_not_found`, `file_unreadable`, `trust_unreadable`; the target is the file.
pub fn tenant(path: &Path) -> Result<Tenant> {
    let found = bundles(&Source::Path(path.to_path_buf()))?;
    Ok(Tenant::new(found.into_iter().flat_map(|bundle| bundle.certificates).collect()))
}

fn digests(source: &Source) -> Result<String> {
    let of = |bytes: &[u8]| Sha256::of(bytes).to_string();
    match source {
        Source::Bytes(bytes) => Ok(of(bytes)),
        Source::Path(path) => {
            let files = files(path)?.into_iter().map(|file| Ok(of(&read(&file)?)));
            Ok(files.collect::<Result<Vec<_>>>()?.join(" "))
        }
    }
}

fn bundles(source: &Source) -> Result<Vec<Bundle>> {
    each(source, bundle)
}

fn ocsp_responses(source: &Source) -> Result<Vec<OcspResponse>> {
    each(source, |bytes, target| {
        OcspResponse::parse(bytes).map_err(|_| Error::new(Code::TrustUnreadable).target(target))
    })
}

/// What is made of the bytes of each file, or of those handed in, which have no name.
fn each<T>(source: &Source, make: impl Fn(&[u8], &str) -> Result<T>) -> Result<Vec<T>> {
    match source {
        Source::Bytes(bytes) => Ok(vec![make(bytes, "")?]),
        Source::Path(path) => files(path)?.iter().map(|file| make(&read(file)?, &file.display().to_string())).collect(),
    }
}

/// The file itself, or the files of a folder in the order of their names.
///
/// # Errors
/// `file_not_found`, `file_unreadable`.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let folder = std::fs::read_dir(path).map_err(|error| platform::file_error(path, &error))?;
    let mut files: Vec<_> = folder.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// The bytes of a file.
///
/// # Errors
/// `file_not_found`, `file_unreadable`.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| platform::file_error(path, &error))
}

fn bundle(bytes: &[u8], target: &str) -> Result<Bundle> {
    let bundle = Bundle::read(bytes);
    if bundle.certificates.is_empty() && bundle.crls.is_empty() {
        return Err(Error::new(Code::TrustUnreadable).target(target));
    }
    Ok(bundle)
}
