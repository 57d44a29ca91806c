//! `Get-Mailbox`, `Get-MailUser`, `Get-MailContact`, `Get-Recipient`.

use crate::cmdlets::Cmdlet;
use crate::errors::CmdletError;
use crate::node::Node;
use crate::paging::Continuation;
use crate::parameters::{Bound, ResultSize};
use crate::properties::{self, Format, Select};
use crate::recipients::{Found, Recipients};
use crate::state::Recipient;
use crate::switches::{ResultSizeUnlimited, Switches};

/// What the service says when it leaves objects out.
const MORE_RESULTS: &str = "There are more results available than are currently displayed. To view them, increase the \
                            value for the ResultSize parameter.";

/// One page.
pub(crate) struct Page {
    pub(crate) values: Vec<Node>,
    pub(crate) warnings: Vec<&'static str>,
    pub(crate) next: Option<Continuation>,
}

/// How the request wants its page.
pub(crate) struct Wish<'a> {
    pub(crate) select: &'a Select,
    pub(crate) format: Format,
    pub(crate) max_page_size: Option<usize>,
    pub(crate) continuation: Option<Continuation>,
}

/// Reads one recipient by identity, or a page of all that pass.
pub(crate) fn get(
    recipients: &Recipients,
    switches: &Switches,
    cmdlet: Cmdlet,
    bound: &Bound,
    wish: &Wish<'_>,
) -> Result<Page, CmdletError> {
    let render = |recipient: &Recipient| {
        let with_certificates = cmdlet != Cmdlet::GetRecipient;
        properties::render(properties::of_recipient(recipient, with_certificates), wish.select, wish.format)
    };
    let passes = |recipient: &Recipient| {
        cmdlet.recipient_types().contains(&recipient.recipient_type_details)
            && bound.recipient_types.as_ref().is_none_or(|types| types.contains(&recipient.recipient_type_details))
            && bound.filter.as_ref().is_none_or(|filter| filter.matches(recipient))
    };
    let Some(identity) = &bound.identity else {
        return Ok(list(recipients.all(), switches, bound.result_size, wish, passes, render));
    };
    let not_found = || CmdletError::not_found(identity, switches.not_found_status);
    match recipients.find(identity, cmdlet.recipient_types()) {
        Found::None => Err(not_found()),
        Found::Several => Err(CmdletError::ambiguous(identity)),
        Found::One(position) => {
            let recipient = recipients.all().get(position).filter(|r| passes(r)).ok_or_else(not_found)?;
            Ok(Page { values: vec![render(recipient)], warnings: Vec::new(), next: None })
        }
    }
}

fn list(
    all: &[Recipient],
    switches: &Switches,
    result_size: ResultSize,
    wish: &Wish<'_>,
    passes: impl Fn(&Recipient) -> bool,
    render: impl Fn(&Recipient) -> Node,
) -> Page {
    let limit = match (result_size, switches.result_size_unlimited) {
        (ResultSize::Limit(limit), _) => limit,
        (ResultSize::Unlimited, ResultSizeUnlimited::Ignored) => 1000,
        (ResultSize::Unlimited, _) => usize::MAX,
    };
    let one_answer = result_size == ResultSize::Unlimited
        && switches.result_size_unlimited == ResultSizeUnlimited::HonouredWithoutPaging;
    let page_size =
        if one_answer { usize::MAX } else { wish.max_page_size.unwrap_or(usize::MAX).min(switches.page_size) };
    let from = wish.continuation.unwrap_or(Continuation { start: 0, given: 0 });
    let mut values = Vec::new();
    for (position, recipient) in all.iter().enumerate().skip(from.start).filter(|(_, recipient)| passes(recipient)) {
        let given = from.given.saturating_add(values.len());
        if given >= limit {
            return Page { values, warnings: vec![MORE_RESULTS], next: None };
        }
        if values.len() >= page_size {
            return Page { values, warnings: Vec::new(), next: Some(Continuation { start: position, given }) };
        }
        values.push(render(recipient));
    }
    Page { values, warnings: Vec::new(), next: None }
}
