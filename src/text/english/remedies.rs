//! What mends a finding or a reason, by its code.

use super::Table;

pub(super) const TABLE: Table = &[];
