//! How many verdicts a second, beside OpenSSL's library and rustls-webpki in the same run.
//!
//!     cargo bench --bench verdicts -- [PEOPLE]        100,000 if no number is given
//!
//! Chains of three with RSA-2048 throughout, the leaf read from its bytes each time. The engines take turns, and the
//! median of the rounds counts, so that a machine whose speed drifts is unfair to nobody. OpenSSL and rustls-webpki check
//! the path alone; a verdict here is a path, the person's addresses and the purposes.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says best where")]

mod peers;
mod scene;

use std::sync::Arc;
use std::time::{Duration, Instant};

use smimesync::certificate::{Attribute, Certificate};
use smimesync::people::{Address, Person, PersonKind, RawValue};
use smimesync::sync::Judge;
use smimesync::validation::{Audience, Evidence, Fitness, Pace, RevocationCheck, Rules, judge};

use scene::Scene;

const PEOPLE: usize = 100_000;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1000);
/// Certificates among the people: each stands for several of them, and nothing is remembered of a leaf.
const CERTIFICATES: usize = 5000;

/// Something that gives verdicts, and its rate in each round.
struct Engine<'a> {
    name: &'static str,
    measure: Box<dyn Fn() -> Option<f64> + 'a>,
    rates: Vec<f64>,
}

impl<'a> Engine<'a> {
    fn new(name: &'static str, measure: impl Fn() -> Option<f64> + 'a) -> Self {
        Self { name, measure: Box::new(measure), rates: Vec::new() }
    }

    fn median(&self) -> Option<f64> {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied()
    }
}

/// Runs something over and over for a round; how often a second.
fn rate(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < ROUND {
        for _ in 0..100 {
            work();
        }
        count += 100;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// Verdicts of this engine; each has to be that the certificate is fit.
fn ours(scene: &Scene, evidence: &Evidence, embedded: &[Certificate], revocation: RevocationCheck) -> f64 {
    let rules = Rules { revocation, ..scene.rules() };
    let addresses = [Address::parse(&scene.address).unwrap()];
    let audience = Audience { addresses: &addresses };
    rate(|| {
        let leaf = Certificate::parse(&scene.leaf).unwrap();
        let verdict = judge(&leaf, embedded, Some(&audience), evidence, &rules);
        assert!(verdict.path_valid && verdict.encrypt == Fitness::Fit, "{:?}", verdict.findings);
    })
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn chains(scene: &Scene) {
    let remembering = scene.evidence(true);
    // an issuer that comes with the leaf is nobody's whose signature would be remembered
    let forgetting = scene.evidence(false);
    let with_lists = scene.evidence_with_lists();
    let issuer = [scene.issuer.clone()];
    let (off, offline) = (RevocationCheck::Off, RevocationCheck::Offline);
    let openssl = peers::OpenSsl::compiled();
    if let Err(reason) = &openssl {
        println!("without OpenSSL: {reason}");
    }
    let mut engines = [
        Engine::new("issuer signatures remembered", || Some(ours(scene, &remembering, &[], off))),
        Engine::new("the same, and two CRLs", || Some(ours(scene, &with_lists, &[], offline))),
        Engine::new("every signature checked", || Some(ours(scene, &forgetting, &issuer, off))),
        Engine::new("OpenSSL's X509_verify_cert", || openssl.as_ref().ok()?.rate(scene, ROUND)),
        Engine::new("rustls-webpki with aws-lc-rs", || Some(rate(peers::webpki(scene)))),
    ];
    for _ in 0..ROUNDS {
        for engine in &mut engines {
            engine.rates.extend((engine.measure)());
        }
    }
    let [.., openssl, webpki] = &engines;
    let ratio =
        |rate: f64, peer: &Engine<'_>| peer.median().map_or("-".to_owned(), |peer| format!("{:.2}", rate / peer));
    println!(
        "{:<32} {:>10} {:>8} {:>12} {:>11}",
        "chains of three, one thread", "a second", "µs", "to OpenSSL", "to webpki"
    );
    for engine in &engines {
        if let Some(rate) = engine.median() {
            let (to_openssl, to_webpki) = (ratio(rate, openssl), ratio(rate, webpki));
            println!("{:<32} {rate:>10.0} {:>8.1} {to_openssl:>12} {to_webpki:>11}", engine.name, 1e6 / rate);
        }
    }
}

fn person(number: usize, (address, der): &(String, Arc<[u8]>)) -> Person {
    let address = Address::parse(address).unwrap();
    Person {
        identity: format!("00000000-0000-0000-0000-{number:012}"),
        distinguished_name: format!("CN=Person {number},DC=contoso,DC=com"),
        kind: PersonKind::User,
        display_name: Some(format!("Person {number}")),
        user_principal_name: Some(address.to_string()),
        addresses: vec![address],
        source_anchor: None,
        enabled: Some(true),
        deleted: false,
        parts: Vec::new(),
        values: vec![RawValue::new(Attribute::UserCertificate, Arc::clone(der))],
        complete: true,
        problems: Vec::new(),
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn people(scene: &Scene, count: usize) {
    let certificates = scene.people(CERTIFICATES.min(count));
    let people: Vec<Person> =
        certificates.iter().cycle().take(count).enumerate().map(|(number, owned)| person(number, owned)).collect();
    let judge = Judge { evidence: scene.evidence_with_lists(), rules: scene.rules() };
    let timed = |threads| {
        let start = Instant::now();
        let judged = judge.people(&people, &Pace { threads, tick: &|| true }).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        let fit = judged.iter().flatten().filter(|value| value.verdict.encrypt == Fitness::Fit).count();
        assert_eq!(fit, count, "everybody's certificate is fit");
        seconds
    };
    println!("\n{:<32} {:>10} {:>8} {:>12}", format!("{count} people, two CRLs"), "a second", "s", "to one");
    let (mut one, mut two): (Vec<f64>, Vec<f64>) = (0..3).map(|_| (timed(1), timed(2))).unzip();
    one.sort_by(f64::total_cmp);
    two.sort_by(f64::total_cmp);
    for (name, seconds) in [("one thread", one[1]), ("two threads", two[1])] {
        println!("{name:<32} {:>10.0} {seconds:>8.2} {:>12.2}", count as f64 / seconds, one[1] / seconds);
    }
}

fn main() {
    let count = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(PEOPLE);
    let scene = Scene::new();
    chains(&scene);
    people(&scene, count);
}
