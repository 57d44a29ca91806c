//! Why a value is not chosen, goes, or a row is skipped. Any other reason is a finding's code.

use std::borrow::Cow;

/// A reason: one of the constants here, a finding's code, or what an earlier version wrote into the store.
pub type Reason = Cow<'static, str>;

/// The certificate's time is over.
pub const EXPIRED: &str = "expired";
/// The certificate or one of its issuers was revoked.
pub const REVOKED: &str = "revoked";
/// The certificate is not made for S/MIME.
pub const WRONG_PURPOSE: &str = "wrong_purpose";
/// The certificate has addresses, none of them the person's.
pub const OTHER_PERSON: &str = "other_person";
/// Key or signature is too weak.
pub const WEAK: &str = "weak";
/// Senders would take this value instead of a better one.
pub const HIDES_BETTER: &str = "hides_better";
/// More values, or longer ones, than the policy allows.
pub const OVER_LIMIT: &str = "over_limit";
/// The directory no longer has it.
pub const VANISHED: &str = "vanished";

/// The directory has the same bytes twice.
pub const DUPLICATE: &str = "duplicate";
/// The policy publishes the newest only, and there is a newer one.
pub const NEWER_CHOSEN: &str = "newer_chosen";
/// Values that stay leave no room.
pub const NO_ROOM: &str = "no_room";
/// It cannot be said whether it is fit.
pub const UNDETERMINED: &str = "undetermined";
/// It is not fit.
pub const UNFIT: &str = "unfit";

/// A certificate that is not made for S/MIME belongs to another system.
pub const OTHER_PURPOSE: &str = "other_purpose";
/// An undo put the recipient on hold.
pub const HELD: &str = "held";
/// The recipient is mastered on-premises.
pub const DIR_SYNCED: &str = "dir_synced";
/// The scope differs from the last complete read's, so nobody is taken for vanished.
pub const SCOPE_CHANGED: &str = "scope_changed";
/// What the recipient holds cannot be read.
pub const UNREADABLE: &str = "unreadable";
/// The entry is in an LDIF file, which is not written.
pub const READ_ONLY: &str = "read_only";
/// The directory did not give all of the person's values, or the account may not be able to read them; so nothing is gone.
pub const UNREAD: &str = "unread";
/// No recipient has one of the person's addresses.
pub const NO_RECIPIENT: &str = "no_recipient";
/// The person's addresses lead to several recipients, or several people to this one.
pub const AMBIGUOUS: &str = "ambiguous";
/// The person has no address.
pub const NO_ADDRESS: &str = "no_address";

/// The closed list: nothing is removed for any other reason.
pub const REMOVING: [&str; 8] =
    [EXPIRED, REVOKED, WRONG_PURPOSE, OTHER_PERSON, WEAK, HIDES_BETTER, OVER_LIMIT, VANISHED];

/// What removes a value that SmimeSync did not write, as long as foreign values are kept.
pub const REMOVING_FOREIGN: [&str; 4] = [EXPIRED, REVOKED, WRONG_PURPOSE, OTHER_PERSON];
