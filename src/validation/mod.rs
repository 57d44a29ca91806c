//! What a certificate is fit for. Pure: evidence, audience and time come in, a verdict goes out.

mod verdict;

pub use verdict::{AddressMatch, Finding, Fitness, Severity, Use, Verdict};
