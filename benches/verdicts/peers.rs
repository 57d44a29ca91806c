//! The same chain by others: OpenSSL's library through a small C program, rustls-webpki directly.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, aws_lc_rs::RSA_PKCS1_2048_8192_SHA256};

use super::scene::{AT, Scene};

/// id-kp-emailProtection, the contents of its DER.
const EMAIL_PROTECTION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];

/// The C program.
pub(crate) struct OpenSsl(PathBuf);

impl OpenSsl {
    /// Compiles it; `Err` with the reason where that cannot be done.
    pub(crate) fn compiled() -> Result<Self, String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openssl/chains.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openssl-chains-bench");
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-o"]).arg(&program).arg(source).arg("-lcrypto");
        let output = compiler.output().map_err(|error| format!("no cc: {error}"))?;
        match output.status.success() {
            true => Ok(Self(program)),
            false => Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned()),
        }
    }

    /// Chains a second.
    pub(crate) fn rate(&self, scene: &Scene, round: Duration) -> Option<f64> {
        let mut input = AT.to_be_bytes().to_vec();
        for der in [&*scene.anchor.der, &*scene.issuer.der, &*scene.leaf] {
            input.extend((der.len() as u32).to_be_bytes());
            input.extend(der);
        }
        let mut program = Command::new(&self.0);
        program.args(["time", &round.as_secs_f64().to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = program.spawn().ok()?;
        running.stdin.take()?.write_all(&input).ok()?;
        let output = running.wait_with_output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (chains, nanoseconds) = text.trim().split_once(' ')?;
        Some(chains.parse::<f64>().ok()? / nanoseconds.parse::<f64>().ok()? * 1e9)
    }
}

/// Verifies the scene's chain once each time it is called.
pub(crate) fn webpki(scene: &Scene) -> impl FnMut() {
    let anchor = CertificateDer::from(scene.anchor.der.to_vec());
    let anchor = anchor_from_trusted_cert(&anchor).unwrap().to_owned();
    let issuer = CertificateDer::from(scene.issuer.der.to_vec());
    let leaf = CertificateDer::from(scene.leaf.clone());
    let time = UnixTime::since_unix_epoch(Duration::from_secs(AT));
    move || {
        let leaf = EndEntityCert::try_from(&leaf).unwrap();
        let usage = KeyUsage::required_if_present(EMAIL_PROTECTION);
        let (anchors, issuers) = (std::slice::from_ref(&anchor), std::slice::from_ref(&issuer));
        let found = leaf.verify_for_usage(&[RSA_PKCS1_2048_8192_SHA256], anchors, issuers, time, usage, None, None);
        found.unwrap();
    }
}
