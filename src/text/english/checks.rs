//! Steps of the verb `check`: what went wrong and what mends it.

use super::Table;

pub(super) const TABLE: Table = &[];
