//! What each setting means.

use super::Table;

pub(super) const TABLE: Table = &[];
