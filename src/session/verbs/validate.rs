//! `validate`: verdicts on certificates of files, handed in, or of people in the directory.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use tokio::sync::mpsc;

use crate::certificate::{Attribute, Bundle, PolicyId, SmimeValue};
use crate::config::{Config, Lints, RevocationMode, Source as Text, Undetermined, pointer_error, rfc3339, text_or};
use crate::directory::Selection;
use crate::error::{Code, Error, Result};
use crate::people::{Address, Person, RawValue};
use crate::session::context::Context;
use crate::session::options::with_selection;
use crate::session::output::Output;
use crate::session::{Row, Verb, columns, rows};
use crate::sync::{Judge, Observer as _, Phase, judge_all, revocation_check};
use crate::trust::{self, Retriever, Source, Sources};
use crate::validation::lints::{self, Choice};
use crate::validation::{Audience, Demands, Held, Need, Verdict, judge_together, judge_value_demanding};

use super::Work;
use super::fetch::read_people;

/// Values, or people with theirs, that are judged together.
const BATCH: usize = 1000;

/// A file name or the bytes themselves, in base64.
pub(super) enum Item {
    File(PathBuf),
    Der(String),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Bytes {
            der: String,
        }
        let expected = "a file name or { \"der\": \"base64\" }";
        text_or(deserializer, expected, |file| Self::File(file.into()), |Bytes { der }| Self::Der(der))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    files: Option<Vec<PathBuf>>,
    certificates: Option<Vec<Item>>,
    anchors: Option<Vec<Item>>,
    intermediates: Option<Vec<Item>>,
    crls: Option<Vec<Item>>,
    at: Option<String>,
    emails: Option<Vec<String>>,
    revocation_mode: Option<RevocationMode>,
    lint_profile: Option<String>,
    initial_policies: Option<Vec<String>>,
    explicit_policy: bool,
    inhibit_mapping: bool,
    inhibit_any: bool,
    undetermined: Option<Undetermined>,
    ocsp_responses: Option<Vec<Item>>,
    sst_path: Option<PathBuf>,
}

/// Something to judge, and where it comes from.
pub(super) struct Subject {
    pub(super) source: Option<String>,
    pub(super) person: Option<String>,
    pub(super) attribute: Option<Attribute>,
    pub(super) value: SmimeValue,
}

impl Subject {
    /// What a person's other values are held against; `None` for what no attribute holds.
    fn held(&self, at_ms: i64) -> Option<Held<'_>> {
        let certificate = self.value.chosen(at_ms);
        Some(Held { attribute: self.attribute?, certificate, length: self.value.bytes.len() })
    }
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, options) = with_selection::<Options>(options)?;
    let at_ms = options.at.as_deref().map(|at| rfc3339(at, Text::Options, "/at")).transpose()?;
    let addresses = options.addresses()?;
    let demands = options.demands(&context.config())?;
    let asked_lints = options.lints()?;
    if options.hands_in() && selection != Selection::default() {
        return Err(pointer_error(Text::Options, "/identities", "expected either certificates or people"));
    }
    Ok(Box::pin(async move {
        let config = context.config();
        let at_ms = at_ms.map_or_else(|| config.at_ms(context.surroundings().now_ms()), Ok)?;
        let mode = options.revocation_mode.unwrap_or(config.revocation.mode);
        let lints = asked_lints.or((config.policy.lints == Lints::Cabf).then_some(Choice::Auto));
        let mut judge = Judge::new(&config, &options.sources(&config)?, at_ms)?;
        judge.rules.revocation = revocation_check(mode);
        if let Some(path) = &options.sst_path {
            judge.evidence.set_tenant(trust::tenant(&config.path(path))?);
        }
        // a store is opened only where something can be fetched into it
        let store = if Retriever::is_wanted(&config, mode) { Some(context.store()?) } else { None };
        let retriever = store.as_deref().and_then(|it| Retriever::new(&config, mode, it, context.surroundings()));
        let mut bench = Bench { context: &context, output: &output, judge, retriever, demands, lints };
        if options.hands_in() {
            let mut subjects =
                subjects(options.files.as_deref(), options.certificates.as_deref(), &config)?.into_iter();
            output.begin(Phase::Judging, subjects.len());
            while !subjects.as_slice().is_empty() {
                let some = subjects.by_ref().take(BATCH).map(|subject| Case::new(vec![subject], addresses.as_deref()));
                bench.take(some.collect()).await?;
            }
            return Ok(());
        }
        let report = read_people(&context, &selection, &output, async |mut source| {
            let mut people = Vec::new();
            while bench.gather(&mut source, &mut people).await {
                let cases = people.iter().map(|person| of_person(person, addresses.as_deref()));
                bench.take(cases.collect()).await?;
                people.clear();
            }
            Ok(())
        })
        .await?;
        for error in &report.unresolved {
            let row = Row::new(columns::of(Verb::Validate)).set("person", error.get_target());
            output.row(rows::failure(row, Some(error), context.culture())).await?;
        }
        report.ended()
    }))
}

impl Options {
    fn hands_in(&self) -> bool {
        self.files.is_some() || self.certificates.is_some()
    }

    fn addresses(&self) -> Result<Option<Vec<Address>>> {
        let Some(emails) = &self.emails else { return Ok(None) };
        let parse = |(index, text): (usize, &String)| {
            let wrong = || pointer_error(Text::Options, &format!("/emails/{index}"), "expected an address");
            Address::parse(text).ok_or_else(wrong)
        };
        emails.iter().enumerate().map(parse).collect::<Result<_>>().map(Some)
    }

    /// RFC 5280 6.1.1; what unknown revocation means is the configuration's to say where the options do not.
    fn demands(&self, config: &Config) -> Result<Demands> {
        let parse = |(index, text): (usize, &String)| {
            let pointer = format!("/initial_policies/{index}");
            let wrong = || pointer_error(Text::Options, &pointer, "expected an object identifier or anyPolicy");
            PolicyId::parse(text).ok_or_else(wrong)
        };
        // the set is never empty: without a policy nothing could be valid
        if self.initial_policies.as_ref().is_some_and(Vec::is_empty) {
            return Err(pointer_error(Text::Options, "/initial_policies", "expected at least one policy"));
        }
        let undetermined = self.undetermined.unwrap_or(config.revocation.undetermined);
        Ok(Demands {
            policies: self.initial_policies.iter().flatten().enumerate().map(parse).collect::<Result<_>>()?,
            explicit_policy: self.explicit_policy,
            inhibit_mapping: self.inhibit_mapping,
            inhibit_any: self.inhibit_any,
            known_revocation: undetermined == Undetermined::Reject,
        })
    }

    /// The profile by which certificates are held against the S/MIME Baseline Requirements, where one is asked for.
    fn lints(&self) -> Result<Option<Choice>> {
        let wrong =
            || pointer_error(Text::Options, "/lint_profile", "expected auto or a profile such as mailbox_strict");
        self.lint_profile.as_deref().map(|name| name.parse().map_err(|()| wrong())).transpose()
    }

    fn sources(&self, config: &Config) -> Result<Sources> {
        let given = |items: &Option<Vec<Item>>, name: &str| -> Result<Vec<Source>> {
            let items = items.iter().flatten().enumerate();
            items.map(|(index, item)| source(config, item, &format!("/{name}/{index}"))).collect()
        };
        let mut sources = Sources::of(config);
        if self.anchors.is_some() {
            sources.anchors = given(&self.anchors, "anchors")?.into_iter().map(|source| (source, None)).collect();
        }
        sources.intermediates.extend(given(&self.intermediates, "intermediates")?);
        sources.crls.extend(given(&self.crls, "crls")?);
        sources.ocsp_responses = given(&self.ocsp_responses, "ocsp_responses")?;
        Ok(sources)
    }
}

/// The certificates of files and those handed in.
pub(super) fn subjects(
    files: Option<&[PathBuf]>,
    certificates: Option<&[Item]>,
    config: &Config,
) -> Result<Vec<Subject>> {
    let mut sources = Vec::new();
    for name in files.into_iter().flatten() {
        sources.push(Source::Path(config.path(name)));
    }
    for (index, item) in certificates.into_iter().flatten().enumerate() {
        sources.push(source(config, item, &format!("/certificates/{index}"))?);
    }
    let mut subjects = Vec::new();
    for source in sources {
        match source {
            Source::Bytes(bytes) => from_bytes(&bytes, None, &mut subjects),
            Source::Path(path) => {
                for file in trust::files(&path)? {
                    from_bytes(&trust::read(&file)?, Some(file.display().to_string()), &mut subjects);
                }
            }
        }
    }
    Ok(subjects)
}

fn source(config: &Config, item: &Item, pointer: &str) -> Result<Source> {
    match item {
        Item::File(name) => Ok(Source::Path(config.path(name))),
        Item::Der(der) => BASE64_STANDARD
            .decode(der)
            .map(Source::Bytes)
            .map_err(|_| pointer_error(Text::Options, &format!("{pointer}/der"), "expected base64")),
    }
}

/// What starts as DER is one value as a directory would hold it; PEM and SST hold certificates one by one.
fn from_bytes(bytes: &[u8], source: Option<String>, subjects: &mut Vec<Subject>) {
    let mut push = |bytes: &[u8]| {
        let value = SmimeValue::parse(bytes.into());
        subjects.push(Subject { source: source.clone(), person: None, attribute: None, value });
    };
    let bundle = if bytes.first() == Some(&0x30) { Bundle::default() } else { Bundle::read(bytes) };
    if bundle.certificates.is_empty() {
        push(bytes);
    }
    for certificate in &bundle.certificates {
        push(&certificate.der);
    }
}

/// What is judged together: the values of a person, or one that was handed in; with the verdicts, once there are any.
struct Case<'a> {
    subjects: Vec<Subject>,
    addresses: Option<&'a [Address]>,
    verdicts: Vec<Verdict>,
}

impl<'a> Case<'a> {
    fn new(subjects: Vec<Subject>, addresses: Option<&'a [Address]>) -> Self {
        Self { subjects, addresses, verdicts: Vec::new() }
    }

    fn judge(&mut self, judge: &Judge, demands: &Demands) {
        let audience = self.addresses.map(|addresses| Audience { addresses });
        let of = |subject: &Subject| {
            judge_value_demanding(&subject.value, audience.as_ref(), &judge.evidence, &judge.rules, demands)
        };
        self.verdicts = self.subjects.iter().map(of).collect();
        let at_ms = judge.rules.at_ms;
        // only a person's values are in attributes
        if let Some(values) = self.subjects.iter().map(|subject| subject.held(at_ms)).collect::<Option<Vec<_>>>() {
            judge_together(&values, &mut self.verdicts, at_ms);
        }
    }

    fn needs(&self) -> BTreeSet<Need> {
        self.verdicts.iter().flat_map(|verdict| verdict.needs.iter().cloned()).collect()
    }
}

/// The values of a person, to be judged for the addresses that were asked for, else for the person's.
fn of_person<'a>(person: &'a Person, addresses: Option<&'a [Address]>) -> Case<'a> {
    let of = |raw: &RawValue| Subject {
        source: None,
        person: Some(person.identity.clone()),
        attribute: Some(raw.attribute),
        value: SmimeValue::parse(Arc::clone(&raw.bytes)),
    };
    Case::new(person.values.iter().map(of).collect(), Some(addresses.unwrap_or(&person.addresses)))
}

/// Where values are judged, batch by batch, and become rows.
struct Bench<'a> {
    context: &'a Context,
    output: &'a Output,
    judge: Judge,
    retriever: Option<Retriever<'a>>,
    demands: Demands,
    lints: Option<Choice>,
}

impl Bench<'_> {
    /// The next people; false when there are no more. Where something may be fetched, it is fetched for many at once;
    /// else whoever is there is judged.
    async fn gather(&self, source: &mut mpsc::Receiver<Person>, people: &mut Vec<Person>) -> bool {
        let enough = if self.retriever.is_some() { BATCH } else { 1 };
        while people.len() < enough && source.recv_many(people, BATCH - people.len()).await > 0 {}
        !people.is_empty()
    }

    async fn take(&mut self, mut cases: Vec<Case<'_>>) -> Result<()> {
        let Self { judge, retriever, demands, .. } = self;
        let rejudge = |judge: &Judge, case: &mut Case<'_>| case.judge(judge, demands);
        judge_all(judge, retriever.as_mut(), self.output, &mut cases, rejudge, Case::needs).await?;
        for case in cases {
            for (subject, verdict) in case.subjects.iter().zip(case.verdicts) {
                self.output.row(self.row(subject, verdict)).await?;
            }
        }
        Ok(())
    }

    fn row(&self, subject: &Subject, mut verdict: Verdict) -> Row {
        let at_ms = self.judge.rules.at_ms;
        let culture = self.context.culture();
        let certificate = subject.value.chosen(at_ms);
        if let (Some(choice), Some(certificate)) = (self.lints, certificate) {
            lints::add(&mut verdict, certificate, choice);
        }
        let held = Some((subject.attribute, &subject.value));
        let row = Row::new(columns::of(Verb::Validate))
            .with_all_of(rows::certificate(held, certificate, at_ms))
            .set("source", subject.source.clone())
            .set("person", subject.person.clone());
        let row = rows::verdict(row, &verdict, culture);
        let unreadable = (certificate.is_none() && !subject.value.reference_only)
            .then(|| Error::new(Code::TrustUnreadable).target(subject.source.clone().unwrap_or_default()));
        rows::failure(row, unreadable.as_ref(), culture)
    }
}
