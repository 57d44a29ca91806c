//! The verdict on a certificate and the findings it rests on.

use crate::text::Text;

use super::need::Need;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Encrypting to the person.
    Encrypt,
    /// Verifying the person's signatures.
    Sign,
    /// Both.
    Both,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It makes the certificate unfit.
    Block,
    /// It should be mended, or leaves the verdict open.
    Warn,
    /// Worth knowing.
    Info,
}

/// What a certificate is for a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitness {
    /// It can be used.
    Fit,
    /// It cannot be used.
    Unfit,
    /// It cannot be said.
    Undetermined,
}

/// How the certificate's addresses meet the person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressMatch {
    /// The primary address is in it.
    Primary,
    /// Another address of the person is in it.
    Secondary,
    /// It has no address.
    Absent,
    /// It has addresses, none is the person's.
    Other,
}

/// One thing that speaks for or against a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable name; names one rule.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// Which use it is about.
    pub concerns: Use,
    /// Whether it leaves the use undetermined.
    pub leaves_open: bool,
    /// What was seen.
    pub observed: Option<String>,
    /// What would have been right.
    pub expected: Option<String>,
    /// The rule's source, such as `RFC 5280 4.1.2.5`.
    pub rule: &'static str,
    /// Which certificate of the path, 0 is the leaf.
    pub certificate_index: Option<usize>,
}

/// What a certificate is fit for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// RFC 5280 section 6 and revocation alone.
    pub path_valid: bool,
    /// Fitness for encrypting to the person.
    pub encrypt: Fitness,
    /// Fitness for verifying the person's signatures.
    pub sign: Fitness,
    /// How addresses meet; `None` where no addresses were asked for.
    pub address_match: Option<AddressMatch>,
    /// Whether the match is exact; `None` without a match.
    pub address_exact: Option<bool>,
    /// Subjects of the path, leaf first.
    pub path: Vec<String>,
    /// Everything found, blocks first.
    pub findings: Vec<Finding>,
    /// What might let it say more, where something was missing.
    pub needs: Vec<Need>,
}

macro_rules! names {
    ($type:ty { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            /// The name at the ABI.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

names!(Use { Encrypt => "encrypt", Sign => "sign", Both => "both" });
names!(Severity { Block => "block", Warn => "warn", Info => "info" });
names!(Fitness { Fit => "fit", Unfit => "unfit", Undetermined => "undetermined" });
names!(AddressMatch { Primary => "primary", Secondary => "secondary", Absent => "absent", Other => "other" });

impl Finding {
    /// What it says.
    pub fn message(&self) -> Text {
        Text::new("finding", self.code, self.parameters())
    }

    /// What mends it.
    pub fn remedy(&self) -> Text {
        Text::new("remedy", self.code, self.parameters())
    }

    /// Its place among others: the less, the more it weighs.
    pub(super) fn weight(&self) -> u8 {
        match self.severity {
            Severity::Block => 0,
            Severity::Warn if self.leaves_open => 1,
            Severity::Warn => 2,
            Severity::Info => 3,
        }
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let given = [("observed", &self.observed), ("expected", &self.expected)];
        given.into_iter().filter_map(|(name, value)| value.clone().map(|value| (name, value))).collect()
    }
}

impl Verdict {
    /// Adds a finding behind all that weigh as much; fitness stays what it is.
    pub(super) fn add(&mut self, finding: Finding) {
        let place = self.findings.iter().position(|found| found.weight() > finding.weight());
        self.findings.insert(place.unwrap_or(self.findings.len()), finding);
    }

    /// What the certificate is for publishing: fit for at least one use, else undetermined for one, else unfit.
    pub fn fitness(&self) -> Fitness {
        match (self.encrypt, self.sign) {
            (Fitness::Fit, _) | (_, Fitness::Fit) => Fitness::Fit,
            (Fitness::Unfit, Fitness::Unfit) => Fitness::Unfit,
            _ => Fitness::Undetermined,
        }
    }
}
