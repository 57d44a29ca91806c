//! `Set-Mailbox`, `Set-MailUser`, `Set-MailContact`: full replacement of the certificates that are named.

use crate::cmdlets::Cmdlet;
use crate::errors::CmdletError;
use crate::parameters::Bound;
use crate::recipients::{Found, Recipients};
use crate::switches::Switches;

/// What a `Set-*` came to.
pub(crate) enum Done {
    /// The values are written.
    Written,
    /// `Confirm: true`: this would be done.
    Asked(String),
}

/// Replaces what `bound` names; everything or nothing.
pub(crate) fn set(
    recipients: &mut Recipients,
    switches: &Switches,
    cmdlet: Cmdlet,
    bound: Bound,
) -> Result<Done, CmdletError> {
    let identity = bound.identity.as_deref().ok_or_else(CmdletError::identity_missing)?;
    let not_found = || CmdletError::not_found(identity, switches.not_found_status);
    let position = match recipients.find(identity, cmdlet.recipient_types()) {
        Found::None => return Err(not_found()),
        Found::Several => return Err(CmdletError::ambiguous(identity)),
        Found::One(position) => position,
    };
    let recipient = recipients.get(position).ok_or_else(not_found)?;
    let named: Vec<&str> = [
        bound.user_certificate.as_ref().map(|_| "UserCertificate"),
        bound.user_smime_certificate.as_ref().map(|_| "UserSMimeCertificate"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mastered_elsewhere = recipient.is_dir_synced && !recipient.is_exchange_cloud_managed;
    if switches.dir_sync_refusal && mastered_elsewhere && !named.is_empty() {
        return Err(CmdletError::dir_synced(cmdlet.name(), &named.join(","), &recipient.display_name));
    }
    if bound.confirm {
        return Ok(Done::Asked(format!(
            "Performing the operation \"{}\" on target \"{}\".",
            cmdlet.name(),
            recipient.display_name
        )));
    }
    recipients.set_certificates(position, bound.user_certificate, bound.user_smime_certificate);
    Ok(Done::Written)
}
