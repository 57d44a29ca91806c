//! What a finding says, by its code.

use super::Table;

pub(super) const TABLE: Table = &[];
