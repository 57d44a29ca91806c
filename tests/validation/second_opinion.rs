//! `openssl verify -x509_strict` as second opinion: chains changed in one place and signed again, and nothing that it
//! refuses for a defect of the path may be valid here.
//!
//! OpenSSL's library is asked through a small C program that reads chains from a pipe; where it cannot be compiled, the
//! command line is, about fewer of them.

use std::collections::BTreeMap;

use rcgen::{CrlDistributionPoint, GeneralSubtree, NameConstraints};
use smimesync::certificate::Certificate;
use smimesync::validation::{Severity, judge};

use crate::openssl::{CommandLine, OpenSsl};
use crate::pki::{Authority, ca_params, evidence, key, person_params, rules};
use crate::raw::{Random, custom, integer, sequence, signed, tlv};

/// Chains that OpenSSL is asked about at a time.
const BATCH: usize = 50;

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

/// What OpenSSL says where the issuer is not taken for one because an authorityKeyIdentifier, which no chain has from the
/// start, names another key: here that is a hint (RFC 5280 4.2.1.1), and the signature decides.
const OF_A_HINT: &[&str] = &["unable to get local issuer certificate", "unable to verify the first certificate"];

fn of_a_hint(error: &str, chain: &Chain) -> bool {
    const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[6, 3, 0x55, 0x1d, 35];
    let has = |der: &[u8]| der.windows(5).any(|window| window == AUTHORITY_KEY_IDENTIFIER);
    OF_A_HINT.contains(&error) && (has(&chain.issuing) || has(&chain.person))
}

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

/// The certificate with one change in what is signed, signed again. With each number another element's turn comes.
fn changed(certificate: &Certificate, key: &rcgen::KeyPair, number: usize, random: &mut Random) -> Vec<u8> {
    let (Node::Whole(_, parts), _) = Node::read(&certificate.der).unwrap() else { unreachable!() };
    let mut tbs = parts[0].clone();
    let mut place = number % (tbs.count() - 1);
    tbs.change(&mut place, random);
    signed(&tbs.write(), key)
}

pub(crate) struct Chain {
    pub(crate) issuing: Vec<u8>,
    pub(crate) person: Vec<u8>,
}

fn chains(root: &Authority, count: usize) -> impl Iterator<Item = Chain> {
    let (issuing_key, person_key) = (key(), key());
    let policy = |extra: &[u8]| sequence(&[&sequence(&[&tlv(6, &[0x2a, 1])]), extra]);
    let mut params = ca_params("Issuing");
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
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec!["http://contoso.com/a.crl".into()] }];
    params.custom_extensions = vec![custom(32, policy(&[]))];
    let person = Certificate::parse(params.signed_by(&person_key, &issuer).unwrap().der()).unwrap();
    let mut random = Random::new(4);
    (0..count).map(move |index| match (index % 2, index / 2) {
        (0, number) => {
            Chain { issuing: changed(&issuing, &root.key, number, &mut random), person: person.der.to_vec() }
        }
        (_, number) => {
            Chain { issuing: issuing.der.to_vec(), person: changed(&person, &issuing_key, number, &mut random) }
        }
    })
}

/// Whether nothing speaks against a chain here; `None` where a certificate of it cannot be read.
fn ours(root: &Authority, chain: &Chain) -> Option<bool> {
    let issuing = Certificate::parse(&chain.issuing).ok()?;
    let person = Certificate::parse(&chain.person).ok()?;
    let verdict = judge(&person, &[], None, &evidence(&[&root.certificate], &[&issuing], &[]), &rules());
    Some(verdict.path_valid && verdict.findings.iter().all(|finding| finding.severity != Severity::Block))
}

#[test]
#[expect(clippy::print_stdout, reason = "says how much the comparison was worth")]
fn nothing_that_openssl_refuses_is_valid() {
    let root = Authority::root("Root");
    let mut openssl = match OpenSsl::library(&root.certificate) {
        Ok(library) => library,
        Err(reason) => {
            println!("SKIPPED second_opinion with OpenSSL's library, the command line is asked instead: {reason}");
            OpenSsl::CommandLine(CommandLine::new(&root.certificate))
        }
    };
    let wanted = std::env::var("SMIMESYNC_MUTATIONS").ok().and_then(|count| count.parse().ok());
    let count = wanted.unwrap_or(openssl.chains());
    let (mut valid, mut refused, mut unreadable, mut wrong) = (0, 0, 0, Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut chains = chains(&root, count);
    let batches = std::iter::from_fn(|| Some(chains.by_ref().take(BATCH).collect::<Vec<_>>()));
    let answered = batches.take_while(|batch| !batch.is_empty()).flat_map(|batch| {
        let answers = openssl.errors(&batch);
        batch.into_iter().zip(answers)
    });
    for (chain, errors) in answered {
        let Some(ours) = ours(&root, &chain) else {
            unreadable += 1;
            continue;
        };
        valid += usize::from(ours);
        refused += usize::from(!errors.is_empty());
        if !ours || errors.is_empty() {
            continue;
        }
        for error in &errors {
            *reasons.entry(error.clone()).or_default() += 1;
        }
        if errors.iter().any(|error| !NOT_OF_THE_PATH.contains(&error.as_str()) && !of_a_hint(error, &chain)) {
            let (issuing, person) = (hex::encode(&chain.issuing), hex::encode(&chain.person));
            wrong.push(format!("{errors:?}\n  {issuing}\n  {person}"));
        }
    }
    println!("{count} chains: {unreadable} not readable, {valid} valid here, {refused} refused by OpenSSL");
    for (reason, count) in &reasons {
        println!("{count:>8} valid here and refused by OpenSSL: {reason}");
    }
    assert!(wrong.is_empty(), "{} of {count} are valid here alone\n{}", wrong.len(), wrong.join("\n"));
    // a comparison of nothing but refusals would show nothing
    assert!(valid * 20 > count && refused * 5 > count, "{valid} valid, {refused} refused of {count}");
}
