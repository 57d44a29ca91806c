//! People from a live server (RFC 4511): Active Directory or a standard one.

mod absence;
mod changes;
mod connect;
mod descriptor;
mod failure;
mod group;
mod modify;
mod people;
mod probe;
mod published;
mod search;
mod writer;
mod unpaged;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use crate::config;
use crate::error::{Code, Error, Result};
use crate::people::Person;

use super::name::Name;
use super::selection::{Finder, Repeated, Wanted};
use crate::net::CheckStep;

use super::{ChangeReport, Changes, Cursor, Export, Gone, ReadReport, Selection, Since, WhyEverybody, incomplete};
pub(super) use absence::without;
use connect::Connection;
use people::Reading;
pub use published::OwnDirectory;
pub(super) use published::from_server;
pub use writer::{Standing, Writer};

/// Servers that are asked for changes and did not give the cursor; beyond these reading everybody is quicker.
const MAX_STRANGERS: u32 = 16;

/// Reads the wanted people of the first server that can be spoken to, and from the next one if it fails meanwhile; with
/// `cursor`, what changes from then on can be read afterwards.
pub(super) async fn read(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    cursor: bool,
    export: Option<Arc<Export>>,
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
        let mut replaced: Vec<Error> = Vec::new();
        loop {
            let mut reading = Reading {
                config: &config,
                wanted: &wanted,
                bases_selected,
                finder: &mut finder,
                export: export.as_deref(),
                sink: &sink,
                referrals: 0,
                is_selected: false,
                newest: None,
                members: None,
            };
            let ended = attempt(&mut connection, &mut reading, cursor && replaced.is_empty()).await;
            // a cookie is its server's own, so the next one is read from its beginning; the finder knows whom it had
            if let Err(error) = &ended
                && servers.can_replace(error)
                && let Ok(next) = servers.next().await
            {
                replaced.push(error.clone());
                connection = next;
                continue;
            }
            let (ended, mut going_on) = match ended {
                Ok(going_on) => (Ok(()), going_on),
                Err(error) => (Err(error), Ok(None)),
            };
            if cursor && !replaced.is_empty() {
                // who came from one server may have changed at it after what the other one knows
                going_on = Err(WhyEverybody::OtherServer);
            }
            let report = finish(connection, reading, ended, Named::MustExist).await?;
            let no_cursor = going_on.as_ref().err().copied();
            return Ok(ReadReport { no_cursor, cursor: going_on.ok().flatten(), replaced, ..report });
        }
    })
    .await
}

/// Reads everybody wanted from one server; where changes can be read from, or why they cannot.
async fn attempt(
    connection: &mut Connection,
    reading: &mut Reading<'_>,
    cursor: bool,
) -> Result<std::result::Result<Option<Cursor>, WhyEverybody>> {
    let begun = match cursor {
        // what fails here fails in the read as well, and says more there
        true => changes::begin(connection, reading).await.unwrap_or(Err(WhyEverybody::Unsupported)).map(Some),
        false => Ok(None),
    };
    reading.run(connection).await?;
    Ok(match begun {
        Ok(Some(begun)) => changes::after(reading, begun).map(Some),
        begun => begun,
    })
}

/// Reads what changed of the wanted people.
pub(super) async fn read_changes(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    since: &Since,
    sink: Sender<Person>,
) -> Result<Changes> {
    let whole = wanted(config, &Selection::default())?;
    let wanted = wanted(config, selection)?;
    let is_selected = *selection != Selection::default();
    let base_dir = base_dir.map(Path::to_path_buf);
    let (config, bases_selected, since) = (config.clone(), !selection.bases.is_empty(), since.clone());
    on_own_task(async move {
        let servers = connect::servers(&config).await?;
        let settings = connect::Settings::new(&config, base_dir.as_deref(), &servers)?;
        let mut servers = connect::Servers::new(&config, servers, &settings)?;
        let mut finder = Finder::new(&wanted, Repeated::Same);
        for strangers in 0.. {
            let mut connection = match servers.next().await {
                Ok(connection) => connection,
                // none of those that answer gave the cursor
                Err(_) if strangers > 0 => break,
                Err(error) => return Err(error),
            };
            let mut reading = Reading {
                config: &config,
                wanted: &wanted,
                bases_selected,
                finder: &mut finder,
                export: None,
                sink: &sink,
                referrals: 0,
                is_selected,
                newest: None,
                members: None,
            };
            let told = match changes::read(&mut connection, &mut reading, &whole, &since).await? {
                Ok(told) => told,
                Err(why) => {
                    connection.close().await;
                    match why {
                        WhyEverybody::OtherServer if strangers + 1 < MAX_STRANGERS => continue,
                        _ => return Ok(Changes::Everybody(why)),
                    }
                }
            };
            let ended = told.ended.map_err(incomplete);
            let report = finish(connection, reading, ended, Named::MayBeAbsent).await?;
            let read = ReadReport { cursor: Some(told.cursor), unresolved: Vec::new(), ..report };
            // who left a selection is not gone
            let gone = if is_selected { Gone::Named(Vec::new()) } else { told.gone };
            let (unseen, deletions_show) = (told.unseen, told.deletions_show);
            return Ok(Changes::Read(Box::new(ChangeReport {
                read,
                gone,
                unseen,
                deletions_show,
                reread: Vec::new(),
            })));
        }
        Ok(Changes::Everybody(WhyEverybody::OtherServer))
    })
    .await
}

/// Whether those named must be among the people read.
#[derive(PartialEq, Eq)]
enum Named {
    MustExist,
    /// That nobody of a name changed is no error.
    MayBeAbsent,
}

/// Delivers those who were named and says how the read ended.
async fn finish(connection: Connection, reading: Reading<'_>, ended: Result<()>, named: Named) -> Result<ReadReport> {
    let Reading { finder, wanted, export, sink, referrals, .. } = reading;
    let incomplete_reason = match ended {
        Ok(()) => None,
        Err(error) if error.code() == Code::Cancelled || finder.delivered() == 0 => return Err(error),
        // that is not the directory's fault
        Err(error) if error.code() == Code::FileUnwritable => return Err(error),
        Err(error) => Some(incomplete(error)),
    };
    let server = Some(connection.url.clone());
    connection.close().await;
    let found = finder.finish();
    if let ([failed], [_]) = (found.unresolved.as_slice(), wanted.identities.as_slice())
        && named == Named::MustExist
    {
        return Err(failed.clone());
    }
    if let Some(export) = export {
        export.add_held(&found.people)?;
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
        ..ReadReport::default()
    })
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
    if config.group.as_ref().is_some_and(|group| Name::parse(group).is_none()) {
        let expected = "expected a distinguished name";
        return Err(Error::new(Code::ConfigValue).target("/directory/group").with("detail", expected));
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
