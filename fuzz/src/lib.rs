//! What is done with any bytes: a function for each parser of foreign bytes, and one for the engine as a whole. None may
//! panic, and none may take more time or memory than its input is worth.

use std::io::Write as _;
use std::sync::OnceLock;

use smimesync::certificate::{Bundle, Certificate, Crl, OcspResponse, PolicyId, SerializedStore, SmimeValue};
use smimesync::config::{Directory, DirectoryKind};
use smimesync::directory::{Selection, read};
use smimesync::people::Address;
use smimesync::session::{Session, Verb};
use smimesync::validation::lints::{self, Choice};
use smimesync::validation::{
    Anchor, Audience, Demands, Evidence, RevocationCheck, Rules, Verdict, judge, judge_value, judge_value_demanding,
};

/// A target: what it is called and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: [Target; 11] = [
    ("answer", answer),
    ("bundle", bundle),
    ("certificate", certificate),
    ("configuration", configuration),
    ("crl", crl),
    ("engine", engine),
    ("ldif", ldif),
    ("ocsp", ocsp),
    ("options", options),
    ("selection", selection),
    ("value", value),
];

/// 2026-06-01T00:00:00Z.
pub const AT_MS: i64 = 1_780_272_000_000;

fn rules() -> Rules {
    Rules {
        at_ms: AT_MS,
        min_rsa_bits: 2048,
        allow_sha1: false,
        allow_no_address: false,
        expiring_days: 30,
        revocation: RevocationCheck::Offline,
        fetch_issuers: false,
    }
}

/// A certificate: read or refused, and what was read is judged and held against the Baseline Requirements.
pub fn certificate(bytes: &[u8]) {
    let Ok(certificate) = Certificate::parse(bytes) else { return };
    // it is its own issuer, so that paths and signatures are tried
    let evidence = Evidence::new(Vec::new(), vec![certificate.clone()], Vec::new());
    let mut verdict = judge(&certificate, &[], None, &evidence, &rules());
    lints::add(&mut verdict, &certificate, Choice::Auto);
}

/// A value of userSMIMECertificate: CMS, tagged list or X.509; its container's signatures are checked too.
pub fn value(bytes: &[u8]) {
    let value = SmimeValue::parse(bytes.into());
    let addresses: Vec<Address> = Address::parse("ann@contoso.com").into_iter().collect();
    let evidence = Evidence::new(Vec::new(), Vec::new(), Vec::new());
    let _ = judge_value(&value, Some(&Audience { addresses: &addresses }), &evidence, &rules());
}

/// A file of certificates or CRLs: PEM, DER, PKCS#7, SST.
pub fn bundle(bytes: &[u8]) {
    let _ = Bundle::read(bytes);
    // what can be changed entry by entry is written back as it was
    if let Some(store) = SerializedStore::parse(bytes) {
        assert_eq!(store.to_bytes(), bytes);
    }
}

/// A certificate revocation list.
pub fn crl(bytes: &[u8]) {
    let _ = Crl::parse(bytes);
}

/// An OCSP response. The last two certificates in it are its authority, which is trusted, and the one that is judged.
pub fn ocsp(bytes: &[u8]) {
    let Ok(response) = OcspResponse::parse(bytes) else { return };
    let [.., anchor, certificate] = response.certificates() else { return };
    let (anchor, certificate) = (Anchor { certificate: anchor.clone(), domains: None }, certificate.clone());
    let mut evidence = Evidence::new(vec![anchor], Vec::new(), Vec::new());
    evidence.add_ocsp_responses(vec![response]);
    let rules = Rules { revocation: RevocationCheck::Online, fetch_issuers: true, ..rules() };
    let _ = judge(&certificate, &[], None, &evidence, &rules);
}

/// The engine as a whole.
pub fn engine(bytes: &[u8]) {
    let _ = verdict(bytes);
}

/// The verdict on an input for the engine: what is judged, an anchor, then intermediates and CRLs, each with its length
/// (2 bytes) in front. The first byte says what is demanded.
///
/// # Panics
/// Where a verdict depends on what was asked before.
pub fn verdict(bytes: &[u8]) -> Option<Verdict> {
    let (&demanded, rest) = bytes.split_first()?;
    let mut parts = parts(rest);
    let subject = parts.next()?;
    let anchor = parts.next().and_then(|der| Certificate::parse(der).ok());
    let (mut pool, mut lists) = (Vec::new(), Vec::new());
    for part in parts {
        match Certificate::parse(part) {
            Ok(certificate) => pool.push(certificate),
            Err(_) => lists.extend(Crl::parse(part)),
        }
    }
    let anchors = anchor.into_iter().map(|certificate| Anchor { certificate, domains: None }).collect();
    let evidence = Evidence::new(anchors, pool, lists);
    let asked = |bit: u8| demanded >> bit & 1 == 1;
    let demands = Demands {
        policies: asked(0).then(|| PolicyId::parse("2.16.840.1.101.3.2.1.48.1")).flatten().into_iter().collect(),
        explicit_policy: asked(1),
        inhibit_mapping: asked(2),
        inhibit_any: asked(3),
        known_revocation: asked(4),
    };
    let addresses: Vec<Address> = Address::parse("ann@contoso.com").into_iter().collect();
    let audience = asked(5).then_some(Audience { addresses: &addresses });
    let value = SmimeValue::parse(subject.into());
    // twice: what is remembered of the first time must not make the second one different
    let first = judge_value_demanding(&value, audience.as_ref(), &evidence, &rules(), &demands);
    let second = judge_value_demanding(&value, audience.as_ref(), &evidence, &rules(), &demands);
    assert_eq!(first, second, "a verdict depends on what was asked before");
    Some(first)
}

/// The parts of an input for the engine; a length beyond the end means the rest.
fn parts(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (part, rest) = rest.split_at(length);
        bytes = rest;
        Some(part)
    })
}

/// An LDIF export, read as the product reads it.
pub fn ldif(bytes: &[u8]) {
    people(bytes, &Selection::default());
}

/// A selection: a line each for an identity, a filter and a base; an LDIF export behind them.
pub fn selection(bytes: &[u8]) {
    let mut lines = bytes.splitn(4, |&byte| byte == b'\n');
    let mut line = || lines.next().and_then(|line| std::str::from_utf8(line).ok()).filter(|text| !text.is_empty());
    let selection = Selection {
        identities: line().map(str::to_owned).into_iter().collect(),
        filter: line().map(str::to_owned),
        bases: line().map(str::to_owned).into_iter().collect(),
        limit: None,
    };
    people(lines.next().unwrap_or_default(), &selection);
}

fn people(bytes: &[u8], selection: &Selection) {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).is_err() {
        return;
    }
    let directory =
        Directory { kind: DirectoryKind::Ldif, path: Some(file.path().to_path_buf()), ..Directory::default() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let (sink, mut people) = tokio::sync::mpsc::channel(16);
        let reading = read(&directory, None, selection, sink);
        let taking = async { while people.recv().await.is_some() {} };
        let _ = tokio::join!(reading, taking);
    });
}

/// A configuration.
pub fn configuration(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = smimesync::config::parse(text);
    }
}

/// Options of verbs that touch no file, and have nobody to speak to.
pub fn options(bytes: &[u8]) {
    static SESSION: OnceLock<Option<Session>> = OnceLock::new();
    let session = SESSION.get_or_init(|| Session::open("{}").ok());
    if let (Some(session), Ok(text)) = (session, std::str::from_utf8(bytes)) {
        for verb in [Verb::Fetch, Verb::Compare, Verb::Sync, Verb::Changes, Verb::Recipients, Verb::Columns] {
            let _ = session.start(verb, text);
        }
    }
}

/// The body of an answer of Exchange Online, CLIXML in it included.
pub fn answer(bytes: &[u8]) {
    let _ = smimesync::exchange::recipients_in(bytes);
}
