//! Why everybody is read instead of what changed.

use super::Table;

pub(super) const TABLE: Table = &[
    ("container_moved", "a container was moved or renamed"),
    ("denied", "the account may not read changes"),
    ("no_cursor", "the last complete read left no place to go on from"),
    ("off", "directory/changes is none"),
    ("one_of_several", "{directory} alone: {why}"),
    ("other_method", "directory/changes or the bases are others than at the last read"),
    ("other_server", "another server answers, or its database was made anew"),
    ("overdue", "the last complete read is too long ago"),
    ("policy_changed", "policy, trust or tenant changed"),
    ("refused", "the server does not take the cursor of the last read"),
    ("restored", "the server is behind the last read, so it was restored from a copy"),
    ("scope_changed", "the scope changed"),
    ("selection", "who is wanted depends on memberships, whose changes do not show"),
    ("unsupported", "the server has no way to tell of changes"),
];
