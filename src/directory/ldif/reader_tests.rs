use super::*;

fn records(text: &[u8]) -> Result<Vec<Entry>> {
    let mut reader = Reader::new(text);
    let mut entries = Vec::new();
    while let Some(record) = reader.next()? {
        if let Record::Entry { entry, .. } = record {
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn one(text: &str) -> Entry {
    let mut entries = records(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(entries.len(), 1, "{text}");
    entries.remove(0)
}

fn text<'a>(entry: &'a Entry, name: &'a str) -> Vec<&'a str> {
    entry.all(name).map(|value| std::str::from_utf8(value).unwrap()).collect()
}

fn failure(text: &[u8]) -> (Code, String) {
    let error = records(text).unwrap_err();
    (error.code(), error.to_string())
}

/// RFC 2849, example 1.
const SIMPLE: &str = "version: 1
dn: cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com
objectclass: top
objectclass: person
objectclass: organizationalPerson
cn: Barbara Jensen
cn: Barbara J Jensen
cn: Babs Jensen
sn: Jensen
uid: bjensen
telephonenumber: +1 408 555 1212
description: A big sailing fan.

dn: cn=Bjorn Jensen, ou=Accounting, dc=airius, dc=com
objectclass: top
objectclass: person
objectclass: organizationalPerson
cn: Bjorn Jensen
sn: Jensen
telephonenumber: +1 408 555 1212
";

/// RFC 2849, example 3 and the folded part of example 2.
const FOLDED: &str = "version: 1
dn:cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com
objectclass:top
description:Babs is a big sailing fan, and travels extensively in sea
 rch of perfect sailing conditions.
title:Product Manager, Rod and Reel Division
description:: V2hhdCBhIGNhcmVmdWwgcmVhZGVyIHlvdSBhcmUhICBUaGlzIHZhbHVlIGlzIGJhc2UtNj
 QtZW5jb2RlZCBiZWNhdXNlIGl0IGhhcyBhIGNvbnRyb2wgY2hhcmFjdGVyIGluIGl0IChhIENSKS4NICBCe
 SB0aGUgd2F5LCB5b3Ugc2hvdWxkIHJlYWxseSBnZXQgb3V0IG1vcmUu
";

#[test]
fn example_1_holds_two_entries() {
    for file in [SIMPLE.to_owned(), SIMPLE.replace('\n', "\r\n")] {
        let entries = records(file.as_bytes()).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].dn, "cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com");
        assert_eq!(text(&entries[0], "CN"), ["Barbara Jensen", "Barbara J Jensen", "Babs Jensen"]);
        assert_eq!(text(&entries[1], "telephoneNumber"), ["+1 408 555 1212"]);
    }
}

#[test]
fn folded_and_base64_values_come_whole() {
    for file in [FOLDED.to_owned(), FOLDED.replace('\n', "\r\n")] {
        let entry = one(&file);
        let found = text(&entry, "description");
        assert_eq!(
            found[0],
            "Babs is a big sailing fan, and travels extensively in search of perfect sailing conditions."
        );
        assert!(
            found[1].starts_with("What a careful reader you are!") && found[1].contains("CR).\r  By"),
            "{}",
            found[1]
        );
    }
}

#[test]
fn base64_names_are_decoded() {
    // RFC 2849, example 5: "ou=営業部,o=Airius"
    let entry = one(
        "dn:: b3U95Za25qWt6YOoLG89QWlyaXVz\n# dn:: ou=<JapaneseOU>,o=Airius\nobjectclass: top\nou;lang-ja:: 5Za25qWt6YOo\n",
    );
    assert_eq!(entry.dn, "ou=営業部,o=Airius");
    assert_eq!((text(&entry, "ou"), entry.plain("ou").count()), (vec!["営業部"], 0));
}

#[test]
fn comments_are_skipped_with_their_continuations() {
    let entry = one("# a comment\n  that goes on: here\n\n#\ndn: cn=a\n# between\n  lines\ncn: a\n#last");
    assert_eq!(text(&entry, "cn"), ["a"]);
}

#[test]
fn what_a_value_may_look_like() {
    let entry = one(
        "dn: cn=a\nempty:\nspaced:    b\ncolon: a:b\ntail: c  \nuserCertificate;binary:: MIIB\nmember;range=0-1: x",
    );
    assert_eq!((text(&entry, "empty"), text(&entry, "spaced")), (vec![""], vec!["b"]));
    assert_eq!((text(&entry, "colon"), text(&entry, "tail")), (vec!["a:b"], vec!["c  "]));
    assert_eq!(entry.plain("usercertificate").collect::<Vec<_>>(), [[0x30, 0x82, 0x01]]);
    assert_eq!(entry.missing_from("member"), Some(2));
}

#[test]
fn a_byte_order_mark_is_no_obstacle_and_utf_16_is_named() {
    assert_eq!(records(b"\xEF\xBB\xBFversion: 1\ndn: cn=a\ncn: a\n").unwrap().len(), 1);
    let (code, message) = failure(b"\xFF\xFEd\0n\0:\0");
    assert_eq!(code, Code::LdifSyntax);
    assert!(message.contains("UTF-16"), "{message}");
}

#[test]
fn syntax_errors_name_their_line() {
    for (file, line, words) in [
        ("version: 2\n", 1, "version"),
        ("cn: a\n", 1, "begin with dn"),
        ("dn: cn=a\nno colon\n", 2, "colon"),
        ("dn: cn=a\ncn: a\n folded\n x\n: b\n", 5, "attribute name"),
        ("dn: cn=a\njpegPhoto:< file:///tmp/a.jpg\n", 2, "elsewhere"),
        ("dn: cn=a\ncn:: %%%\n", 2, "base64"),
        ("dn: cn=a\n\n continues\n", 3, "continuation"),
        ("dn: cn=a\ncn: a\ndn: cn=b\n", 3, "empty line"),
        ("dn:: /w==\n", 1, "UTF-8"),
        ("dn: cn=a\nc n: a\n", 2, "attribute name"),
        ("dn: cn=a\ncn;: a\n", 2, "attribute name"),
    ] {
        let (code, message) = failure(file.as_bytes());
        assert_eq!(code, Code::LdifSyntax, "{file}");
        assert!(message.contains(&format!("(line {line})")) && message.contains(words), "{file}: {message}");
    }
}

#[test]
fn records_that_add_are_content() {
    let file = "dn: cn=a\nchangetype: add\ncn: a\n\ndn: cn=b\nchangetype:: QWRk\ncn: b\n";
    let entries = records(file.as_bytes()).unwrap();
    assert_eq!(entries.iter().map(|entry| text(entry, "cn")).collect::<Vec<_>>(), [["a"], ["b"]]);
    assert!(entries.iter().all(|entry| !entry.has("changetype")));
}

#[test]
fn change_records_are_refused_by_name() {
    for (file, line) in [
        ("version: 1\ndn: cn=a\ncn: a\nchangetype: add\n", 4),
        ("dn: cn=a\nchangetype: addition\ncn: a\n", 2),
        ("dn: cn=a\ncontrol: 1.2.840.113556.1.4.805 true\nchangetype: delete\n", 2),
        ("dn: cn=a\nchangetype: modify\nadd: cn\ncn: b\n-\n", 2),
    ] {
        let (code, message) = failure(file.as_bytes());
        assert_eq!(code, Code::LdifChangeRecord, "{file}");
        assert!(message.contains(&format!("(line {line})")), "{message}");
    }
}

#[test]
fn limits_hold_for_lines_records_and_attributes() {
    let (code, message) = failure(format!("dn: cn=a\ncn: {}\n", "x".repeat(MAX_LINE_BYTES)).as_bytes());
    assert!(code == Code::LdifSyntax && message.contains("24 MiB"), "{message}");
    let folded = format!("dn: cn=a\ncn: x\n{}", format!(" {}\n", "x".repeat(1 << 20)).repeat(25));
    assert!(failure(folded.as_bytes()).1.contains("24 MiB"));
    let record = format!("dn: cn=a\n{}", format!("cn: {}\n", "x".repeat(1 << 20)).repeat(64));
    assert!(failure(record.as_bytes()).1.contains("64 MiB"));
    let many: String = (0..5000).map(|index| format!("a{index}: x\n")).collect();
    assert!(failure(format!("dn: cn=a\n{many}").as_bytes()).1.contains("4096"));
}

#[test]
fn the_end_of_ldapsearch_is_understood() {
    let mut reader = Reader::new(
        &b"dn: cn=a\ncn: a\n\n# search reference\nref: ldap://x.test/CN=b\n\n# search result\nsearch: 2\nresult: 4 Size limit exceeded\n\n# numEntries: 1\n"[..],
    );
    assert!(matches!(reader.next(), Ok(Some(Record::Entry { .. }))));
    assert!(
        matches!(reader.next(), Ok(Some(Record::SearchResult { code: 4, words })) if words == "Size limit exceeded")
    );
    assert!(matches!(reader.next(), Ok(None)));
}

#[test]
fn no_truncation_and_no_flipped_byte_makes_it_panic() {
    for file in [SIMPLE.as_bytes(), FOLDED.as_bytes()] {
        for end in 0..file.len() {
            let _ = records(&file[..end]);
            let mut flipped = file.to_vec();
            flipped[end] ^= 0x55;
            let _ = records(&flipped);
        }
    }
}
