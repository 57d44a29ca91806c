//! The program: started, spoken to, stopped.
#![cfg(unix)]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

type TestResult<T = ()> = Result<T, Box<dyn Error>>;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smimesync-tenant"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn write_state(folder: &Path) -> TestResult {
    let state = json!({
        "tenant": { "id": "11111111-2222-4333-8444-555555555555", "domain": "contoso.onmicrosoft.com" },
        "apps": [{ "app_id": "aaaaaaaa-0000-4000-8000-000000000001", "secret": "s3cret" }],
        "recipients": [],
        "smime_config": { "SMIMECertificateIssuingCA": null },
        "switches": {}
    });
    Ok(std::fs::write(folder.join("state.json"), state.to_string())?)
}

fn wait_for(path: &Path) -> TestResult<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Ok(text) = std::fs::read_to_string(path) {
            return Ok(text);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err("the program did not become ready".into())
}

fn stop(child: Child, signal: &str) -> TestResult<Output> {
    let status = Command::new("kill").arg(signal).arg(child.id().to_string()).status()?;
    assert!(status.success());
    Ok(child.wait_with_output()?)
}

#[test]
fn it_says_where_it_listens_and_saves_its_state_when_told_to_stop() -> TestResult {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir()?;
        write_state(folder.path())?;
        let (ready, saved) = (folder.path().join("ready.json"), folder.path().join("saved.json"));
        let state = folder.path().join("state.json");
        let child =
            program().arg("--state").arg(&state).arg("--save").arg(&saved).arg("--ready").arg(&ready).spawn()?;
        let urls: Value = serde_json::from_str(&wait_for(&ready)?)?;
        let url = urls["http"].as_str().ok_or("no address")?;
        let address = url.strip_prefix("http://").ok_or("not http")?;
        assert!(urls.get("https").is_none());

        let body = "{\"page_size\":7}";
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "POST /control/switches HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

        let output = stop(child, signal)?;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let saved: Value = serde_json::from_slice(&std::fs::read(&saved)?)?;
        assert_eq!(saved["switches"]["page_size"], 7);
    }
    Ok(())
}

#[test]
fn wrong_arguments_are_one_clear_error() -> TestResult {
    let folder = tempfile::tempdir()?;
    write_state(folder.path())?;
    let state = folder.path().join("state.json");
    let state = state.to_str().ok_or("a strange path")?;
    let cases: [(&[&str], &str); 8] = [
        (&[], "--state is missing"),
        (&["--state"], "`--state` needs a value"),
        (&["--state", state, "--verbose"], "unknown argument `--verbose`"),
        (&["--state", state, "--state", state], "`--state` occurs twice"),
        (&["--state", state, "--listen", "0.0.0.0:0"], "0.0.0.0:0 is not a loopback address"),
        (&["--state", state, "--listen", "here"], "`here` is no address with a port"),
        (&["--state", state, "--tls-listen", "127.0.0.1:0"], "belong together"),
        (&["--state", "/nonexistent/state.json"], "state file: "),
    ];
    for (arguments, text) in cases {
        let output = program().args(arguments).output()?;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr)?;
        assert!(stderr.starts_with("smimesync-tenant: ") && stderr.contains(text), "{stderr}");
        assert!(output.stdout.is_empty());
    }
    let help = program().arg("--help").output()?;
    assert!(help.status.success() && help.stdout.starts_with(b"usage: smimesync-tenant "));
    Ok(())
}
