//! What could not be understood of a person, by the problem's code.

use super::Table;

pub(super) const TABLE: Table = &[
    ("address_unreadable", "a value of {attribute} is no e-mail address"),
    ("certificates_unread", "the account may not be able to read {attribute}, so what is absent is not taken for gone"),
    ("duplicate_entry", "another entry read before has the same identity"),
    ("text_unreadable", "a value of {attribute} is not UTF-8"),
    ("value_empty", "a value of {attribute} is empty"),
    ("value_too_large", "a value of {attribute} is longer than 32768 bytes"),
    ("values_missing", "the directory kept values of {attribute} back"),
];
