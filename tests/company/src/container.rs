//! What stands in `userSMIMECertificate`: CMS SignedData as Outlook publishes it, and Microsoft's older tagged list.

use crate::certificate::{Leaf, smime_capabilities};
use crate::der::{algorithm_with_null, element, oid, sequence, set_of};
use crate::error::{Error, Result};
use crate::pki::Pki;
use crate::pool::{KeyKind, Pool, openssl};
use aws_lc_rs::digest;
use std::path::Path;
use time::OffsetDateTime;
use time::macros::format_description;

const SIGNED_DATA: [u64; 7] = [1, 2, 840, 113_549, 1, 7, 2];
const DATA: [u64; 7] = [1, 2, 840, 113_549, 1, 7, 1];
const SHA_256: [u64; 9] = [2, 16, 840, 1, 101, 3, 4, 2, 1];
const RSA_ENCRYPTION: [u64; 7] = [1, 2, 840, 113_549, 1, 1, 1];
const ECDSA_WITH_SHA256: [u64; 7] = [1, 2, 840, 10_045, 4, 3, 2];
const CONTENT_TYPE: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 3];
const MESSAGE_DIGEST: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 4];
const SIGNING_TIME: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 5];
const SMIME_CAPABILITIES: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 15];
const ENCRYPTION_KEY_PREFERENCE: [u64; 9] = [1, 2, 840, 113_549, 1, 9, 16, 2, 11];
const MICROSOFT_ENCRYPTION_KEY_PREFERENCE: [u64; 9] = [1, 3, 6, 1, 4, 1, 311, 16, 4];

/// CMS SignedData in DER without content, as "Publish to GAL" writes it: signed by `signer`, naming `preferred` as the
/// certificate to encrypt to, with both certificates and their chain.
///
/// # Errors
/// The signer's key is not one that can sign.
pub fn signed_data(pki: &Pki, pool: &Pool, signer: &Leaf, preferred: &Leaf, signed: OffsetDateTime) -> Result<Vec<u8>> {
    let key = pool
        .signing(signer.key, signer.key_index)
        .ok_or_else(|| Error::Other("a weak key cannot sign a container".to_owned()))?;
    let attributes = signed_attributes(preferred, signed)?;
    let signature = rcgen::SigningKey::sign(&key.pair, &set_of(attributes.clone()))?;
    let mut sorted = attributes;
    sorted.sort();
    let algorithm = match signer.key {
        KeyKind::P256 => sequence(&[&oid(&ECDSA_WITH_SHA256)]),
        KeyKind::Rsa2048 | KeyKind::Rsa1024 => algorithm_with_null(&RSA_ENCRYPTION),
    };
    let digest_algorithm = algorithm_with_null(&SHA_256);
    let signer_info = sequence(&[
        &[0x02, 0x01, 0x01],
        &signer.issuer_and_serial,
        &digest_algorithm,
        &element(0xA0, &sorted.concat()),
        &algorithm,
        &element(0x04, &signature),
    ]);
    let mut certificates = vec![signer.der.clone()];
    if preferred.der != signer.der {
        certificates.push(preferred.der.clone());
    }
    for certificate in pki.chain(signer.authority).into_iter().chain(pki.chain(preferred.authority)) {
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    let body = sequence(&[
        &[0x02, 0x01, 0x01],
        &element(0x31, &digest_algorithm),
        &sequence(&[&oid(&DATA)]),
        &element(0xA0, &certificates.concat()),
        &element(0x31, &signer_info),
    ]);
    Ok(sequence(&[&oid(&SIGNED_DATA), &element(0xA0, &body)]))
}

fn signed_attributes(preferred: &Leaf, signed: OffsetDateTime) -> Result<Vec<Vec<u8>>> {
    let attribute = |arcs: &[u64], value: &[u8]| sequence(&[&oid(arcs), &element(0x31, value)]);
    let time = signed
        .format(format_description!("[year repr:last_two][month][day][hour][minute][second]Z"))
        .map_err(|e| Error::Other(format!("signing time: {e}")))?;
    // RecipientInfo's issuerAndSerialNumber under an IMPLICIT [0] loses its own SEQUENCE tag
    let mut implicit = preferred.issuer_and_serial.clone();
    if let Some(tag) = implicit.first_mut() {
        *tag = 0xA0;
    }
    Ok(vec![
        attribute(&CONTENT_TYPE, &oid(&DATA)),
        attribute(&MESSAGE_DIGEST, &element(0x04, digest::digest(&digest::SHA256, b"").as_ref())),
        attribute(&SIGNING_TIME, &element(0x17, time.as_bytes())),
        attribute(&SMIME_CAPABILITIES, &smime_capabilities()),
        attribute(&ENCRYPTION_KEY_PREFERENCE, &implicit),
        attribute(&MICROSOFT_ENCRYPTION_KEY_PREFERENCE, &preferred.issuer_and_serial),
    ])
}

/// CMS SignedData with indefinite lengths, written by openssl in its streaming form. `scratch` is a folder for its files.
///
/// # Errors
/// openssl refuses, or the key cannot sign.
pub fn signed_data_ber(pki: &Pki, pool: &Pool, signer: &Leaf, scratch: &Path) -> Result<Vec<u8>> {
    let key = pool
        .signing(signer.key, signer.key_index)
        .ok_or_else(|| Error::Other("a weak key cannot sign a container".to_owned()))?;
    std::fs::create_dir_all(scratch).map_err(Error::io(scratch))?;
    let leaf = scratch.join("signer.pem");
    let chain = scratch.join("chain.pem");
    std::fs::write(&leaf, pem(&signer.der)).map_err(Error::io(&leaf))?;
    let above: String = pki.chain(signer.authority).iter().map(|der| pem(der)).collect();
    std::fs::write(&chain, above).map_err(Error::io(&chain))?;
    // content seen in directories; openssl cannot stream an empty one
    let content = scratch.join("content");
    std::fs::write(&content, "Empty Body").map_err(Error::io(&content))?;
    let content = content.to_string_lossy();
    let (leaf, chain, key) = (leaf.to_string_lossy(), chain.to_string_lossy(), key.path.to_string_lossy());
    let written = openssl(&[
        "cms",
        "-sign",
        "-binary",
        "-nodetach",
        "-stream",
        "-in",
        &content,
        "-signer",
        &leaf,
        "-inkey",
        &key,
        "-certfile",
        &chain,
        "-outform",
        "DER",
    ]);
    std::fs::remove_dir_all(scratch).map_err(Error::io(scratch))?;
    written
}

/// A certificate as PEM.
pub fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for start in (0..text.len()).step_by(64) {
        out.push_str(&text[start..text.len().min(start + 64)]);
        out.push('\n');
    }
    out + "-----END CERTIFICATE-----\n"
}

/// Microsoft's tagged list ([MS-OXOABK] 2.2.4.36, KB 312900) with an encryption and a signing certificate.
pub fn tagged_list(encryption: &Leaf, signing: &Leaf, display_name: &str) -> Vec<u8> {
    let mut wide: Vec<u8> = display_name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    wide.extend([0, 0]);
    [
        tagged(0x0001, &1_u32.to_le_bytes()),
        tagged(0x0006, &1_u32.to_le_bytes()),
        tagged(0x0020, &7_u32.to_le_bytes()),
        tagged(0x0002, &smime_capabilities()),
        tagged(0x0051, &wide),
        tagged(0x0003, &encryption.der),
        tagged(0x0008, &signing.der),
    ]
    .concat()
}

/// A tagged list that holds only hashes of certificates in somebody's own store.
pub fn tagged_list_of_hashes(leaf: &Leaf) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &leaf.der);
    [
        tagged(0x0001, &1_u32.to_le_bytes()),
        tagged(0x0006, &1_u32.to_le_bytes()),
        tagged(0x0002, &smime_capabilities()),
        tagged(0x0009, hash.as_ref()),
        tagged(0x0022, hash.as_ref()),
    ]
    .concat()
}

/// One entry: tag, length with its own four bytes, data; little-endian.
fn tagged(tag: u16, data: &[u8]) -> Vec<u8> {
    let mut out = tag.to_le_bytes().to_vec();
    out.extend((data.len() as u16 + 4).to_le_bytes());
    out.extend_from_slice(data);
    out
}
