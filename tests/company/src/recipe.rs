//! The kinds of people there are, and how many of each a company gets.

use crate::random::Random;
use serde::{Deserialize, Serialize};

macro_rules! recipes {
    ($($variant:ident $weight:literal $meaning:literal,)*) => {
        /// A kind of person; the name tells what is special about them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Recipe { $(#[doc = $meaning] $variant,)* }

        impl Recipe {
            /// Every recipe with its weight when the odd ones beyond the guaranteed are drawn; `Good` has none.
            const TABLE: &[(Self, u64)] = &[$((Self::$variant, $weight),)*];

            /// What is special about these people, in a few words.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

recipes! {
    Good 0 "one good certificate",
    EllipticCurve 6 "a good certificate with a P-256 key",
    Renewed 4 "an old and a new certificate, both good",
    DualKey 4 "one certificate to encrypt, one to sign",
    SecondaryAddress 4 "the certificate names a proxy address only",
    CmsWithChain 4 "a good CMS value beside the certificate, as Outlook publishes both",
    CmsDualKey 3 "a CMS value with both certificates that names the one to encrypt to",
    CmsBer 2 "a CMS value with indefinite lengths",
    TaggedList 2 "a value in Microsoft's older tagged list",
    TaggedListOfHashes 1 "a tagged list that holds only hashes",
    BareSmime 2 "a bare certificate in userSMIMECertificate",
    CmsSigningOnly 1 "a CMS value fit only to sign, which would hide the certificate to encrypt to",
    Expired 4 "an expired certificate",
    NotYetValid 2 "a certificate that is not yet valid",
    ClientLogon 4 "a client logon certificate beside the good one",
    ClientLogonOnly 1 "nothing but a client logon certificate",
    EncryptingFileSystem 2 "an EFS certificate",
    TlsServer 2 "a TLS server certificate",
    OtherAddress 2 "another person's certificate",
    WeakKey 2 "an RSA key of 1024 bits",
    Revoked 3 "a revoked certificate",
    UnknownAuthority 3 "a certificate of an authority nobody knows",
    OutsideDomain 1 "a certificate of the partner's authority for an address outside the partner's domain",
    TwentyGood 1 "twenty good certificates",
    Garbage 2 "bytes that are no certificate beside a good one",
    GarbageSmime 2 "bytes that are no container beside a good certificate",
    GarbageOnly 1 "nothing but bytes that are no certificate",
    ExpiredSmime 3 "an expired CMS value, already in Exchange, beside a good certificate",
    PartnerContact 5 "a partner's contact",
    SharedMailbox 3 "a shared mailbox behind a disabled account",
    RoomMailbox 1 "a room mailbox behind a disabled account",
    DirSynced 5 "a mailbox mastered on-premises",
    DirSyncedRight 2 "a mailbox mastered on-premises that is right already",
    CloudManaged 4 "a mailbox mastered on-premises whose Exchange attributes are managed in the cloud",
    MailUser 3 "a mail user",
    NoMailbox 5 "no mailbox in Exchange Online",
    NoAddress 3 "no address at all",
    NoCertificate 12 "no certificate",
    SameAddress 1 "two people with one address",
    AlreadyRight 8 "Exchange holds the right value already",
    ForeignGood 2 "Exchange holds a good value that is not in the directory",
    ForeignExpired 2 "Exchange holds an expired value that is not in the directory",
    ForeignFillsUp 1 "fifteen good certificates and a good one in Exchange that is not in the directory",
}

/// One recipe per person, in the order of the people.
///
/// From 300 people on every recipe occurs at least twice, and more than half of the people are good; small companies get a random choice.
/// People who share an address come in pairs.
pub fn draw(people: usize, random: &mut Random) -> Vec<Recipe> {
    let odd: Vec<(Recipe, u64)> = Recipe::TABLE.iter().copied().filter(|(_, weight)| *weight > 0).collect();
    let copies = match people / odd.len() {
        0 | 1 => 0,
        2..=4 => 1,
        _ => 2,
    };
    // one person alone cannot share an address
    let at_least = |recipe: Recipe| if recipe == Recipe::SameAddress { copies.min(1) * 2 } else { copies };
    let mut drawn: Vec<Recipe> =
        odd.iter().flat_map(|(recipe, _)| std::iter::repeat_n(*recipe, at_least(*recipe))).collect();
    let total: u64 = odd.iter().map(|(_, weight)| weight).sum();
    while drawn.len() < people {
        if random.chance(82) {
            drawn.push(Recipe::Good);
            continue;
        }
        let mut ticket = random.next_u64() % total;
        let chosen = odd.iter().find(|(_, weight)| {
            let hit = ticket < *weight;
            ticket = ticket.saturating_sub(*weight);
            hit
        });
        drawn.extend(chosen.map(|(recipe, _)| *recipe));
    }
    let (pairs, mut others): (Vec<_>, Vec<_>) = drawn.into_iter().partition(|r| *r == Recipe::SameAddress);
    random.shuffle(&mut others);
    // neighbours share an address; a person left alone is an ordinary one
    let even = pairs.len() / 2 * 2;
    others.extend(std::iter::repeat_n(Recipe::Good, pairs.len() - even));
    others.extend(&pairs[..even]);
    others
}

/// The recipe of this name, as files spell it.
pub fn by_name(name: &str) -> Option<Recipe> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// Every recipe.
pub fn all() -> impl Iterator<Item = Recipe> {
    Recipe::TABLE.iter().map(|(recipe, _)| *recipe)
}
