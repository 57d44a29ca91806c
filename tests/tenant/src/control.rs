//! The control face: the double's own, no part of Exchange Online.

use serde_json::json;

use crate::http::{Call, Reply};
use crate::state::{State, StateError};
use crate::tenant::Tenant;

const JSON: &str = "application/json";

/// Answers a request below `/control`.
pub(crate) fn answer(tenant: &Tenant, call: &Call) -> Reply {
    let action = call.segments.get(1).map(String::as_str).unwrap_or_default();
    if call.segments.len() != 2 {
        return Reply::empty(404);
    }
    match (call.method.as_str(), action) {
        ("GET", "requests") => Reply::json(200, JSON, &tenant.core().log.entries()),
        ("POST", "reset-log") => {
            tenant.reset_log();
            Reply::empty(204)
        }
        ("GET", "switches") => Reply::json(200, JSON, &tenant.switches()),
        ("POST", "switches") => {
            let merged = serde_json::from_slice(&call.body)
                .map_err(StateError::from)
                .and_then(|patch| tenant.merge_switches(patch));
            match merged {
                Ok(switches) => Reply::json(200, JSON, &switches),
                Err(error) => refusal(&error),
            }
        }
        ("GET", "state") => Reply::json(200, JSON, &tenant.state()),
        ("POST", "state") => {
            let replaced = serde_json::from_slice::<State>(&call.body)
                .map_err(StateError::from)
                .and_then(|state| tenant.set_state(state));
            match replaced {
                Ok(()) => Reply::empty(204),
                Err(error) => refusal(&error),
            }
        }
        (_, "requests" | "reset-log" | "switches" | "state") => Reply::empty(405),
        _ => Reply::empty(404),
    }
}

fn refusal(error: &StateError) -> Reply {
    Reply::json(400, JSON, &json!({ "error": error.to_string() }))
}
