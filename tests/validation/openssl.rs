//! What OpenSSL has against a chain: from its library through a small C program, or from the command line.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use smimesync::certificate::Certificate;
use tempfile::TempDir;

use crate::pki::NOW;
use crate::second_opinion::Chain;

/// Either way to ask.
pub(crate) enum OpenSsl {
    Library(Library),
    CommandLine(CommandLine),
}

impl OpenSsl {
    /// The library; `Err` with the reason where the C program cannot be compiled.
    pub(crate) fn library(root: &Certificate) -> Result<Self, String> {
        Library::new(root).map(Self::Library)
    }

    /// How many chains an ordinary test has time for.
    pub(crate) fn chains(&self) -> usize {
        match self {
            Self::Library(_) => 3000,
            Self::CommandLine(_) => 500,
        }
    }

    /// For each of a few chains everything it has against it; empty is nothing.
    pub(crate) fn errors(&mut self, chains: &[Chain]) -> Vec<Vec<String>> {
        match self {
            Self::Library(library) => library.errors(chains),
            Self::CommandLine(command) => chains.iter().map(|chain| command.errors(chain)).collect(),
        }
    }
}

/// The C program, running.
pub(crate) struct Library {
    process: Child,
    chains: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Library {
    fn new(root: &Certificate) -> Result<Self, String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openssl/chains.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openssl-chains");
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-o"]).arg(&program).arg(source).arg("-lcrypto");
        let output = compiler.output().map_err(|error| format!("no cc: {error}"))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(words.lines().find(|line| line.contains("error")).unwrap_or("cc failed").to_owned());
        }
        let mut process =
            Command::new(program).arg("judge").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut chains = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        chains.write_all(&(NOW / 1000).to_be_bytes()).unwrap();
        chains.write_all(&framed(&root.der)).unwrap();
        Ok(Self { process, chains, answers })
    }

    /// All are asked about before an answer is read, so that neither process waits for the other: the answers to a few
    /// fit into the pipe.
    fn errors(&mut self, chains: &[Chain]) -> Vec<Vec<String>> {
        let framed: Vec<u8> =
            chains.iter().flat_map(|chain| [framed(&chain.issuing), framed(&chain.person)].concat()).collect();
        self.chains.write_all(&framed).unwrap();
        chains.iter().map(|_| self.answer()).collect()
    }

    fn answer(&mut self) -> Vec<String> {
        let mut line = String::new();
        assert!(self.answers.read_line(&mut line).unwrap() > 0, "the program ended early");
        let line = line.trim_end();
        // what it cannot read it has no opinion on
        let known = !line.is_empty() && line != "unreadable";
        if known { line.split('\t').map(str::to_owned).collect() } else { Vec::new() }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn framed(der: &[u8]) -> Vec<u8> {
    [&(der.len() as u32).to_be_bytes()[..], der].concat()
}

/// `openssl verify`, a process for each chain.
pub(crate) struct CommandLine(TempDir);

impl CommandLine {
    pub(crate) fn new(root: &Certificate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("root.pem"), pem(&root.der)).unwrap();
        Self(folder)
    }

    fn errors(&self, chain: &Chain) -> Vec<String> {
        if !self.reads(&chain.issuing) || !self.reads(&chain.person) {
            return Vec::new();
        }
        fs::write(self.0.path().join("issuing.pem"), pem(&chain.issuing)).unwrap();
        fs::write(self.0.path().join("person.pem"), pem(&chain.person)).unwrap();
        let at = (NOW / 1000).to_string();
        let mut command = Command::new("openssl");
        command.current_dir(self.0.path()).args(["verify", "-x509_strict", "-policy_check"]);
        command.args(["-policy", "2.5.29.32.0", "-attime", &at]);
        command.args(["-trusted", "root.pem", "-untrusted", "issuing.pem", "person.pem"]);
        let output = command.output().unwrap();
        if output.status.success() {
            return Vec::new();
        }
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let errors: Vec<String> =
            words.lines().filter_map(|line| Some(line.split_once(" depth lookup: ")?.1.to_owned())).collect();
        if errors.is_empty() { vec![words] } else { errors }
    }

    fn reads(&self, der: &[u8]) -> bool {
        fs::write(self.0.path().join("one.der"), der).unwrap();
        let read = ["x509", "-inform", "DER", "-in", "one.der", "-noout"];
        Command::new("openssl").args(read).current_dir(self.0.path()).output().unwrap().status.success()
    }
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(der))
}
