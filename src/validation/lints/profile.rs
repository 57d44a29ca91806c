//! The profiles of the S/MIME Baseline Requirements (1.3, 7.1.6.1): generation and type of a certificate.

use std::fmt;
use std::str::FromStr;

/// How strict a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generation {
    /// What was in use before the requirements; ended 2025-07-15.
    Legacy,
    /// For more than mail.
    Multipurpose,
    /// For mail alone.
    Strict,
}

/// Whom a profile identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// A mailbox and nobody in particular.
    Mailbox,
    /// A legal entity.
    Organization,
    /// A person whom an organization vouches for.
    Sponsor,
    /// A person.
    Individual,
}

/// A profile: which rules bind a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Whom it identifies.
    pub subject: Type,
    /// How strict it is.
    pub generation: Generation,
}

/// By which profile a certificate is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// By the one whose reserved policy it asserts, as of a public authority. A mail certificate that asserts none is of
    /// a private authority, and is judged by the most lenient profile of its time that its subject fits.
    #[default]
    Auto,
    /// By this one, as of a public authority.
    Named(Profile),
}

const GENERATIONS: [(Generation, &str); 3] =
    [(Generation::Legacy, "legacy"), (Generation::Multipurpose, "multipurpose"), (Generation::Strict, "strict")];

const TYPES: [(Type, &str); 4] = [
    (Type::Mailbox, "mailbox"),
    (Type::Organization, "organization"),
    (Type::Sponsor, "sponsor"),
    (Type::Individual, "individual"),
];

impl Profile {
    /// Every profile, in the order of their reserved policies.
    pub fn all() -> impl Iterator<Item = Self> {
        TYPES
            .into_iter()
            .flat_map(|(subject, _)| GENERATIONS.into_iter().map(move |(generation, _)| Self { subject, generation }))
    }

    /// The number of its reserved policy (SBR 7.1.6.1), such as `2.23.140.1.5.1.3`.
    pub fn policy(self) -> String {
        let position = |found: Option<usize>| found.map_or(0, |index| index + 1);
        let subject = position(TYPES.iter().position(|(known, _)| *known == self.subject));
        let generation = position(GENERATIONS.iter().position(|(known, _)| *known == self.generation));
        format!("2.23.140.1.5.{subject}.{generation}")
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = TYPES.iter().find(|(known, _)| *known == self.subject).map_or("", |(_, name)| name);
        let generation = GENERATIONS.iter().find(|(known, _)| *known == self.generation).map_or("", |(_, name)| name);
        write!(formatter, "{subject}_{generation}")
    }
}

impl FromStr for Choice {
    type Err = ();

    /// `auto` or a profile's name, such as `mailbox_strict`.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        Profile::all().find(|profile| profile.to_string() == text).map(Self::Named).ok_or(())
    }
}

/// A set of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profiles(u16);

impl Profiles {
    pub(super) const ALL: Self = Self(0xfff);
    pub(super) const LEGACY: Self = Self(0x00f);
    pub(super) const MULTIPURPOSE: Self = Self(0x0f0);
    pub(super) const STRICT: Self = Self(0xf00);
    pub(super) const MAILBOX: Self = Self(0x111);
    pub(super) const ORGANIZATION: Self = Self(0x222);
    pub(super) const SPONSOR: Self = Self(0x444);
    pub(super) const INDIVIDUAL: Self = Self(0x888);

    /// Those in one or the other.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those in both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a profile is among them.
    pub(super) fn contain(self, profile: Profile) -> bool {
        let generation = match profile.generation {
            Generation::Legacy => Self::LEGACY,
            Generation::Multipurpose => Self::MULTIPURPOSE,
            Generation::Strict => Self::STRICT,
        };
        let subject = match profile.subject {
            Type::Mailbox => Self::MAILBOX,
            Type::Organization => Self::ORGANIZATION,
            Type::Sponsor => Self::SPONSOR,
            Type::Individual => Self::INDIVIDUAL,
        };
        self.and(generation).and(subject).0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_policies_are_those_of_the_requirements() {
        let all: Vec<(String, String)> =
            Profile::all().map(|profile| (profile.to_string(), profile.policy())).collect();
        assert_eq!(all.len(), 12);
        assert_eq!(all[2], ("mailbox_strict".to_owned(), "2.23.140.1.5.1.3".to_owned()));
        assert_eq!(all[7], ("sponsor_multipurpose".to_owned(), "2.23.140.1.5.3.2".to_owned()));
    }

    #[test]
    fn a_choice_is_read_by_name() {
        for profile in Profile::all() {
            assert_eq!(profile.to_string().parse(), Ok(Choice::Named(profile)));
        }
        assert_eq!("auto".parse(), Ok(Choice::Auto));
        assert_eq!("mailbox".parse::<Choice>(), Err(()));
    }

    #[test]
    fn each_profile_is_in_one_generation_and_one_type() {
        for profile in Profile::all() {
            let generations = [Profiles::LEGACY, Profiles::MULTIPURPOSE, Profiles::STRICT];
            let types = [Profiles::MAILBOX, Profiles::ORGANIZATION, Profiles::SPONSOR, Profiles::INDIVIDUAL];
            assert_eq!(generations.iter().filter(|set| set.contain(profile)).count(), 1);
            assert_eq!(types.iter().filter(|set| set.contain(profile)).count(), 1);
            assert!(Profiles::ALL.contain(profile));
        }
    }
}
