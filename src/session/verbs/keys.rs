//! `keys`: keys that should not exist, in the directory, in files or handed in.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use crate::certificate::{Attribute, Certificate, Sha256, SmimeValue};
use crate::config::{Source as Text, pointer_error};
use crate::directory::Selection;
use crate::error::{Code, Error, Result};
use crate::people::{Person, RawValue};
use crate::session::context::Context;
use crate::session::options::with_selection;
use crate::session::output::Output;
use crate::session::{Row, Verb, columns, rows};
use crate::sync::{Observer as _, Phase};
use crate::text::Culture;
use crate::validation::keys::{Survey, Weakness};
use crate::validation::{Interrupted, Pace};

use super::Work;
use super::fetch::each_person;
use super::validate::{Item, Subject, subjects};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    files: Option<Vec<PathBuf>>,
    certificates: Option<Vec<Item>>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, options) = with_selection::<Options>(options)?;
    let hands_in = options.files.is_some() || options.certificates.is_some();
    if hands_in && selection != Selection::default() {
        return Err(pointer_error(Text::Options, "/identities", "expected either certificates or people"));
    }
    Ok(Box::pin(async move {
        let (config, culture) = (context.config(), context.culture());
        let at_ms = config.at_ms(context.surroundings().now_ms())?;
        if hands_in {
            let mut gathered = Gathered::default();
            for subject in subjects(options.files.as_deref(), options.certificates.as_deref(), &config)? {
                gathered.take(subject);
            }
            return gathered.show(&output, at_ms, culture).await;
        }
        let gathered = Mutex::new(Gathered::default());
        let gather = |person: &Person| {
            gathered.lock().unwrap_or_else(PoisonError::into_inner).take_person(person);
            Vec::new()
        };
        let report = each_person(&context, &selection, &output, gather).await?;
        gathered.into_inner().unwrap_or_else(PoisonError::into_inner).show(&output, at_ms, culture).await?;
        for error in &report.unresolved {
            let row = Row::new(columns::of(Verb::Keys)).set("person", error.get_target());
            output.row(rows::failure(row, Some(error), culture)).await?;
        }
        report.ended()
    }))
}

/// Where a key was found: enough to read the certificate again, which is smaller than the certificate's facts.
struct Place {
    source: Option<String>,
    person: Option<String>,
    attribute: Option<Attribute>,
    value: Arc<[u8]>,
    /// Which certificate of the value; `None` for a value without one that can be read.
    certificate: Option<usize>,
}

/// All keys that were seen, and where.
#[derive(Default)]
struct Gathered {
    survey: Survey,
    /// One place for each key that was added to the survey, in its order.
    places: Vec<Place>,
    /// Values that could not be examined.
    unreadable: Vec<Place>,
    owners: Vec<String>,
    numbers: HashMap<String, u32>,
    authorities: HashSet<Sha256>,
}

impl Gathered {
    fn take_person(&mut self, person: &Person) {
        for RawValue { attribute, bytes, .. } in &person.values {
            self.take(Subject {
                source: None,
                person: Some(person.identity.clone()),
                attribute: Some(*attribute),
                value: SmimeValue::parse(Arc::clone(bytes)),
            });
        }
    }

    fn take(&mut self, subject: Subject) {
        let place = |certificate| Place {
            source: subject.source.clone(),
            person: subject.person.clone(),
            attribute: subject.attribute,
            value: Arc::clone(&subject.value.bytes),
            certificate,
        };
        let value = &subject.value;
        if value.unreadable > 0 || (value.certificates.is_empty() && !value.reference_only) {
            self.unreadable.push(place(None));
        }
        for (index, certificate) in value.certificates.iter().enumerate() {
            let owner = if certificate.is_ca() {
                // an authority's certificate lies beside those of many people, once is enough
                if !self.authorities.insert(certificate.sha256) {
                    continue;
                }
                None
            } else {
                self.owner(subject.person.as_deref(), certificate)
            };
            self.survey.add(certificate, owner);
            self.places.push(place(Some(index)));
        }
    }

    /// The number of the person; of a certificate handed in, that of whom it names.
    fn owner(&mut self, person: Option<&str>, certificate: &Certificate) -> Option<u32> {
        let named = || Some(certificate.subject.as_str()).filter(|subject| !subject.is_empty());
        let identity = person.or_else(named).or_else(|| certificate.emails.first().map(String::as_str));
        let identity = identity.unwrap_or(&certificate.thumbprint);
        if let Some(number) = self.numbers.get(identity) {
            return Some(*number);
        }
        let number = u32::try_from(self.owners.len()).ok()?;
        self.owners.push(identity.to_owned());
        self.numbers.insert(identity.to_owned(), number);
        Some(number)
    }

    async fn show(self, output: &Output, at_ms: i64, culture: Culture) -> Result<()> {
        let Self { survey, places, unreadable, owners, .. } = self;
        output.begin(Phase::Judging, survey.ticks());
        let judged = judge(survey, output).await?;
        for (place, found) in places.iter().zip(&judged) {
            if found.is_empty() {
                continue;
            }
            let value = SmimeValue::parse(Arc::clone(&place.value));
            for weakness in found {
                output.row(of_weakness(place.row(&value, at_ms), weakness, &owners, culture)).await?;
            }
        }
        for place in &unreadable {
            let error = Error::new(Code::TrustUnreadable).target(place.source.clone().unwrap_or_default());
            let row = place.row(&SmimeValue::parse(Arc::clone(&place.value)), at_ms);
            output.row(rows::failure(row, Some(&error), culture)).await?;
        }
        Ok(())
    }
}

/// Judges on a thread of its own: this computes for minutes, and the session's threads have others to serve.
async fn judge(survey: Survey, output: &Output) -> Result<Vec<Vec<Weakness>>> {
    let watched = output.clone();
    let computed = tokio::task::spawn_blocking(move || {
        let tick = || {
            watched.step();
            !watched.is_cancelled()
        };
        survey.judge(&Pace::of_machine(&tick))
    });
    match computed.await {
        Ok(judged) => judged.map_err(|Interrupted| Error::new(Code::Cancelled)),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::new(Code::Cancelled)),
        },
    }
}

impl Place {
    fn row(&self, value: &SmimeValue, at_ms: i64) -> Row {
        let certificate = self.certificate.and_then(|index| value.certificates.get(index));
        Row::new(columns::of(Verb::Keys))
            .with_all_of(rows::certificate(Some((self.attribute, value)), certificate, at_ms))
            .set("source", self.source.clone())
            .set("person", self.person.clone())
    }
}

fn of_weakness(row: Row, weakness: &Weakness, owners: &[String], culture: Culture) -> Row {
    let name = |owner: &u32| owners.get(usize::try_from(*owner).ok()?).cloned();
    row.set("weakness", weakness.code)
        .set("severity", weakness.severity.name())
        .set("shared_with", weakness.shared_with.iter().filter_map(name).collect::<Vec<_>>())
        .set("message", weakness.message().render(culture))
        .set("observed", weakness.observed.clone())
        .set("expected", weakness.expected.clone())
        .set("rule", weakness.rule)
        .set("remedy", rows::remedy(weakness.code, culture))
}
