//! Verdicts of `smimesync::validation`: on chains made here, and on the vectors of PKITS.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says best where it fails")]

mod answer;
mod checklist;
mod containers;
mod hostile;
mod lists;
mod names;
mod needs;
mod ocsp;
mod odd;
mod openssl;
mod paths;
mod people;
mod pki;
mod pkits;
mod pkits_cases;
mod policies;
mod raw;
mod revocation;
mod second_opinion;
mod verb;
