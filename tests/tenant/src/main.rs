//! `smimesync-tenant`: the double as a program.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use smimesync_tenant::{Tenant, replace_file, require_loopback, server_config};
use tokio::net::TcpListener;

const USAGE: &str = "usage: smimesync-tenant --state FILE [--save FILE] [--listen ADDRESS:PORT] [--ready FILE]
                        [--tls-listen ADDRESS:PORT --tls-certificate PEM --tls-key PEM]

Plays Exchange Online on loopback addresses until SIGTERM or SIGINT.
  --state FILE   the tenant to start with
  --save FILE    where its state goes at the end
  --listen       HTTP, default 127.0.0.1:0 (a free port)
  --tls-listen   HTTPS
  --ready FILE   gets the addresses as JSON once they answer; else they go to standard output
";

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Options::parse(std::env::args_os().skip(1)) {
        Ok(Some(options)) => run(options).await.map_err(|error| error.to_string()),
        Ok(None) => return ExitCode::from(u8::from(io::stdout().write_all(USAGE.as_bytes()).is_err())),
        Err(text) => Err(format!("{text}\n{USAGE}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            // Nothing is left to do when even this fails.
            let _ = writeln!(io::stderr(), "smimesync-tenant: {text}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    state: PathBuf,
    save: Option<PathBuf>,
    listen: SocketAddr,
    tls: Option<TlsOptions>,
    ready: Option<PathBuf>,
}

struct TlsOptions {
    listen: SocketAddr,
    certificate: PathBuf,
    key: PathBuf,
}

impl Options {
    /// `None` when help is asked for.
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Self>, String> {
        let [mut state, mut save, mut listen, mut ready] = [const { None::<OsString> }; 4];
        let [mut tls_listen, mut tls_certificate, mut tls_key] = [const { None::<OsString> }; 3];
        while let Some(name) = arguments.next() {
            let slot = match name.to_str() {
                Some("--help" | "-h") => return Ok(None),
                Some("--state") => &mut state,
                Some("--save") => &mut save,
                Some("--listen") => &mut listen,
                Some("--ready") => &mut ready,
                Some("--tls-listen") => &mut tls_listen,
                Some("--tls-certificate") => &mut tls_certificate,
                Some("--tls-key") => &mut tls_key,
                _ => return Err(format!("unknown argument `{}`", name.display())),
            };
            let value = arguments.next().ok_or_else(|| format!("`{}` needs a value", name.display()))?;
            if slot.replace(value).is_some() {
                return Err(format!("`{}` occurs twice", name.display()));
            }
        }
        let tls = match (tls_listen, tls_certificate, tls_key) {
            (None, None, None) => None,
            (Some(listen), Some(certificate), Some(key)) => {
                Some(TlsOptions { listen: address(&listen)?, certificate: certificate.into(), key: key.into() })
            }
            _ => return Err("--tls-listen, --tls-certificate and --tls-key belong together".to_owned()),
        };
        Ok(Some(Self {
            state: state.ok_or("--state is missing")?.into(),
            save: save.map(PathBuf::from),
            listen: address(&listen.unwrap_or_else(|| "127.0.0.1:0".into()))?,
            tls,
            ready: ready.map(PathBuf::from),
        }))
    }
}

fn address(text: &OsString) -> Result<SocketAddr, String> {
    let address = text.to_str().and_then(|text| text.parse().ok());
    let address: SocketAddr = address.ok_or_else(|| format!("`{}` is no address with a port", text.display()))?;
    require_loopback(address).map_err(|error| error.to_string())?;
    Ok(address)
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything answers, so that no signal is lost.
    let stop = stop_signal()?;

    let tenant = Tenant::load(&options.state)?;
    let http = TcpListener::bind(options.listen).await?;
    let mut urls = json!({ "http": format!("http://{}", http.local_addr()?) });
    let https = match &options.tls {
        None => None,
        Some(tls) => {
            let config = server_config(&tls.certificate, &tls.key)?;
            let listener = TcpListener::bind(tls.listen).await?;
            urls["https"] = format!("https://{}", listener.local_addr()?).into();
            Some((listener, config))
        }
    };
    let urls = format!("{urls}\n");
    match &options.ready {
        Some(path) => replace_file(path, urls.as_bytes())?,
        None => io::stdout().write_all(urls.as_bytes())?,
    }

    let serve_https = async {
        match https {
            Some((listener, config)) => tenant.serve_tls(listener, config).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        result = tenant.serve(http) => result?,
        result = serve_https => result?,
        () = stop => {}
    }
    if let Some(path) = &options.save {
        tenant.save(path)?;
    }
    Ok(())
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
