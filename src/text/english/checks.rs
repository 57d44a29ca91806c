//! Steps of the verb `check`: what went wrong and what mends it.

use super::Table;

pub(super) const TABLE: Table = &[
    (
        "exchange_auth",
        "check organization, app_id and the secret, and that the secret has not expired (Entra, App registrations)",
    ),
    (
        "exchange_denied",
        "give the application the role Exchange Recipient Administrator; a new role takes up to an hour to count",
    ),
    (
        "exchange_permission",
        "give the application the permission Exchange.ManageAsApp and have an administrator consent to it",
    ),
    ("exchange_refused", "check that organization names a domain or the GUID of the tenant the application belongs to"),
    ("exchange_throttled", "wait and try again; look for other programs that use the admin API of the same tenant"),
    ("exchange_timeout", "check the network and the proxy, or raise exchange/timeout_ms"),
    (
        "exchange_tls",
        "if a proxy inspects TLS, name its authority in exchange/ca_files; else find out who answers in its place",
    ),
    (
        "exchange_unreachable",
        "check name resolution, firewall and exchange/proxy for the address in the message's target",
    ),
];
