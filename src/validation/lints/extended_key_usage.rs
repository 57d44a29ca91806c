//! extKeyUsage (SBR 7.1.2.3 f).

use super::name::oid;
use super::rule::Answer;
use super::view::View;

const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const EMAIL_PROTECTION: &str = "1.3.6.1.5.5.7.3.4";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

/// anyExtendedKeyUsage, serverAuth, codeSigning, timeStamping.
const PROHIBITED: [&str; 4] = ["2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.8"];

/// The numbers of the purposes; `None` without the extension.
pub(super) fn purposes(view: &View<'_>) -> Option<Vec<String>> {
    let extension = view.extension(EXTENDED_KEY_USAGE)?;
    Some(extension.elements().unwrap_or_default().iter().filter_map(oid).collect())
}

/// Whether a certificate may serve for mail as far as its purposes go.
pub(super) fn serves_mail(view: &View<'_>) -> bool {
    purposes(view).is_none_or(|purposes| purposes.iter().any(|kind| kind == EMAIL_PROTECTION || kind == "2.5.29.37.0"))
}

pub(super) fn present(view: &View<'_>) -> Answer {
    Answer::broken_if(view.extension(EXTENDED_KEY_USAGE).is_none()).expecting("emailProtection")
}

pub(super) fn email_protection(view: &View<'_>) -> Answer {
    purposes(view).map_or(Answer::Nothing, |purposes| {
        let missing = !purposes.iter().any(|kind| kind == EMAIL_PROTECTION);
        Answer::without(if missing { vec![purposes.join(", ")] } else { Vec::new() }).expecting("emailProtection")
    })
}

fn none_but(view: &View<'_>, allowed: impl Fn(&str) -> bool) -> Answer {
    purposes(view).map_or(Answer::Nothing, |purposes| {
        Answer::without(purposes.into_iter().filter(|kind| !allowed(kind)).collect())
    })
}

pub(super) fn none_prohibited(view: &View<'_>) -> Answer {
    none_but(view, |kind| !PROHIBITED.contains(&kind))
}

pub(super) fn mail_alone(view: &View<'_>) -> Answer {
    none_but(view, |kind| kind == EMAIL_PROTECTION).expecting("emailProtection")
}

pub(super) fn mail_and_client(view: &View<'_>) -> Answer {
    none_but(view, |kind| kind == EMAIL_PROTECTION || kind == CLIENT_AUTH).expecting("emailProtection, clientAuth")
}
