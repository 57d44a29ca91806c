//! What a machine offers programs that sign in by its own identity.

use std::path::PathBuf;

use crate::config::Secret;

/// The address of Azure's instance metadata service, the same in every network.
const INSTANCE_METADATA: &str = "http://169.254.169.254";

/// Where a machine's managed identity is asked for. Tests hand in another one.
#[derive(Debug, Clone)]
pub struct Machine {
    /// `IDENTITY_ENDPOINT`: App Service sets it together with `IDENTITY_HEADER`, Arc together with `IMDS_ENDPOINT`.
    pub identity_endpoint: Option<String>,
    /// `IDENTITY_HEADER`: proves to App Service that the program asks.
    pub identity_header: Option<Secret>,
    /// `IMDS_ENDPOINT`.
    pub imds_endpoint: Option<String>,
    /// Scheme and host of the instance metadata service.
    pub instance_metadata: String,
    /// Whether the agent of Azure Arc is installed; services do not always see its environment variables.
    pub arc_agent: bool,
    /// The folder in which the agent proves that a program may ask.
    pub arc_tokens: PathBuf,
}

impl Machine {
    /// The machine this runs on, by the environment of the process.
    pub fn this() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (agent, arc_tokens) = arc_places();
        Self {
            identity_endpoint: variable("IDENTITY_ENDPOINT"),
            identity_header: variable("IDENTITY_HEADER").map(Secret::new),
            imds_endpoint: variable("IMDS_ENDPOINT"),
            instance_metadata: INSTANCE_METADATA.to_owned(),
            arc_agent: agent.exists(),
            arc_tokens,
        }
    }
}

/// The agent's program and the folder of its tokens.
#[cfg(windows)]
fn arc_places() -> (PathBuf, PathBuf) {
    let folder = |name: &str, usual: &str| {
        PathBuf::from(std::env::var_os(name).unwrap_or_else(|| usual.into())).join("AzureConnectedMachineAgent")
    };
    (
        folder("ProgramFiles", r"C:\Program Files").join("himds.exe"),
        folder("ProgramData", r"C:\ProgramData").join("Tokens"),
    )
}

/// The agent's program and the folder of its tokens.
#[cfg(not(windows))]
fn arc_places() -> (PathBuf, PathBuf) {
    (PathBuf::from("/opt/azcmagent/bin/himds"), PathBuf::from("/var/opt/azcmagent/tokens"))
}
