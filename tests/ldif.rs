//! People from LDIF files, through the same function every verb uses.
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[cfg(target_os = "linux")]
use std::fmt::Write as _;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
use base64::{Engine as _, engine::general_purpose::STANDARD};
use smimesync::config;
use smimesync::directory::{ReadReport, Selection, check, content_sha256, read, scope};
use smimesync::error::{Code, Error};
use smimesync::net::CheckResult;
use smimesync::people::{Person, PersonKind};
use tempfile::TempDir;

const COMPANY: &str = "version: 1

dn: OU=People,DC=x,DC=test
objectClass: organizationalUnit

dn: CN=Ann Lee,OU=People,DC=x,DC=test
objectClass: top
objectClass: user
objectGUID:: AQEBAQEBAQEBAQEBAQEBAQ==
userPrincipalName: ann@x.test
proxyAddresses: smtp:lee@x.test
proxyAddresses: SMTP:ann@x.test
department: IT
userCertificate;binary:: MIIB

dn: CN=Bob,OU=More,OU=People,DC=x,DC=test
objectClass: user
mail: bob@x.test
department: Sales

dn: CN=PC1,OU=People,DC=x,DC=test
objectClass: user
objectClass: computer
userCertificate:: MIIB

dn: CN=Partner,OU=Partners,DC=x,DC=test
objectClass: contact
mail: partner@y.test
userSMIMECertificate:: MIIC
";

struct Export {
    directory: TempDir,
    config: config::Directory,
}

impl Export {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("people.ldif"), text).unwrap();
        let config = config::Directory {
            kind: config::DirectoryKind::Ldif,
            path: Some(PathBuf::from("people.ldif")),
            ..config::Directory::default()
        };
        Self { directory, config }
    }

    fn read(&self, selection: &Selection) -> Result<(Vec<Person>, ReadReport), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // a narrow channel: the reader has to wait for its caller
            let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
            let collect = async {
                let mut people = Vec::new();
                while let Some(person) = receiver.recv().await {
                    people.push(person);
                }
                people
            };
            let (report, people) =
                tokio::join!(read(&self.config, Some(self.directory.path()), selection, sender), collect);
            report.map(|report| (people, report))
        })
    }

    fn names(&self, selection: &Selection) -> Vec<String> {
        let (people, report) = self.read(selection).unwrap();
        assert_eq!(report.people, people.len() as u64);
        people.into_iter().map(|person| person.display_name.unwrap_or(person.distinguished_name)).collect()
    }
}

fn named(identities: &[&str]) -> Selection {
    Selection { identities: identities.iter().map(|text| (*text).to_owned()).collect(), ..Selection::default() }
}

#[test]
fn users_and_contacts_are_read_and_nothing_else() {
    let export = Export::new(COMPANY);
    let (people, report) = export.read(&Selection::default()).unwrap();
    let found: Vec<_> =
        people.iter().map(|person| (person.kind, person.addresses.len(), person.values.len())).collect();
    assert_eq!(found, [(PersonKind::User, 2, 1), (PersonKind::User, 1, 0), (PersonKind::Contact, 1, 1)]);
    assert_eq!(people[0].identity, "01010101-0101-0101-0101-010101010101");
    assert_eq!(people[0].primary_address().unwrap().as_str(), "ann@x.test");
    assert_eq!(people[1].identity, "CN=Bob,OU=More,OU=People,DC=x,DC=test");
    assert!(report.complete && report.incomplete_reason.is_none() && !report.limit_reached);
    let digest = content_sha256(&export.directory.path().join("people.ldif")).unwrap();
    assert_eq!(report.content_sha256, Some(digest));
}

#[test]
fn bases_and_filters_select() {
    let mut export = Export::new(COMPANY);
    let with = |bases: &[&str], filter: Option<&str>| Selection {
        bases: bases.iter().map(|base| (*base).to_owned()).collect(),
        filter: filter.map(str::to_owned),
        ..Selection::default()
    };
    assert_eq!(export.names(&with(&["ou=people, dc=X,dc=test"], None)).len(), 2);
    assert_eq!(export.names(&with(&["OU=Partners,DC=x,DC=test"], None)).len(), 1);
    assert_eq!(export.names(&with(&[], Some("(department=it)"))).len(), 1);
    assert_eq!(export.names(&with(&[], Some("(!(department=*))"))).len(), 1);
    export.config.filter = Some("(|(department=IT)(department=Sales))".into());
    assert_eq!(export.names(&with(&[], Some("(mail=*)"))).len(), 1);
    export.config.bases = vec!["OU=More,OU=People,DC=x,DC=test".into()];
    assert_eq!(export.names(&Selection::default()).len(), 1);
    let error = export.read(&with(&["OU=Partners,DC=x,DC=test"], None)).unwrap_err();
    assert_eq!(error.code(), Code::OptionValue);
    assert_eq!(export.read(&with(&[], Some("(mail="))).unwrap_err().code(), Code::DirectoryFilter);
}

#[test]
fn identities_of_every_kind_find_their_person() {
    let export = Export::new(COMPANY);
    for identity in
        ["cn=ann lee, ou=people,dc=x,dc=test", "01010101-0101-0101-0101-010101010101", "ANN@x.test", "lee@X.test"]
    {
        let (people, report) = export.read(&named(&[identity])).unwrap();
        assert_eq!((people.len(), report.people), (1, 1), "{identity}");
        assert_eq!(people[0].user_principal_name.as_deref(), Some("ann@x.test"));
    }
    let (people, _) = export.read(&named(&["ann@x.test", "lee@x.test"])).unwrap();
    assert_eq!(people.len(), 1, "named twice, delivered once");
}

#[test]
fn an_unknown_identity_is_an_error_alone_and_a_row_among_others() {
    let export = Export::new(COMPANY);
    let error = export.read(&named(&["who@x.test"])).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryNotFound, Some("who@x.test")));
    let (people, report) = export.read(&named(&["who@x.test", "bob@x.test"])).unwrap();
    assert_eq!(people.len(), 1);
    assert_eq!(report.unresolved.len(), 1);
    assert_eq!(report.unresolved[0].get_target(), Some("who@x.test"));
}

#[test]
fn an_identity_of_several_delivers_none_of_them() {
    let export = Export::new(format!("{COMPANY}\ndn: CN=Other,DC=x,DC=test\nobjectClass: user\nmail: bob@x.test\n"));
    let error = export.read(&named(&["bob@x.test"])).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryAmbiguous);
    let (people, report) = export.read(&named(&["ann@x.test", "bob@x.test"])).unwrap();
    assert_eq!((people.len(), report.unresolved[0].code()), (1, Code::DirectoryAmbiguous));
}

#[test]
fn a_limit_makes_the_read_incomplete_only_when_there_is_more() {
    let export = Export::new(COMPANY);
    let limit = |limit| Selection { limit: Some(limit), ..Selection::default() };
    let (people, report) = export.read(&limit(2)).unwrap();
    assert_eq!((people.len(), report.limit_reached, report.complete), (2, true, false));
    let (people, report) = export.read(&limit(3)).unwrap();
    assert_eq!((people.len(), report.limit_reached, report.complete), (3, false, true));
}

#[test]
fn two_records_of_one_dn_stay_two_people_and_are_named() {
    let export =
        Export::new("dn: CN=a\nobjectClass: user\nmail: a@x.test\n\ndn: cn=A\nobjectClass: user\nmail: a@x.test\n");
    let (people, report) = export.read(&Selection::default()).unwrap();
    assert_eq!((people.len(), report.complete), (2, true));
    assert_eq!(people[1].problems[0].code, "duplicate_entry");
}

#[test]
fn a_broken_file_gives_the_people_before_the_break_and_says_where() {
    let export = Export::new(format!("{COMPANY}\nmail: lost@x.test\n"));
    let (people, report) = export.read(&Selection::default()).unwrap();
    let reason = report.incomplete_reason.unwrap();
    assert_eq!((people.len(), report.complete, reason.code()), (3, false, Code::DirectoryIncomplete));
    assert!(reason.get_target().unwrap().ends_with("people.ldif"));
    assert!(report.content_sha256.is_none());
    let error = Export::new("mail: lost@x.test\n").read(&Selection::default()).unwrap_err();
    assert_eq!(error.code(), Code::LdifSyntax);
}

#[test]
fn an_export_of_a_search_that_hit_a_limit_is_incomplete() {
    let export = Export::new(format!("{COMPANY}\n# search result\nsearch: 2\nresult: 4 Size limit exceeded\n"));
    let (people, report) = export.read(&Selection::default()).unwrap();
    assert_eq!((people.len(), report.complete), (3, false));
    assert_eq!(report.incomplete_reason.unwrap().code(), Code::DirectoryIncomplete);
}

#[test]
fn change_records_and_missing_files_are_refused() {
    let error = Export::new("dn: cn=a\nchangetype: delete\n").read(&Selection::default()).unwrap_err();
    assert_eq!(error.code(), Code::LdifChangeRecord);
    let mut export = Export::new("");
    export.config.path = Some("nothing.ldif".into());
    let error = export.read(&Selection::default()).unwrap_err();
    assert_eq!(error.code(), Code::FileNotFound);
    assert!(error.get_target().unwrap().ends_with("nothing.ldif"));
    export.config.path = None;
    let error = export.read(&Selection::default()).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ConfigMissing, Some("/directory/path")));
}

#[test]
fn a_closed_sink_ends_the_read() {
    let export = Export::new(COMPANY);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    let ended = runtime.block_on(read(&export.config, Some(export.directory.path()), &Selection::default(), sender));
    assert_eq!(ended.unwrap_err().code(), Code::Cancelled);
}

#[test]
fn check_opens_reads_and_counts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let steps = |text: &str| {
        let export = Export::new(text);
        runtime.block_on(check(&export.config, Some(export.directory.path()))).unwrap()
    };
    let good = steps(COMPANY);
    assert_eq!(
        good.iter().map(|step| (step.step, step.result)).collect::<Vec<_>>(),
        [("open", CheckResult::Pass), ("search", CheckResult::Pass)]
    );
    assert!(good[1].remedy.is_none());
    let nobody = steps("version: 1\n");
    assert_eq!(nobody[1].result, CheckResult::Fail);
    let bare = steps("dn: CN=a\nobjectClass: user\n");
    assert_eq!((bare[1].result, bare[1].remedy.is_some()), (CheckResult::Pass, true));
    let broken = steps("dn\n");
    assert_eq!(broken[1].error.as_ref().unwrap().code(), Code::LdifSyntax);
    assert_ne!(scope(&config::Directory::default()), "");
}

/// The largest resident set this process has had, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_people_need_no_more_memory_than_ten() {
    let value = STANDARD.encode([0x30; 6000]);
    let mut text = String::from("version: 1\n");
    for number in 0..10_000 {
        write!(
            text,
            "\ndn: CN=u{number},OU=People,DC=x,DC=test\nobjectClass: user\nmail: u{number}@x.test\nuserCertificate:: {value}\n"
        )
        .unwrap();
    }
    let bytes = text.len();
    let export = Export::new(text);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = peak_memory();
    let count = runtime.block_on(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
        let selection = Selection::default();
        let reading = read(&export.config, Some(export.directory.path()), &selection, sender);
        let counting = async {
            let mut count = 0;
            while let Some(person) = receiver.recv().await {
                count += usize::from(person.values.len() == 1);
            }
            count
        };
        tokio::join!(reading, counting).1
    });
    assert_eq!(count, 10_000);
    assert!(bytes > 60_000_000);
    // the text itself was held before the mark was taken; what reading adds is a few buffers and 16 bytes a person
    assert!(peak_memory() - before < 16 * 1024, "{} KiB more", peak_memory() - before);
}
