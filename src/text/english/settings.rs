//! What each setting means.

use super::Table;

pub(super) const TABLE: Table = &[
    ("keep_days", "how long runs, their changes and the certificates they removed are kept"),
    ("max_clock_skew_ms", "a run stops when this computer's clock and the server's differ by more"),
    ("max_newly_unfit_percent", "a run stops when a larger part of all people has no fit certificate any more"),
    ("max_people_losing_last", "a run stops when more people would lose their last certificate"),
    (
        "max_people_losing_last_percent",
        "a run stops when a larger part of all people would lose their last certificate",
    ),
    ("max_removals", "a run stops when more recipients would lose a certificate"),
    (
        "max_removals_percent",
        "a run stops when recipients in a larger proportion to all people would lose a certificate",
    ),
    ("max_shrink_percent", "a run stops when a larger part of the people of the last complete read is missing"),
    ("staging", "whether runs only plan and write nothing"),
    ("window_hours", "removals of all runs within this time are added up"),
];
