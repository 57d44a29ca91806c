//! What a service was found out to be able to do.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::people::{Recipient, RecipientClass};

use super::invoke::Format;

/// A form in which certificates can be read where JSON has no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadForm {
    /// PowerShell's XML, for whole pages.
    Clixml,
    /// The typed entity, mailbox by mailbox.
    Entity,
}

impl ReadForm {
    const ALL: [Self; 2] = [Self::Clixml, Self::Entity];

    /// Its name, for keeping.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clixml => "clixml",
            Self::Entity => "entity",
        }
    }

    /// The form of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }
}

/// What the service was found out to be able to do, kept for the session: above all the forms in which certificates can
/// be read where JSON has no bytes.
#[derive(Debug, Default)]
pub(super) struct Abilities {
    /// PowerShell's XML, for whole pages.
    pub(super) clixml: Form,
    /// The typed entity, mailbox by mailbox.
    pub(super) entity: Form,
    /// The form that worked in an earlier session, as long as nothing speaks against it.
    expected: Mutex<Option<ReadForm>>,
    /// Pages of the last list of everybody; 0 before the first.
    pages: AtomicU64,
    /// Finding recipients by what people are known by.
    filters: Form,
    /// Writing to recipients of each class that are mastered on-premises.
    synced: [Form; RecipientClass::ALL.len()],
}

/// What is known of one form.
#[derive(Debug, Default)]
pub(super) struct Form(AtomicU8);

impl Form {
    const UNKNOWN: u8 = 0;
    const WORKS: u8 = 1;
    const USELESS: u8 = 2;

    pub(super) fn is_unknown(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::UNKNOWN
    }

    pub(super) fn works(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::WORKS
    }

    pub(super) fn settle(&self, works: bool) {
        self.0.store(if works { Self::WORKS } else { Self::USELESS }, Ordering::Relaxed);
    }
}

impl Abilities {
    /// How pages are asked for.
    pub(super) fn format(&self) -> Format {
        if self.clixml.works() { Format::Clixml } else { Format::Json }
    }

    /// The form to read recipients of this class in first, because it worked in an earlier session; nothing once this
    /// session knows better.
    pub(super) fn expected(&self, class: RecipientClass) -> Option<ReadForm> {
        let has_form = |form: &ReadForm| *form == ReadForm::Clixml || class == RecipientClass::Mailbox;
        self.kept().filter(|form| self.clixml.is_unknown() && has_form(form))
    }

    fn kept(&self) -> Option<ReadForm> {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes this form for the one that works, until it fails.
    pub(super) fn expect(&self, form: Option<ReadForm>) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = form;
    }

    /// The form that works, as far as is known; nothing where JSON does, where none does, and where both are needed.
    pub(super) fn form(&self) -> Option<ReadForm> {
        match (self.clixml.works(), self.entity.works()) {
            (true, false) => Some(ReadForm::Clixml),
            (false, true) => Some(ReadForm::Entity),
            (true, true) => None,
            (false, false) => self.kept().filter(|form| match form {
                ReadForm::Clixml => self.clixml.is_unknown(),
                ReadForm::Entity => self.entity.is_unknown(),
            }),
        }
    }

    /// Remembers that a write was refused because the recipient is mastered on-premises: the service decides that by cmdlet
    /// and parameters, so the next one like it would be refused as well.
    pub(super) fn refused_synced(&self, recipient: &Recipient) {
        if !recipient.is_mastered_in_cloud() {
            self.synced[recipient.class as usize].settle(false);
        }
    }

    /// Whether a write to this recipient would be refused because it is mastered on-premises.
    pub(super) fn refuses(&self, recipient: &Recipient) -> bool {
        !recipient.is_mastered_in_cloud() && !self.synced[recipient.class as usize].is_unknown()
    }

    /// Whether the service refused filters.
    pub(super) fn filters_are_refused(&self) -> bool {
        !self.filters.is_unknown()
    }

    /// Remembers that the service refuses filters.
    pub(super) fn refuse_filters(&self) {
        self.filters.settle(false);
    }

    /// Remembers how many pages a list of everybody took.
    pub(super) fn listed(&self, pages: u64) {
        self.pages.store(pages, Ordering::Relaxed);
    }

    /// Pages of the last list of everybody, if there was one.
    pub(super) fn pages(&self) -> Option<u64> {
        Some(self.pages.load(Ordering::Relaxed)).filter(|pages| *pages > 0)
    }
}
