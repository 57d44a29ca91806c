//! Reading what authorities publish: from a server that a certificate names, and from the session's own directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::config::{self, Bind, BindMethod, Directory};
use crate::directory::name::Name;
use crate::directory::published::{LdapPlace, Published, cause};
use crate::error::Result;
use crate::net::{Cause, address};

use super::connect::{self, Connection, Settings};
use super::on_own_task;
use super::search::one;

/// Reads an entry of a server that a certificate names: anonymously, and only where its addresses may be spoken to.
///
/// # Errors
/// Why nothing came.
pub(in crate::directory) async fn from_server(
    (host, port): &(String, u16),
    dn: String,
    what: Published,
    timeout: Duration,
    allow_loopback: bool,
) -> std::result::Result<Vec<Vec<u8>>, Cause> {
    let config = Directory {
        urls: vec![format!("ldap://{host}:{port}")],
        bind: Bind { method: BindMethod::Anonymous, ..Bind::default() },
        timeout_ms: Some(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
        ..Directory::default()
    };
    let read = on_own_task(async move {
        let servers = connect::servers(&config).await?;
        let settings = Settings::new(&config, None, &servers)?;
        let Some(server) = servers.first() else { return Ok(Err(Cause::UrlNotAllowed)) };
        let addresses = address::allowed(server.resolve(&settings).await?, allow_loopback);
        if addresses.is_empty() {
            return Ok(Err(Cause::AddressNotAllowed));
        }
        let stream = server.connect(&addresses, &settings).await?;
        let mut connection = server.sign_in(stream, &config.bind, &settings).await?;
        let found = values(&mut connection, &dn, what).await;
        connection.close().await;
        found
    });
    read.await.unwrap_or_else(|error| Err(cause(&error)))
}

/// The values of one entry.
async fn values(
    connection: &mut Connection,
    dn: &str,
    what: Published,
) -> Result<std::result::Result<Vec<Vec<u8>>, Cause>> {
    let Some(entry) = one(connection, dn, what.attributes()).await? else { return Ok(Err(Cause::NoSuchEntry)) };
    let values: Vec<_> = what.attributes().iter().flat_map(|name| entry.all(name)).map(<[u8]>::to_vec).collect();
    Ok(if values.is_empty() { Err(Cause::NoSuchEntry) } else { Ok(values) })
}

/// The session's own directory, for URLs without a host. One connection, opened when it is first needed.
pub struct OwnDirectory {
    config: Arc<(config::Directory, Option<PathBuf>)>,
    opened: Arc<Mutex<State>>,
}

#[derive(Default)]
enum State {
    /// Not yet, or the connection broke.
    #[default]
    Closed,
    Open(Opened),
    /// It could not be opened. Credentials that were refused are not tried again: accounts get locked.
    Failed(Cause),
}

struct Opened {
    connection: Connection,
    /// The configuration naming context; `None` where the directory has none.
    configuration: Option<Name>,
}

impl OwnDirectory {
    /// The directory of the configuration; nothing is connected yet.
    pub fn new(config: &config::Directory, base_dir: Option<&Path>) -> Self {
        Self { config: Arc::new((config.clone(), base_dir.map(Path::to_path_buf))), opened: Arc::default() }
    }

    /// Reads an authority's entry below the directory's configuration naming context, as the session's account.
    ///
    /// # Errors
    /// Why nothing came.
    pub async fn read(&self, place: &LdapPlace, what: Published) -> std::result::Result<Vec<Vec<u8>>, Cause> {
        let (config, opened, dn) = (Arc::clone(&self.config), Arc::clone(&self.opened), place.dn.clone());
        let read = on_own_task(async move {
            let mut opened = opened.lock().await;
            // taken out, so that a connection on which something went wrong is not used again
            let mut own = match std::mem::take(&mut *opened) {
                State::Open(own) => own,
                State::Closed => match open(&config.0, config.1.as_deref()).await {
                    Ok(own) => own,
                    Err(error) => {
                        *opened = State::Failed(cause(&error));
                        return Ok(Err(cause(&error)));
                    }
                },
                State::Failed(cause) => {
                    *opened = State::Failed(cause);
                    return Ok(Err(cause));
                }
            };
            let found = match (&own.configuration, Name::parse(&dn)) {
                (None, _) => Err(Cause::NoConfigurationContext),
                (Some(context), Some(name)) if name.is_within(context) => {
                    values(&mut own.connection, &dn, what).await?
                }
                _ => Err(Cause::OutsideOfConfiguration),
            };
            *opened = State::Open(own);
            Ok(found)
        });
        read.await.unwrap_or_else(|error| Err(cause(&error)))
    }
}

async fn open(config: &config::Directory, base_dir: Option<&Path>) -> Result<Opened> {
    let mut connection = connect::open(config, base_dir).await?;
    let root = one(&mut connection, "", &["configurationNamingContext"]).await?.unwrap_or_default();
    let context = root.all("configurationNamingContext").next().map(String::from_utf8_lossy);
    // the root would have everything below it
    let configuration = context.and_then(|context| Name::parse(&context)).filter(|context| context.depth() > 0);
    Ok(Opened { connection, configuration })
}
