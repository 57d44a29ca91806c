//! `GET …/Mailbox('id')`: one mailbox as a typed entity, whose certificates are `Exchange.ByteArrayType`.

use std::borrow::Cow;

use crate::cmdlets::Cmdlet;
use crate::errors::CmdletError;
use crate::http::Call;
use crate::node::Node;
use crate::properties::{self, Format, Select};
use crate::recipients::{Found, Recipients};
use crate::switches::{ReadBack, Switches};

/// The identity in the last part of the path, where it is one; a doubled quote stands for itself.
pub(crate) fn identity(action: &str) -> Option<String> {
    let quoted = action.strip_prefix("Mailbox('")?.strip_suffix("')")?;
    let identity = quoted.replace("''", "'");
    (!identity.is_empty()).then_some(identity)
}

/// The entity, with its context.
pub(crate) fn read(
    recipients: &Recipients,
    switches: &Switches,
    call: &Call,
    identity: &str,
) -> Result<Node, CmdletError> {
    let not_found = || CmdletError::not_found(identity, switches.not_found_status);
    let position = match recipients.find(identity, Cmdlet::GetMailbox.recipient_types()) {
        Found::None => return Err(not_found()),
        Found::Several => return Err(CmdletError::ambiguous(identity)),
        Found::One(position) => position,
    };
    let recipient = recipients.get(position).ok_or_else(not_found)?;
    let select = call.query_option("$select").map(Select::parse).unwrap_or_default();
    let properties = properties::of_recipient(&recipient, true);
    let entity = properties::render(properties, &select, Format::Json(ReadBack::Data));
    let organization = call.segments.get(2).map(String::as_str).unwrap_or_default();
    let context = format!("https://outlook.office365.com/adminapi/beta/{organization}/$metadata#Mailbox/$entity");
    let mut members = vec![(Cow::Borrowed("@odata.context"), Node::text(context))];
    if let Node::Object(own) = entity {
        members.extend(own);
    }
    Ok(Node::Object(members))
}
