//! The cmdlets the double knows: which recipients each sees and which parameters each takes.

use crate::smime_config;
use crate::state::RecipientTypeDetails::{
    self, EquipmentMailbox, GuestMailUser, MailContact, MailUser, RoomMailbox, SharedMailbox, UserMailbox,
};

/// A cmdlet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cmdlet {
    GetMailbox,
    GetMailUser,
    GetMailContact,
    GetRecipient,
    SetMailbox,
    SetMailUser,
    SetMailContact,
    GetSmimeConfig,
    SetSmimeConfig,
}

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterType {
    Identity,
    ResultSize,
    Filter,
    RecipientTypeDetails,
    Certificates,
    Confirm,
    ActionPreference,
    /// A setting of `Set-SmimeConfig`.
    Setting(SettingType),
    /// `byte[]` of `Set-SmimeConfig`.
    IssuingCertificates,
}

/// The types of `Set-SmimeConfig`'s simple settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingType {
    Boolean,
    Unsigned,
    Text,
}

const MAILBOXES: &[RecipientTypeDetails] = &[UserMailbox, SharedMailbox, RoomMailbox, EquipmentMailbox];
const MAIL_USERS: &[RecipientTypeDetails] = &[MailUser, GuestMailUser];
const MAIL_CONTACTS: &[RecipientTypeDetails] = &[MailContact];

impl Cmdlet {
    const ALL: [Self; 9] = [
        Self::GetMailbox,
        Self::GetMailUser,
        Self::GetMailContact,
        Self::GetRecipient,
        Self::SetMailbox,
        Self::SetMailUser,
        Self::SetMailContact,
        Self::GetSmimeConfig,
        Self::SetSmimeConfig,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GetMailbox => "Get-Mailbox",
            Self::GetMailUser => "Get-MailUser",
            Self::GetMailContact => "Get-MailContact",
            Self::GetRecipient => "Get-Recipient",
            Self::SetMailbox => "Set-Mailbox",
            Self::SetMailUser => "Set-MailUser",
            Self::SetMailContact => "Set-MailContact",
            Self::GetSmimeConfig => "Get-SmimeConfig",
            Self::SetSmimeConfig => "Set-SmimeConfig",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cmdlet| cmdlet.name() == name)
    }

    /// The recipients this cmdlet sees.
    pub(crate) fn recipient_types(self) -> &'static [RecipientTypeDetails] {
        match self {
            Self::GetMailbox | Self::SetMailbox => MAILBOXES,
            Self::GetMailUser | Self::SetMailUser => MAIL_USERS,
            Self::GetMailContact | Self::SetMailContact => MAIL_CONTACTS,
            Self::GetRecipient => &RecipientTypeDetails::ALL,
            Self::GetSmimeConfig | Self::SetSmimeConfig => &[],
        }
    }

    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::SetMailbox | Self::SetMailUser | Self::SetMailContact | Self::SetSmimeConfig)
    }

    /// The type of the parameter of that name, if the cmdlet has it.
    pub(crate) fn parameter(self, name: &str) -> Option<ParameterType> {
        match name {
            "Identity" => return Some(ParameterType::Identity),
            "ErrorAction" | "WarningAction" => return Some(ParameterType::ActionPreference),
            "Confirm" if self.writes() => return Some(ParameterType::Confirm),
            _ => {}
        }
        match self {
            Self::GetMailbox | Self::GetMailUser | Self::GetMailContact | Self::GetRecipient => match name {
                "ResultSize" => Some(ParameterType::ResultSize),
                "Filter" => Some(ParameterType::Filter),
                "RecipientTypeDetails" => Some(ParameterType::RecipientTypeDetails),
                _ => None,
            },
            Self::SetMailbox | Self::SetMailUser | Self::SetMailContact => match name {
                "UserCertificate" | "UserSMimeCertificate" => Some(ParameterType::Certificates),
                _ => None,
            },
            Self::SetSmimeConfig if name == "SMIMECertificateIssuingCA" => Some(ParameterType::IssuingCertificates),
            Self::SetSmimeConfig => smime_config::setting_type(name).map(ParameterType::Setting),
            Self::GetSmimeConfig => None,
        }
    }
}
