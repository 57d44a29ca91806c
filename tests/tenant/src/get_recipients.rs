//! `Get-Mailbox`, `Get-MailUser`, `Get-MailContact`, `Get-Recipient`.

use crate::cmdlets::Cmdlet;
use crate::errors::CmdletError;
use crate::node::Node;
use crate::paging::Continuation;
use crate::parameters::{Bound, ResultSize};
use crate::properties::{self, Format, Select};
use crate::recipients::{Found, Recipients};
use crate::state::{Recipient, RecipientTypeDetails};
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
    /// The back end that answers.
    pub(crate) back_end: u64,
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
    let passes = |kind: RecipientTypeDetails| {
        cmdlet.recipient_types().contains(&kind)
            && bound.recipient_types.as_ref().is_none_or(|types| types.contains(&kind))
    };
    // the type alone tells of most that they do not pass
    let passing = |position: usize| {
        recipients.kind(position).filter(|kind| passes(*kind))?;
        let recipient = recipients.get(position)?;
        bound.filter.as_ref().is_none_or(|filter| filter.matches(&recipient)).then_some(recipient)
    };
    let Some(identity) = &bound.identity else {
        return Ok(list(recipients.count(), switches, bound.result_size, wish, passing, render));
    };
    let not_found = || CmdletError::not_found(identity, switches.not_found_status);
    match recipients.find(identity, cmdlet.recipient_types()) {
        Found::None => Err(not_found()),
        Found::Several => Err(CmdletError::ambiguous(identity)),
        Found::One(position) => {
            let recipient = passing(position).ok_or_else(not_found)?;
            Ok(Page { values: vec![render(&recipient)], warnings: Vec::new(), next: None })
        }
    }
}

fn list(
    count: usize,
    switches: &Switches,
    result_size: ResultSize,
    wish: &Wish<'_>,
    passing: impl Fn(usize) -> Option<Recipient>,
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
    let back_end = wish.back_end;
    let from = wish.continuation.unwrap_or(Continuation { back_end, start: 0, given: 0 });
    let mut values = Vec::new();
    for (position, recipient) in (from.start..count).filter_map(|position| Some((position, passing(position)?))) {
        let given = from.given.saturating_add(values.len());
        if given >= limit {
            return Page { values, warnings: vec![MORE_RESULTS], next: None };
        }
        if values.len() >= page_size {
            return Page {
                values,
                warnings: Vec::new(),
                next: Some(Continuation { back_end, start: position, given }),
            };
        }
        values.push(render(&recipient));
    }
    Page { values, warnings: Vec::new(), next: None }
}
