//! Verdicts of `smimesync::validation`: on chains made here, and on the vectors of PKITS.

mod odd;
mod paths;
mod people;
mod pki;
mod pkits;
mod revocation;
