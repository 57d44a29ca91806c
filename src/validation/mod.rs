//! What a certificate is fit for. Pure: evidence, audience and time come in, a verdict goes out.
//!
//! `judge` puts it together: `container` looks at what holds the certificate, `address` and `leaf` at the certificate
//! itself, `path` builds paths and has each judged by `issuers`, `names`, `policies` and `revocation`, which say what they
//! miss to `needs`; `tenant` asks what Exchange Online would say; every rule is in `catalogue`. `person` looks at all the
//! values of one person together, with `pick`.

mod address;
mod catalogue;
mod container;
mod demands;
mod dsa_signature;
mod evidence;
mod issuers;
mod judge;
pub mod keys;
mod leaf;
pub mod lints;
mod names;
mod need;
mod needs;
mod path;
mod person;
mod pick;
mod policies;
mod reason;
mod revocation;
mod rsa_signature;
mod rules;
mod signature;
mod structure;
mod tenant;
mod verdict;
mod workers;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use demands::Demands;
pub use evidence::{Anchor, Evidence};
pub use judge::{authorities, judge, judge_demanding, judge_value, judge_value_demanding};
pub use need::Need;
pub use person::{Held, judge_together};
pub use pick::{Candidate, CandidateCertificate, outlook_pick, owa_pick};
pub use reason::{NOT_IN_TENANT, reason};
pub use rules::{Audience, RevocationCheck, Rules};
pub use tenant::Tenant;
pub use verdict::{AddressMatch, Finding, Fitness, Severity, Use, Verdict};
pub use workers::{Interrupted, Pace};

/// A time as findings show it: RFC 3339, UTC.
fn moment(at_ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| at_ms.to_string())
}
