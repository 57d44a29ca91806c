//! Back ends: a cookie says which one a client is bound to, and a continuation link works at its own alone.

use crate::http::Call;
use crate::tenant::Core;

const COOKIE: &str = "X-BackEndCookie";
/// Back ends there are.
const BACK_ENDS: u64 = 3;

/// The back end that answers a request, and the cookie to set where it had none.
pub(crate) struct BackEnd {
    pub(crate) number: u64,
    pub(crate) cookie: Option<String>,
}

/// Chooses the back end; the first one, and no cookie, where the switch is off.
pub(crate) fn choose(core: &mut Core, call: &Call) -> BackEnd {
    if !core.switches.affinity {
        return BackEnd { number: 0, cookie: None };
    }
    if let Some(number) = bound(call) {
        return BackEnd { number, cookie: None };
    }
    core.clients_seen += 1;
    let number = core.clients_seen % BACK_ENDS + 1;
    BackEnd { number, cookie: Some(format!("{COOKIE}=be{number}; path=/; HttpOnly")) }
}

/// The back end that a request's cookie names.
fn bound(call: &Call) -> Option<u64> {
    let cookies = call.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let number = pairs.find(|(name, _)| *name == COOKIE)?.1.strip_prefix("be")?.parse().ok()?;
    (1..=BACK_ENDS).contains(&number).then_some(number)
}
