//! Answers written down byte by byte: what the double does not give.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;
use smimesync::error::Code;
use smimesync::exchange::{Exchange, Selection};

use crate::support::{client, guid};

/// A server that gives these answers in turn, one per connection, and tells what it was asked: the request line, the
/// headers and the body.
pub(crate) fn serve(answers: Vec<Vec<u8>>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut request, mut length) = (String::new(), 0);
            loop {
                let start = request.len();
                reader.read_line(&mut request).unwrap();
                let line = request[start..].to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            request.push_str(&String::from_utf8_lossy(&body));
            stream.write_all(&answer).unwrap();
            // whoever stopped listening has seen enough
            let _ = tell.send(request);
        }
    });
    (url, asked)
}

pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn page(names: &[(u32, &str)], next: Option<&str>) -> Vec<u8> {
    let values: Vec<_> = names
        .iter()
        .map(|(number, name)| {
            json!({ "Guid": guid(*number), "DisplayName": name, "IsDirSynced": false, "UserCertificate": [],
                    "UserSMimeCertificate": [] })
        })
        .collect();
    let mut body = json!({ "value": values });
    if let Some(next) = next {
        body["@odata.nextLink"] = json!(next);
    }
    answer("200 OK", "", body.to_string())
}

/// A client with a ready token, so that only the admin API is asked.
fn client_of(url: &str) -> Exchange {
    client(url, &json!({ "auth": { "method": "token", "token": "e30.e30.signature" } })).0
}

#[tokio::test]
async fn cookies_of_one_page_go_along_to_the_next() {
    let contacts = page(&[], None);
    let first = page(&[(1, "Ann")], Some("/adminapi/beta/x/InvokeCommand?%24skiptoken=abc"));
    let first = String::from_utf8(first).unwrap().replacen("\r\n", "\r\nSet-Cookie: backend=b7; Path=/\r\n", 1);
    let (url, asked) = serve(vec![first.into_bytes(), page(&[(2, "Ben")], None), contacts.clone(), contacts]);
    let (recipients, _) = client_of(&url).collect(Selection::default()).await.unwrap();
    assert_eq!(recipients.len(), 2);
    let (one, two) = (asked.recv().unwrap(), asked.recv().unwrap());
    assert!(!one.contains("backend=b7"));
    assert!(two.starts_with("POST /adminapi/beta/x/InvokeCommand?%24skiptoken=abc HTTP/1.1\r\n"), "{two}");
    assert!(two.contains("cookie: backend=b7\r\n"), "{two}");
    assert_eq!(one.split("\r\n\r\n").nth(1), two.split("\r\n\r\n").nth(1));
}

#[tokio::test]
async fn the_request_says_who_asks_and_for_what() {
    let (url, asked) = serve(vec![page(&[(1, "Ann")], None)]);
    client_of(&url).get(&guid(1)).await.unwrap();
    let request = asked.recv().unwrap();
    let line = request.lines().next().unwrap();
    assert!(line.starts_with("POST /adminapi/beta/contoso.onmicrosoft.com/InvokeCommand?%24select=Guid%2C"), "{line}");
    for header in [
        "authorization: Bearer e30.e30.signature",
        "content-type: application/json; charset=utf-8",
        "accept-language: en-US",
        "accept-encoding: gzip",
        concat!("user-agent: SmimeSync/", env!("CARGO_PKG_VERSION")),
        "x-anchormailbox: UPN:OAuthUser@contoso.onmicrosoft.com",
        "x-cmdletname: Get-Mailbox",
        "prefer: odata.maxpagesize=1000",
        "client-request-id: ",
        "connection-id: ",
    ] {
        assert!(request.contains(&format!("\r\n{header}")), "{header} in {request}");
    }
    assert!(!request.contains("x-responseformat"));
}

#[tokio::test]
async fn an_empty_or_repeated_later_page_makes_the_list_incomplete() {
    let link = "/adminapi/beta/x/InvokeCommand?%24skiptoken=abc";
    for second in [page(&[], None), page(&[], Some(link)), page(&[(2, "Ben")], Some(link))] {
        let (url, _asked) = serve(vec![page(&[(1, "Ann")], Some(link)), second]);
        let error = client_of(&url).collect(Selection::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::ExchangeIncomplete);
    }
    let gone = answer("404 Not Found", "", r#"{"error":{"code":"NotFound","message":"gone"}}"#);
    let (url, _asked) = serve(vec![page(&[(1, "Ann")], Some(link)), gone]);
    let error = client_of(&url).collect(Selection::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeIncomplete);
}

#[tokio::test]
async fn credentials_follow_a_redirect_only_within_the_service() {
    let moved = |to: &str| answer("302 Found", &format!("Location: {to}\r\n"), "");
    let (url, asked) = serve(vec![moved("/elsewhere?x=1"), page(&[(1, "Ann")], None)]);
    client_of(&url).get(&guid(1)).await.unwrap();
    let (one, two) = (asked.recv().unwrap(), asked.recv().unwrap());
    assert!(two.starts_with("POST /elsewhere?x=1 "), "{two}");
    assert!(two.contains("authorization: Bearer ") && one.split("\r\n\r\n").nth(1) == two.split("\r\n\r\n").nth(1));

    let (foreign, foreign_asked) = serve(vec![page(&[(1, "Ann")], None)]);
    for target in [foreign.as_str(), "https://outlook.office365.com/", "http://evil.test/"] {
        let (url, _asked) = serve(vec![moved(target)]);
        let error = client_of(&url).get(&guid(1)).await.unwrap_err();
        assert_eq!(error.code(), Code::ExchangeProtocol, "{target}");
    }
    assert!(foreign_asked.try_recv().is_err());

    let (url, _asked) = serve((0..10).map(|_| moved("/again")).collect());
    assert_eq!(client_of(&url).get(&guid(1)).await.unwrap_err().code(), Code::ExchangeProtocol);
}

#[tokio::test]
async fn a_continuation_link_out_of_the_service_is_not_followed() {
    let (foreign, foreign_asked) = serve(vec![page(&[], None)]);
    let (url, _asked) = serve(vec![page(&[(1, "Ann")], Some(&foreign))]);
    let error = client_of(&url).collect(Selection::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeProtocol);
    assert!(foreign_asked.try_recv().is_err());
}

#[tokio::test]
async fn bodies_that_claim_gzip_and_are_not_are_read_as_they_are() {
    let nul = answer("403 Forbidden", "Content-Encoding: gzip\r\nx-ms-diagnostics: 2000008;no role\r\n", [0; 4096]);
    let (url, _asked) = serve(vec![nul]);
    let error = client_of(&url).get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeDenied);
    assert!(error.to_string().contains(": 2000008;no role; give the application the role"), "{error}");
    let plain = String::from_utf8(page(&[(1, "Ann")], None)).unwrap();
    let (url, _asked) = serve(vec![plain.replacen("\r\n", "\r\nContent-Encoding: gzip\r\n", 1).into_bytes()]);
    assert_eq!(client_of(&url).get(&guid(1)).await.unwrap().display_name.as_deref(), Some("Ann"));
}

#[tokio::test]
async fn another_recipient_than_the_one_asked_for_is_not_taken() {
    let (url, _asked) = serve(vec![page(&[(2, "Ben")], None)]);
    assert_eq!(client_of(&url).get(&guid(1)).await.unwrap_err().code(), Code::ExchangeProtocol);
    let (url, _asked) = serve(vec![page(&[(1, "Ann"), (2, "Ben")], None)]);
    assert_eq!(client_of(&url).get(&guid(1)).await.unwrap_err().code(), Code::ExchangeAmbiguous);
}

#[tokio::test]
async fn an_unknown_organisation_is_no_unknown_recipient() {
    let (url, _asked) = serve(vec![answer("404 Not Found", "", "")]);
    let error = client_of(&url).collect(Selection::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeRefused);
    assert!(error.to_string().contains("check that organization names a domain or the GUID"), "{error}");
}

#[tokio::test]
async fn values_of_a_refused_answer_do_not_leak_into_the_message() {
    let odd = json!({ "value": [{ "Guid": 17, "DisplayName": "s3cret" }] }).to_string();
    let (url, _asked) = serve(vec![answer("200 OK", "", odd)]);
    let error = client_of(&url).get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeProtocol);
    assert!(!error.to_string().contains("17") && !error.to_string().contains("s3cret"), "{error}");
}

#[tokio::test]
async fn what_one_recipient_cannot_say_does_not_hide_the_others() {
    let entry = |number: u32, certificate: &str| json!({ "Guid": guid(number), "IsDirSynced": false, "UserSMimeCertificate": [], "UserCertificate": [certificate] });
    let odd = json!({ "value": [entry(1, "MAMC"), entry(2, "System.Byte[]")] }).to_string();
    let odd = || answer("200 OK", "", &odd);
    let refusal = answer("400 Bad Request", "", r#"{"error":{"message":"no such format"}}"#);
    for second in [odd(), refusal] {
        let no_entity = answer("404 Not Found", "", "");
        let (url, asked) = serve(vec![odd(), second, no_entity, page(&[], None), page(&[], None), odd()]);
        let exchange = client_of(&url);
        let (recipients, _) = exchange.collect(Selection::default()).await.unwrap();
        assert!(recipients[0].user_certificate.is_some() && recipients[1].user_certificate.is_none());
        let types = ["UserMailbox".to_owned()];
        let again = Selection { types: Some(&types), ..Selection::default() };
        exchange.collect(again).await.unwrap();
        let formats: Vec<_> = asked.iter().map(|request| request.contains("x-responseformat: clixml")).collect();
        assert_eq!(formats, [false, true, false, false, false, false]);
    }
}
