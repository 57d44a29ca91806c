//! What each column means.

use super::Table;

pub(super) const TABLE: Table = &[];
