//! People from a live server (RFC 4511): Active Directory or a standard one.

mod connect;
mod failure;
mod people;
mod probe;
mod search;

use std::path::Path;

use tokio::sync::mpsc::Sender;

use crate::config;
use crate::error::{Code, Error, Result};
use crate::people::Person;

use super::selection::{Finder, Repeated, Wanted};
use crate::net::CheckStep;

use super::{ReadReport, Selection, incomplete};
use people::Reading;

/// Reads the wanted people of the first server that can be spoken to, and from the next one if it fails meanwhile.
pub(super) async fn read(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    sink: Sender<Person>,
) -> Result<ReadReport> {
    let wanted = wanted(config, selection)?;
    let base_dir = base_dir.map(Path::to_path_buf);
    let (config, bases_selected) = (config.clone(), !selection.bases.is_empty());
    on_own_task(async move {
        let servers = connect::servers(&config).await?;
        let settings = connect::Settings::new(&config, base_dir.as_deref(), &servers)?;
        let mut servers = connect::Servers::new(&config, servers, &settings)?;
        let mut connection = servers.next().await?;
        let mut finder = Finder::new(&wanted, Repeated::Same);
        let mut replaced = Vec::new();
        let (ended, referrals) = loop {
            let mut reading = Reading {
                config: &config,
                wanted: &wanted,
                bases_selected,
                finder: &mut finder,
                sink: &sink,
                referrals: 0,
            };
            let ended = reading.run(&mut connection).await;
            let referrals = reading.referrals;
            let Err(error) = ended else { break (Ok(()), referrals) };
            if !servers.can_replace(&error) {
                break (Err(error), referrals);
            }
            // a cookie is its server's own, so the next one is read from its beginning; the finder knows whom it had
            match servers.next().await {
                Ok(next) => connection = next,
                Err(_) => break (Err(error), referrals),
            }
            replaced.push(error);
        };
        let incomplete_reason = match ended {
            Ok(()) => None,
            Err(error) if error.code() == Code::Cancelled || finder.delivered() == 0 => return Err(error),
            Err(error) => Some(incomplete(error)),
        };
        let server = Some(connection.url.clone());
        connection.close().await;
        let found = finder.finish();
        if let ([failed], [_]) = (found.unresolved.as_slice(), wanted.identities.as_slice()) {
            return Err(failed.clone());
        }
        for person in found.people {
            sink.send(person).await.map_err(|_| Error::new(Code::Cancelled))?;
        }
        Ok(ReadReport {
            people: finder.delivered(),
            complete: incomplete_reason.is_none() && !finder.limit_reached(),
            incomplete_reason,
            limit_reached: finder.limit_reached(),
            unresolved: found.unresolved,
            referrals,
            server,
            replaced,
            content_sha256: None,
        })
    })
    .await
}

/// Tries every configured server, step by step.
pub(super) async fn check(config: &config::Directory, base_dir: Option<&Path>) -> Result<Vec<CheckStep>> {
    let (config, base_dir) = (config.clone(), base_dir.map(Path::to_path_buf));
    on_own_task(async move { Ok(probe::check(&config, base_dir.as_deref()).await) }).await
}

fn wanted(config: &config::Directory, selection: &Selection) -> Result<Wanted> {
    let wanted = Wanted::new(config, selection)?;
    if wanted.bases.is_empty() {
        return Err(Error::new(Code::ConfigMissing).target("/directory/base"));
    }
    Ok(wanted)
}

/// Runs work where a panic of ldap3, which a malformed message can cause, is an error like others.
/// Dropping the future ends the work.
async fn on_own_task<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    struct AbortOnDrop(tokio::task::AbortHandle);
    impl Drop for AbortOnDrop {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let task = tokio::spawn(work);
    let _guard = AbortOnDrop(task.abort_handle());
    task.await.unwrap_or_else(|error| {
        let code = if error.is_panic() { Code::DirectoryProtocol } else { Code::Cancelled };
        Err(Error::new(code).with("detail", "a malformed message"))
    })
}
