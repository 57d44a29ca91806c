//! Verdicts of `smimesync::validation`: on chains made here, and on the vectors of PKITS.

mod pkits;
