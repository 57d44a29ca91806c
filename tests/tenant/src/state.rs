//! What the tenant holds, as its JSON file says it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::smime_config;
use crate::switches::Switches;

/// Why a state cannot be used, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("state file: {0}")]
    File(#[from] std::io::Error),
    /// The text is not a state in the format of the README.
    #[error("state: {0}")]
    Format(#[from] serde_json::Error),
    /// The values contradict each other or are out of range.
    #[error("state: {0}")]
    Content(String),
}

/// The whole state: the format of the state file, of `GET /control/state` and of `POST /control/state`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The organisation.
    pub tenant: Organization,
    /// Applications that may sign in.
    #[serde(default)]
    pub apps: Vec<App>,
    /// Mailboxes, mail users and mail contacts, in the order listings give them.
    #[serde(default)]
    pub recipients: Vec<Recipient>,
    /// The tenant's S/MIME settings.
    #[serde(default)]
    pub smime_config: SmimeConfig,
    /// The identity that Azure lends to the machine, where it lends one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<ManagedIdentity>,
    /// How the double behaves where the service is uncertain, and what goes wrong.
    #[serde(default)]
    pub switches: Switches,
}

/// The organisation's two names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The tenant's GUID.
    pub id: Uuid,
    /// A verified domain, compared without case.
    pub domain: String,
}

impl Organization {
    /// Whether `name` (GUID or domain, as in a URL) means this organisation.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.domain) || Uuid::try_parse(name).is_ok_and(|id| id == self.id)
    }
}

/// One registered application.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The application's (client) id.
    pub app_id: Uuid,
    /// Its client secret; without one it cannot sign in by secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Whether the secret's time is over: it is refused as such.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret_expired: bool,
    /// Certificates (DER) whose keys may sign assertions for it.
    #[serde(default, with = "base64_list", skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Vec<u8>>,
    /// The token's `roles`; without `Exchange.ManageAsApp` the admin API answers 401.
    #[serde(default = "default_roles")]
    pub roles: Vec<String>,
    /// The token's `wids`: templates of Entra directory roles; a cmdlet none of them allows is answered with 403.
    #[serde(default = "default_directory_roles")]
    pub wids: Vec<Uuid>,
}

/// The managed identity of the machine the double plays.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedIdentity {
    /// Its service principal: one of the applications, whose roles its tokens have.
    pub app_id: Uuid,
    /// What App Service proves programs by; without it there is no App Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_header: Option<String>,
    /// The folder for the keys of Azure Arc's agent; without it there is no agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arc_tokens: Option<PathBuf>,
}

impl fmt::Debug for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedIdentity").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// Permission that lets an application use the admin API.
pub const MANAGE_AS_APP: &str = "Exchange.ManageAsApp";
/// Directory role template "Exchange Administrator": every cmdlet.
pub const EXCHANGE_ADMINISTRATOR: Uuid = Uuid::from_u128(0x29232cdf_9323_42fd_ade2_1d097af3e4de);
/// Directory role template "Exchange Recipient Administrator": every cmdlet except `Set-SmimeConfig`.
pub const EXCHANGE_RECIPIENT_ADMINISTRATOR: Uuid = Uuid::from_u128(0x31392ffb_586c_42d1_9346_e59415a2cc4e);

fn default_roles() -> Vec<String> {
    vec![MANAGE_AS_APP.to_owned()]
}

fn default_directory_roles() -> Vec<Uuid> {
    vec![EXCHANGE_ADMINISTRATOR]
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("app_id", &self.app_id)
            .field("roles", &self.roles)
            .field("wids", &self.wids)
            .finish_non_exhaustive()
    }
}

/// Exchange's `RecipientTypeDetails`, as far as certificates go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Exchange's own")]
pub enum RecipientTypeDetails {
    UserMailbox,
    SharedMailbox,
    RoomMailbox,
    EquipmentMailbox,
    MailUser,
    GuestMailUser,
    MailContact,
}

impl RecipientTypeDetails {
    /// Every type, mailboxes first.
    pub const ALL: [Self; 7] = [
        Self::UserMailbox,
        Self::SharedMailbox,
        Self::RoomMailbox,
        Self::EquipmentMailbox,
        Self::MailUser,
        Self::GuestMailUser,
        Self::MailContact,
    ];

    /// Exchange's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserMailbox => "UserMailbox",
            Self::SharedMailbox => "SharedMailbox",
            Self::RoomMailbox => "RoomMailbox",
            Self::EquipmentMailbox => "EquipmentMailbox",
            Self::MailUser => "MailUser",
            Self::GuestMailUser => "GuestMailUser",
            Self::MailContact => "MailContact",
        }
    }

    /// The type of that name, without case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Exchange's own identifier.
    pub guid: Uuid,
    /// The Entra object behind it.
    #[serde(default)]
    pub external_directory_object_id: Option<Uuid>,
    /// What it is.
    pub recipient_type_details: RecipientTypeDetails,
    /// The name people see; never an identity.
    pub display_name: String,
    /// Sign-in name; contacts have none.
    #[serde(default)]
    pub user_principal_name: Option<String>,
    /// The address mail is sent from.
    pub primary_smtp_address: String,
    /// Proxy addresses with their prefix: `SMTP:` the primary, `smtp:` the others, `SIP:`, `X500:`, …
    #[serde(default)]
    pub email_addresses: Vec<String>,
    /// Synchronised from an on-premises directory.
    #[serde(default)]
    pub is_dir_synced: bool,
    /// Synchronised, yet its Exchange attributes are mastered in the cloud.
    #[serde(default)]
    pub is_exchange_cloud_managed: bool,
    /// The source anchor Entra Connect set, base64.
    #[serde(default)]
    pub immutable_id: Option<String>,
    /// `UserCertificate`: byte strings, normally DER; nothing is checked, as in the service.
    #[serde(default, with = "base64_list")]
    pub user_certificate: Vec<Vec<u8>>,
    /// `UserSMimeCertificate`.
    #[serde(default, with = "base64_list")]
    pub user_smime_certificate: Vec<Vec<u8>>,
}

/// The tenant's S/MIME settings: the SST and every other parameter of `Set-SmimeConfig` that was ever set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SmimeConfig {
    /// The collection of issuing certificates, an SST file.
    #[serde(rename = "SMIMECertificateIssuingCA", default, with = "base64_option")]
    pub smime_certificate_issuing_ca: Option<Vec<u8>>,
    /// The other settings by Exchange's names; one that is absent has the service's default.
    #[serde(flatten)]
    pub settings: BTreeMap<String, Value>,
}

impl State {
    /// Reads a state file.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let state: Self = serde_json::from_slice(&std::fs::read(path)?)?;
        state.check()?;
        Ok(state)
    }

    /// Writes the state file, replacing it in one step.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        replace_file(path, &text)?;
        Ok(())
    }

    /// Refuses what no tenant could hold.
    pub(crate) fn check(&self) -> Result<(), StateError> {
        let mut apps = HashSet::new();
        if let Some(twice) = self.apps.iter().find(|app| !apps.insert(app.app_id)) {
            return Err(StateError::Content(format!("app {} occurs twice", twice.app_id)));
        }
        if let Some(identity) = &self.managed_identity
            && !apps.contains(&identity.app_id)
        {
            return Err(StateError::Content(format!("managed identity: no app {}", identity.app_id)));
        }
        let mut guids = HashSet::with_capacity(self.recipients.len());
        for recipient in &self.recipients {
            if !guids.insert(recipient.guid) {
                return Err(StateError::Content(format!("recipient {} occurs twice", recipient.guid)));
            }
            if let Some(bare) = recipient.email_addresses.iter().find(|address| !address.contains(':')) {
                return Err(StateError::Content(format!(
                    "recipient {}: proxy address `{bare}` has no prefix",
                    recipient.guid
                )));
            }
        }
        smime_config::check_settings(&self.smime_config.settings).map_err(StateError::Content)?;
        self.switches.check().map_err(StateError::Content)
    }
}

/// Writes `content` to `path` so that a reader sees the old file or the new one, never a part.
pub fn replace_file(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}

mod base64_list {
    use super::{Deserialize, Deserializer, Engine, STANDARD, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| STANDARD.encode(value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| STANDARD.decode(text).map_err(serde::de::Error::custom))
            .collect()
    }
}

mod base64_option {
    use super::{Deserialize, Deserializer, Engine, STANDARD, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| STANDARD.decode(text).map_err(serde::de::Error::custom))
            .transpose()
    }
}
