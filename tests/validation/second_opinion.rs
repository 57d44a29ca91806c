//! `openssl verify -x509_strict` as second opinion: chains changed in one place and signed again, and nothing that it
//! refuses for a defect of the path may be valid here.
//!
//! The command line verifies a few hundred chains at once, each with issuers of its own name in one pool; that is as fast
//! as the library would be, and nothing has to be linked.

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{CrlDistributionPoint, GeneralSubtree, NameConstraints};
use smimesync::certificate::Certificate;
use smimesync::validation::{Severity, judge};

use crate::pki::{Authority, ca_params, evidence, key, person_params, rules};
use crate::raw::{Random, custom, integer, sequence, signed, tlv};

/// Chains in the ordinary test; SMIMESYNC_MUTATIONS sets another number.
const CHAINS: usize = 3000;
const BATCH: usize = 250;

/// What OpenSSL says in strict mode of certificates that should have been made otherwise, and whose path is as good as any:
/// rules of RFC 5280 4 for authorities, which section 6 does not ask for.
const NOT_OF_THE_PATH: &[&str] = &[
    "Missing Authority Key Identifier",
    "Missing Subject Key Identifier",
    // the person's own key, which no path needs
    "unspecified certificate verification error",
    "Authority Key Identifier marked critical",
    "Subject Key Identifier marked critical",
    "Basic Constraints of CA cert not marked critical",
    "Subject empty for CA cert",
    "Subject name empty",
    "Subject empty and Subject Alt Name extension not critical",
    "Empty Subject Alternative Name extension",
    "empty Subject Alternative Name extension",
    "Path length invalid for non-CA cert",
    "Path length given without key usage keyCertSign",
    "Key usage keyCertSign invalid for non-CA cert",
    "Key usage keyCertSign missing",
    "CA cert does not include key usage extension",
    "Issuer name empty",
    "Using cert extension requires at least X509v3",
    "Certificate public key has explicit ECC parameters",
];

/// DER taken apart so that it can be put together again with right lengths.
#[derive(Clone)]
enum Node {
    Whole(u8, Vec<Node>),
    Bytes(u8, Vec<u8>),
}

impl Node {
    fn read(der: &[u8]) -> Option<(Self, &[u8])> {
        let (&tag, rest) = der.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let (digits, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
            length =
                digits.iter().try_fold(0_usize, |length, &digit| length.checked_mul(256)?.checked_add(digit.into()))?;
            rest = behind;
        }
        let (contents, rest) = rest.split_at_checked(length)?;
        // an extension's value is DER inside an OCTET STRING
        let inner = (tag & 0x20 != 0 || tag == 4).then(|| Self::read_all(contents)).flatten();
        let node = match inner {
            Some(inner) if tag != 4 || inner.len() == 1 => Self::Whole(tag, inner),
            _ => Self::Bytes(tag, contents.to_vec()),
        };
        Some((node, rest))
    }

    fn read_all(mut der: &[u8]) -> Option<Vec<Self>> {
        let mut nodes = Vec::new();
        while !der.is_empty() {
            let (node, rest) = Self::read(der)?;
            nodes.push(node);
            der = rest;
        }
        Some(nodes)
    }

    fn write(&self) -> Vec<u8> {
        match self {
            Self::Whole(tag, nodes) => tlv(*tag, &nodes.iter().flat_map(Self::write).collect::<Vec<u8>>()),
            Self::Bytes(tag, contents) => tlv(*tag, contents),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Whole(_, nodes) => 1 + nodes.iter().map(Self::count).sum::<usize>(),
            Self::Bytes(..) => 1,
        }
    }

    /// Changes the place with this number below this node.
    fn change(&mut self, place: &mut usize, random: &mut Random) {
        let Self::Whole(_, nodes) = self else { return };
        for index in 0..nodes.len() {
            if *place == 0 {
                change_one(nodes, index, random);
                *place = usize::MAX;
                return;
            }
            *place -= 1;
            nodes[index].change(place, random);
            if *place == usize::MAX {
                return;
            }
        }
    }
}

/// One change of one element among its neighbours.
fn change_one(nodes: &mut Vec<Node>, index: usize, random: &mut Random) {
    match random.below(8) {
        0 => {
            nodes.remove(index);
        }
        1 => nodes.insert(index, nodes[index].clone()),
        2 => {
            let other = random.below(nodes.len());
            nodes.swap(index, other);
        }
        3 => match &mut nodes[index] {
            Node::Whole(tag, _) | Node::Bytes(tag, _) => *tag ^= 1 << random.below(8),
        },
        4 => match &mut nodes[index] {
            Node::Whole(_, inner) => inner.clear(),
            Node::Bytes(_, contents) => contents.clear(),
        },
        _ => {
            if let Node::Bytes(_, contents) = &mut nodes[index]
                && !contents.is_empty()
            {
                let at = random.below(contents.len());
                contents[at] = match random.below(3) {
                    0 => contents[at] ^ 1 << random.below(8),
                    // the next letter or digit, which is what dates and numbers are changed by
                    1 => contents[at].wrapping_add(1),
                    _ => random.below(256) as u8,
                };
            }
        }
    }
}

/// The certificate with one change in what is signed, signed again.
fn changed(certificate: &Certificate, key: &rcgen::KeyPair, random: &mut Random) -> Vec<u8> {
    let (Node::Whole(_, parts), _) = Node::read(&certificate.der).unwrap() else { unreachable!() };
    let mut tbs = parts[0].clone();
    let mut place = random.below(tbs.count() - 1);
    tbs.change(&mut place, random);
    signed(&tbs.write(), key)
}

struct Chain {
    issuing: Vec<u8>,
    person: Vec<u8>,
}

fn chains(root: &Authority, count: usize) -> Vec<Chain> {
    let mut random = Random::new(4);
    let (issuing_key, person_key) = (key(), key());
    let policy = |extra: &[u8]| sequence(&[&sequence(&[&tlv(6, &[0x2a, 1])]), extra]);
    (0..count)
        .map(|index| {
            let mut params = ca_params(&format!("Issuing {index}"));
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![
                    GeneralSubtree::Rfc822Name("contoso.com".into()),
                    GeneralSubtree::DnsName("contoso.com".into()),
                ],
                excluded_subtrees: vec![GeneralSubtree::Rfc822Name("secret.contoso.com".into())],
            });
            params.custom_extensions =
                vec![custom(32, policy(&[])), custom(36, sequence(&[&tlv(0x80, &[0])])), custom(54, integer(1))];
            // where identifiers differ OpenSSL does not take the issuer for one; here they are hints
            params.use_authority_key_identifier_extension = false;
            let issuing = root.issue(&params, &issuing_key);
            let issuer = rcgen::Issuer::from_params(&params, &issuing_key);
            let mut params = person_params("ann@contoso.com");
            params.use_authority_key_identifier_extension = false;
            params.subject_alt_names.push(rcgen::SanType::DnsName("www.contoso.com".try_into().unwrap()));
            params.crl_distribution_points =
                vec![CrlDistributionPoint { uris: vec!["http://contoso.com/a.crl".into()] }];
            params.custom_extensions = vec![custom(32, policy(&[]))];
            let person = params.signed_by(&person_key, &issuer).unwrap().der().to_vec();
            let person = Certificate::parse(&person).unwrap();
            match random.below(2) {
                0 => Chain { issuing: changed(&issuing, &root.key, &mut random), person: person.der.to_vec() },
                _ => Chain { issuing: issuing.der.to_vec(), person: changed(&person, &issuing_key, &mut random) },
            }
        })
        .collect()
}

/// Whether nothing speaks against a chain here; `None` where a certificate of it cannot be read.
fn ours(root: &Authority, chain: &Chain) -> Option<bool> {
    let issuing = Certificate::parse(&chain.issuing).ok()?;
    let person = Certificate::parse(&chain.person).ok()?;
    let verdict = judge(&person, &[], None, &evidence(&[&root.certificate], &[&issuing], &[]), &rules());
    Some(verdict.path_valid && verdict.findings.iter().all(|finding| finding.severity != Severity::Block))
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn readable(folder: &Path, der: &[u8]) -> bool {
    fs::write(folder.join("one.der"), der).unwrap();
    let read = ["x509", "-inform", "DER", "-in", "one.der", "-noout"];
    Command::new("openssl").args(read).current_dir(folder).output().unwrap().status.success()
}

/// For each chain what OpenSSL has against it; empty is nothing.
fn theirs(folder: &Path, chains: &[(usize, &Chain)]) -> Vec<Vec<String>> {
    let pool: String = chains.iter().map(|(_, chain)| pem(&chain.issuing)).collect();
    fs::write(folder.join("pool.pem"), pool).unwrap();
    let at = (crate::pki::NOW / 1000).to_string();
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(["verify", "-x509_strict", "-policy", "2.5.29.32.0", "-attime", &at]);
    command.args(["-trusted", "root.pem", "-untrusted", "pool.pem"]);
    for (index, chain) in chains {
        let name = format!("{index}.pem");
        fs::write(folder.join(&name), pem(&chain.person)).unwrap();
        command.arg(name);
    }
    let output = command.output().unwrap();
    let good = String::from_utf8_lossy(&output.stdout).into_owned();
    let bad = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut found: Vec<Vec<String>> = vec![vec!["not verified".to_owned()]; chains.len()];
    let place = |file: &str| {
        let index: usize = file.trim_end_matches(".pem").parse().ok()?;
        chains.iter().position(|(known, _)| *known == index)
    };
    for line in good.lines() {
        if let Some(place) = line.strip_suffix(": OK").and_then(place) {
            found[place].clear();
        }
    }
    let mut errors = Vec::new();
    for line in bad.lines() {
        if let Some((_, error)) = line.split_once(" depth lookup: ") {
            errors.push(error.to_owned());
        } else if let Some(file) =
            line.strip_prefix("error ").and_then(|rest| rest.strip_suffix(": verification failed"))
            && let Some(place) = place(file)
        {
            found[place] = std::mem::take(&mut errors);
        }
    }
    found
}

#[test]
#[expect(clippy::print_stdout, reason = "says how much the comparison was worth")]
fn nothing_that_openssl_refuses_is_valid() {
    let count = std::env::var("SMIMESYNC_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(CHAINS);
    let root = Authority::root("Root");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("root.pem"), pem(&root.certificate.der)).unwrap();
    let chains = chains(&root, count);
    let (mut valid, mut refused, mut unreadable, mut wrong) = (0, 0, 0, Vec::new());
    for (batch, chains) in chains.chunks(BATCH).enumerate() {
        let judged = chains.iter().map(|chain| ours(&root, chain));
        let numbered: Vec<(usize, &Chain)> = chains.iter().enumerate().collect();
        let (read, verdicts): (Vec<(usize, &Chain)>, Vec<bool>) = numbered
            .into_iter()
            .zip(judged)
            .filter_map(|(chain, verdict)| verdict.map(|verdict| (chain, verdict)))
            .unzip();
        unreadable += chains.len() - read.len();
        for (errors, ((index, chain), ours)) in theirs(folder.path(), &read).into_iter().zip(read.iter().zip(verdicts))
        {
            valid += usize::from(ours);
            refused += usize::from(!errors.is_empty());
            let of_path = !errors.is_empty() && errors.iter().any(|error| !NOT_OF_THE_PATH.contains(&error.as_str()));
            if ours && of_path && readable(folder.path(), &chain.issuing) && readable(folder.path(), &chain.person) {
                // the pool may not have been read because of another one
                let alone = theirs(folder.path(), &[(*index, chain)]).remove(0);
                if alone.iter().any(|error| !NOT_OF_THE_PATH.contains(&error.as_str())) {
                    let (issuing, person) = (hex::encode(&chain.issuing), hex::encode(&chain.person));
                    wrong.push(format!("batch {batch} chain {index}: {alone:?}\n  {issuing}\n  {person}"));
                }
            }
        }
    }
    println!("{count} chains: {unreadable} not readable, {valid} valid here, {refused} refused by OpenSSL");
    assert!(wrong.is_empty(), "{} of {count} are valid here alone\n{}", wrong.len(), wrong.join("\n"));
    // a comparison of nothing but refusals would show nothing
    assert!(valid * 20 > count && refused * 5 > count, "{valid} valid, {refused} refused of {count}");
}
