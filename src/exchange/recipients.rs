//! Reading recipients: all of them page by page, or one.

use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use url::Url;

use crate::error::{Category, Code, Error, Result};
use crate::people::{Recipient, RecipientClass};

use super::abilities::{Abilities, ReadForm};
use super::command::{Command, Parameter};
use super::entry::{Entry, SELECT, SELECT_ENTITY};
use super::failure;
use super::invoke::{AdminApi, Answer, Call, Format};
use super::terms::Terms;

/// Pages of one list, at most: ten million recipients, and an end for a list that goes in a circle.
const MAX_PAGES: u32 = 10_000;
/// The warning of a list that was cut short although everything was asked for.
const MORE_RESULTS: &str = "more results available";

/// How a list ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListReport {
    /// Recipients handed over.
    pub recipients: u64,
    /// Pages read.
    pub pages: u64,
    /// Whether the limit ended the list before its end.
    pub limit_reached: bool,
}

/// Which recipients to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection<'a> {
    /// `RecipientTypeDetails`; all if absent.
    pub types: Option<&'a [String]>,
    /// OPATH filter, passed on as `-Filter`.
    pub filter: Option<&'a str>,
    /// How many, at most.
    pub limit: Option<u64>,
}

impl Selection<'_> {
    fn is_everybody(&self) -> bool {
        self.types.is_none() && self.filter.is_none() && self.limit.is_none()
    }
}

/// Reads recipients of one tenant.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) api: &'a AdminApi,
    pub(super) abilities: &'a Abilities,
    pub(super) terms: &'a Terms,
}

impl Reader<'_> {
    /// Hands over recipients page by page.
    ///
    /// # Errors
    /// `exchange_incomplete` where a list cannot be read to its end, after what was handed over; `cancelled` where
    /// nobody takes the pages any more.
    pub(super) async fn list(
        &self,
        selection: Selection<'_>,
        sink: &mpsc::Sender<Vec<Recipient>>,
    ) -> Result<ListReport> {
        let mut report = ListReport::default();
        for (class, types) in classes(selection.types)? {
            let left = selection.limit.map(|limit| limit - report.recipients);
            let listed = self.list_class(class, types, selection.filter, left, sink, &mut report).await;
            listed.map_err(|error| self.about(error))?;
            if report.limit_reached {
                break;
            }
        }
        if selection.is_everybody() {
            self.abilities.listed(report.pages);
        }
        Ok(report)
    }

    /// A list that is not whole is about the service it came from.
    fn about(&self, error: Error) -> Error {
        if error.code() == Code::ExchangeIncomplete { error.target(self.api.origin()) } else { error }
    }

    async fn list_class(
        &self,
        class: RecipientClass,
        types: Vec<String>,
        filter: Option<&str>,
        left: Option<u64>,
        sink: &mpsc::Sender<Vec<Recipient>>,
        report: &mut ListReport,
    ) -> Result<()> {
        // one more than wanted tells whether there is more
        let size = left.map_or(Parameter::Text("Unlimited"), |left| Parameter::Number(left.saturating_add(1)));
        let mut parameters = vec![("ResultSize", size)];
        if let Some(filter) = filter {
            parameters.push(("Filter", Parameter::Text(filter)));
        }
        if !types.is_empty() {
            parameters.push(("RecipientTypeDetails", Parameter::Texts(&types)));
        }
        let command = Command { name: format!("Get-{}", class.noun()), parameters };
        let mut next: Option<Url> = None;
        let mut handed_over = 0;
        for page in 1..=MAX_PAGES {
            let answer = self.page(class, &command, next.as_ref()).await;
            let answer = if page == 1 { answer? } else { answer.map_err(|error| cut_short(&error))? };
            report.pages += 1;
            if page > 1 && answer.values.is_empty() {
                return Err(incomplete("a page without recipients"));
            }
            let mut recipients = Vec::with_capacity(answer.values.len());
            for entry in answer.values {
                recipients.push(entry.recipient(class)?);
            }
            // a service that ignores the parameter must not widen the list
            recipients.retain(|recipient| types.is_empty() || names(&types, &recipient.recipient_type_details));
            if let Some(left) = left {
                let room = usize::try_from(left - handed_over).unwrap_or(usize::MAX);
                report.limit_reached = recipients.len() > room;
                recipients.truncate(room);
            }
            let count = u64::try_from(recipients.len()).unwrap_or(u64::MAX);
            handed_over += count;
            report.recipients += count;
            if !recipients.is_empty() {
                sink.send(recipients).await.map_err(|_| Error::new(Code::Cancelled))?;
            }
            if report.limit_reached {
                return Ok(());
            }
            let Some(link) = answer.next else {
                let cut = left.is_none() && answer.warnings.iter().any(|warning| warning.contains(MORE_RESULTS));
                return if cut { Err(incomplete("the service has more than it gave")) } else { Ok(()) };
            };
            if next.as_ref() == Some(&link) {
                return Err(incomplete("the list goes in a circle"));
            }
            next = Some(link);
        }
        Err(incomplete("too many pages"))
    }

    /// One recipient by Guid, external id, user principal name or address, of whichever class has it.
    ///
    /// # Errors
    /// `exchange_not_found`, `exchange_ambiguous`; `option_value` for an identity that stands for many.
    pub(super) async fn get(&self, identity: &str) -> Result<Recipient> {
        let mut missing = failure::not_found().target(identity);
        for class in RecipientClass::ALL {
            match self.get_in_class(class, identity).await {
                Err(error) if error.code() == Code::ExchangeNotFound => missing = error,
                found => return found,
            }
        }
        Err(missing)
    }

    /// One recipient of a class.
    ///
    /// # Errors
    /// As [`Reader::get`].
    pub(super) async fn get_in_class(&self, class: RecipientClass, identity: &str) -> Result<Recipient> {
        let identity = single(identity)?;
        let parameters = vec![("Identity", Parameter::Text(identity))];
        let command = Command { name: format!("Get-{}", class.noun()), parameters };
        let mut answer = self.page(class, &command, None).await?;
        let found = match (answer.values.pop(), answer.values.is_empty(), answer.next) {
            (None, _, _) => Err(failure::not_found()),
            (Some(entry), true, None) => entry.recipient(class),
            (Some(_), _, _) => Err(failure::ambiguous()),
        };
        let ids = |error: Error| error.request_id(&answer.request_id).connection_id(self.api.connection_id());
        let recipient = found.map_err(|error| ids(error.target(identity)))?;
        match uuid::Uuid::try_parse(identity) {
            Ok(asked) if !stands_for(&recipient, asked) => Err(Error::new(Code::ExchangeProtocol)
                .with("detail", "another recipient than the one asked for")
                .target(identity)
                .request_id(answer.request_id)),
            _ => Ok(recipient),
        }
    }

    /// One page. Where JSON does not have the bytes, it is read again as CLIXML, once; what works better is kept. Where
    /// neither has them, mailboxes are read as typed entities.
    async fn page(&self, class: RecipientClass, command: &Command<'_>, next: Option<&Url>) -> Result<Answer<Entry>> {
        if let Some(form) = self.abilities.expected(class) {
            if let Some(answer) = self.page_as_expected(command, next, form).await? {
                return Ok(answer);
            }
            tracing::info!(form = form.name(), "certificates are no longer readable as they were");
            self.abilities.expect(None);
        }
        let mut answer = self.page_as(command, next, self.abilities.format()).await?;
        let readable = |answer: &Answer<Entry>| answer.values.iter().filter(|entry| entry.is_readable()).count();
        if readable(&answer) == answer.values.len() {
            return Ok(answer);
        }
        if self.abilities.clixml.is_unknown() {
            let again = match self.page_as(command, next, Format::Clixml).await {
                // a service that does not know the format says so; of a later page it may as well mean the link
                Err(error) if next.is_none() && is_about_the_form(&error) => None,
                again => Some(again?),
            };
            let better = again.filter(|again| readable(again) > readable(&answer));
            tracing::info!(better = better.is_some(), "certificates are not readable in JSON, CLIXML was tried");
            self.abilities.clixml.settle(better.is_some());
            answer = better.unwrap_or(answer);
        }
        if class == RecipientClass::Mailbox {
            self.read_entities(&mut answer.values).await?;
        }
        Ok(answer)
    }

    /// One page in the form that worked in an earlier session; nothing where that does not have all bytes.
    async fn page_as_expected(
        &self,
        command: &Command<'_>,
        next: Option<&Url>,
        form: ReadForm,
    ) -> Result<Option<Answer<Entry>>> {
        let format = match form {
            ReadForm::Clixml => Format::Clixml,
            ReadForm::Entity => Format::Json,
        };
        let mut answer = match self.page_as(command, next, format).await {
            // as where the form is tried for the first time
            Err(error) if format == Format::Clixml && next.is_none() && is_about_the_form(&error) => return Ok(None),
            answer => answer?,
        };
        let is_whole = |answer: &Answer<Entry>| answer.values.iter().all(Entry::is_readable);
        if form == ReadForm::Entity && !is_whole(&answer) {
            self.read_entities(&mut answer.values).await?;
            if self.abilities.entity.works() {
                // as when the form was found: CLIXML was of no use
                self.abilities.clixml.settle(false);
                return Ok(Some(answer));
            }
        }
        Ok(Some(answer).filter(is_whole))
    }

    /// Takes the certificates of entries that have none to be read from the typed entity, as far as that works.
    async fn read_entities(&self, entries: &mut [Entry]) -> Result<()> {
        let mut unread: Vec<&mut Entry> = entries.iter_mut().filter(|entry| !entry.is_readable()).collect();
        if self.abilities.entity.is_unknown()
            && let Some(first) = unread.pop()
        {
            let read = match self.entity(first).await {
                // a service that has no entities says so, or has never heard of the mailbox
                Err(error) if is_about_the_form(&error) || error.code() == Code::ExchangeNotFound => None,
                read => Some(read?),
            };
            let works = read.as_ref().is_some_and(Entry::is_readable);
            tracing::info!(works, "certificates are not readable by any command, the typed entity was tried");
            self.abilities.entity.settle(works);
            if let Some(read) = read.filter(|_| works) {
                first.take_certificates(read);
            }
        }
        if self.abilities.entity.works() {
            let reading = unread.into_iter().map(|entry| async {
                let read = self.entity(entry).await?;
                entry.take_certificates(read);
                Ok::<(), Error>(())
            });
            try_join_all(reading).await?;
        }
        Ok(())
    }

    async fn entity(&self, entry: &Entry) -> Result<Entry> {
        let guid = entry.guid()?;
        let parameters = vec![("Identity", Parameter::Text(&guid))];
        let command = Command { name: format!("Get-{}", RecipientClass::Mailbox.noun()), parameters };
        let call = Call {
            command: &command,
            select: Some(SELECT_ENTITY),
            format: Format::Entity,
            next: None,
            terms: self.terms,
        };
        let mut answer: Answer<Entry> = self.api.invoke(call).await?;
        let read = answer.values.pop().filter(|read| read.guid().is_ok_and(|own| own == guid));
        read.ok_or_else(|| Error::new(Code::ExchangeProtocol).with("detail", "another mailbox than the one asked for"))
    }

    async fn page_as(&self, command: &Command<'_>, next: Option<&Url>, format: Format) -> Result<Answer<Entry>> {
        let mut answer: Answer<Entry> =
            self.api.invoke(Call { command, select: Some(SELECT), format, next, terms: self.terms }).await?;
        answer.values = answer.values.into_iter().map(Entry::opened).collect::<Result<_>>()?;
        Ok(answer)
    }
}

/// Whether a refusal may mean that the service does not know the form that was asked for.
pub(super) fn is_about_the_form(error: &Error) -> bool {
    matches!(error.code(), Code::ExchangeRefused | Code::ExchangeProtocol) && !error.is_passing()
}

/// Exchange takes no identity for all identities, and a star for many.
fn single(identity: &str) -> Result<&str> {
    let identity = identity.trim();
    if identity.is_empty() || identity.contains('*') {
        return Err(Error::new(Code::OptionValue).with("detail", "expected the identity of one recipient"));
    }
    Ok(identity)
}

fn stands_for(recipient: &Recipient, asked: uuid::Uuid) -> bool {
    let external = recipient.external_directory_object_id.as_deref();
    [Some(recipient.identity.as_str()), external]
        .into_iter()
        .flatten()
        .any(|id| uuid::Uuid::try_parse(id).is_ok_and(|id| id == asked))
}

/// The classes that have recipients of these types, each with its types; no types are all.
fn classes(types: Option<&[String]>) -> Result<Vec<(RecipientClass, Vec<String>)>> {
    let Some(types) = types else { return Ok(RecipientClass::ALL.map(|class| (class, Vec::new())).into()) };
    let mut found: Vec<(RecipientClass, Vec<String>)> = Vec::new();
    for (index, name) in types.iter().enumerate() {
        let class = match name.to_ascii_lowercase().as_str() {
            "mailuser" | "guestmailuser" => RecipientClass::MailUser,
            "mailcontact" => RecipientClass::MailContact,
            name if name.ends_with("mailbox") => RecipientClass::Mailbox,
            _ => {
                return Err(Error::new(Code::OptionValue)
                    .target(format!("/types/{index}"))
                    .with("detail", "expected a RecipientTypeDetails of mailboxes, mail users or mail contacts"));
            }
        };
        match found.iter_mut().find(|(known, _)| *known == class) {
            Some((_, names)) => names.push(name.clone()),
            None => found.push((class, vec![name.clone()])),
        }
    }
    Ok(found)
}

fn names(types: &[String], name: &str) -> bool {
    types.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
}

fn incomplete(detail: &str) -> Error {
    Error::new(Code::ExchangeIncomplete).with("detail", detail)
}

/// A page after the first that cannot be had: what was read is no whole list. Who may not read on is told that first.
fn cut_short(cause: &Error) -> Error {
    if matches!(cause.category(), Category::Cancelled | Category::Auth | Category::Denied) {
        return cause.clone();
    }
    let mut error = incomplete(&cause.to_string());
    if let Some(id) = cause.get_request_id() {
        error = error.request_id(id);
    }
    if let Some(wait) = cause.get_retry_after_ms() {
        error = error.retry_after_ms(wait);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_choose_the_cmdlets() {
        let types = ["RoomMailbox", "GuestMailUser", "usermailbox"].map(str::to_owned);
        let found = classes(Some(&types)).unwrap();
        assert_eq!(
            found,
            [
                (RecipientClass::Mailbox, vec!["RoomMailbox".to_owned(), "usermailbox".to_owned()]),
                (RecipientClass::MailUser, vec!["GuestMailUser".to_owned()]),
            ]
        );
        assert_eq!(classes(None).unwrap().len(), 3);
        let error = classes(Some(&["MailUser".to_owned(), "DynamicDistributionGroup".to_owned()])).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::OptionValue, Some("/types/1")));
    }

    #[test]
    fn an_identity_stands_for_one() {
        for identity in ["", "  ", "*", "a*@x.test"] {
            assert_eq!(single(identity).unwrap_err().code(), Code::OptionValue, "{identity}");
        }
        assert_eq!(single(" a@x.test ").unwrap(), "a@x.test");
    }
}
