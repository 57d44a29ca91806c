//! Runs of more people than are looked at together: it is one run all the same.

use smimesync::session::{Value, Verb};
use smimesync_tenant::State;

use crate::scene::{Entry, Outcome, Scene, entry, guid};

/// People who are looked at together are a thousand.
const COUNT: u32 = 2_300;
/// One in so many mailboxes is missing.
const MISSING: u32 = 7;

fn address(number: u32) -> String {
    format!("p{number}@x.test")
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Number of the row, person, action and reason of every row about `userCertificate` or a person alone.
fn shown(outcome: &Outcome) -> Vec<[String; 4]> {
    let rows = outcome.rows.iter().filter(|row| text(row.get("attribute")) != "userSMIMECertificate");
    rows.map(|row| ["change", "person", "action", "reason"].map(|name| text(row.get(name)))).collect()
}

/// A scene of people in the opposite order of their identities, each with a good certificate; two are twins although a
/// thousand others are between them.
struct Many {
    scene: Scene,
    addresses: Vec<String>,
    certificates: Vec<[Vec<u8>; 1]>,
}

const TWINS: [u32; 2] = [5, 2_105];
const GONE: u32 = 1_100;

impl Many {
    fn new() -> Self {
        let addresses: Vec<_> = (1..=COUNT).map(address).collect();
        let first = addresses[0].clone();
        let scene = Scene::new(&[&first]);
        let template = scene.tenant.state().recipients[0].clone();
        let mut state: State = scene.tenant.state();
        state.recipients.clear();
        for number in (1..=COUNT).filter(|number| number % MISSING != 0) {
            let mut mailbox = template.clone();
            mailbox.guid = guid(number).parse().unwrap();
            mailbox.primary_smtp_address = address(number);
            mailbox.email_addresses = vec![format!("SMTP:{}", address(number))];
            state.recipients.push(mailbox);
        }
        scene.tenant.set_state(state).unwrap();
        let certificates = addresses.iter().map(|address| [scene.certificate(address)]).collect();
        Self { scene, addresses, certificates }
    }

    fn directory(&self, is_there: impl Fn(u32) -> bool) {
        let own: Vec<[&str; 1]> = self.addresses.iter().map(|address| [address.as_str()]).collect();
        let twin = [self.addresses[TWINS[0] as usize - 1].as_str()];
        let entries: Vec<Entry<'_>> = (1..=COUNT)
            .rev()
            .filter(|number| is_there(*number))
            .map(|number| {
                let place = number as usize - 1;
                let addresses = if number == TWINS[1] { &twin } else { &own[place] };
                entry(number, addresses, &self.certificates[place])
            })
            .collect();
        self.scene.directory(&entries);
    }
}

/// What every person's row says, in the order of identities. A person with a mailbox has a row for each attribute.
fn expected() -> Vec<[String; 4]> {
    let mut number = 0;
    let row = |person: u32| {
        number += 1;
        let of = |action: &str, reason: &str| [number.to_string(), guid(person), action.to_owned(), reason.to_owned()];
        let row = match person {
            _ if TWINS.contains(&person) => of("skip", "ambiguous"),
            _ if person.is_multiple_of(MISSING) => of("skip", "no_recipient"),
            GONE => of("clear", "vanished"),
            _ => of("set", ""),
        };
        // the row about the other attribute
        number += u32::from(row[2] != "skip");
        row
    };
    (1..=COUNT).map(row).collect()
}

#[test]
fn rows_are_those_of_one_plan_in_its_order() {
    let many = Many::new();
    // one who was written and is gone later has rows between those of the others
    many.directory(|number| number == GONE);
    assert_eq!(many.scene.run(Verb::Sync, "").fine().column("result"), ["applied"]);
    many.directory(|number| number != GONE);
    let outcome = many.scene.run(Verb::Compare, r#"{"policy_type":"initial"}"#).fine();
    assert_eq!(shown(&outcome), expected());
    assert_eq!(many.scene.run(Verb::Coverage, "").fine().rows.len(), COUNT as usize - 1);
}
