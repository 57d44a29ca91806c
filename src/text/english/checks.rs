//! Steps of the verb `check`: what was seen and what mends it.

use super::Table;

pub(super) const TABLE: Table = &[
    ("configuration", "mend the configuration at the place the error names"),
    ("directory_base", "give a base below which people are and that the account may read"),
    ("directory_bind", "check user and password of the directory's bind"),
    ("directory_bind_525", "the user does not exist"),
    ("directory_bind_52e", "wrong user or password"),
    ("directory_bind_530", "the account may not sign in at this time"),
    ("directory_bind_531", "the account may not sign in from this computer"),
    ("directory_bind_532", "the password has expired"),
    ("directory_bind_533", "the account is disabled"),
    ("directory_bind_701", "the account has expired"),
    ("directory_bind_773", "the password must be changed first"),
    ("directory_bind_775", "the account is locked"),
    ("directory_connect", "check host, port and firewall; LDAP listens on 389, LDAPS on 636"),
    ("directory_file", "export content records again, for example with ldapsearch -LLL -o ldif-wrap=no"),
    ("directory_found", "{people} people seen, {certificates} of them with certificates"),
    ("directory_found_more", "more than {people} people, {certificates} of the first ones with certificates"),
    ("directory_name", "give urls such as ldaps://dc1.contoso.com whose name DNS knows"),
    (
        "directory_no_certificates",
        "nobody seen has a certificate: publish some, or let the account read userCertificate and userSMIMECertificate",
    ),
    ("directory_nobody", "nobody is visible: check base and filter, and what the account may read"),
    ("directory_plaintext", "use ldaps:// or start_tls, or allow a password without TLS by bind/allow_plaintext"),
    ("directory_search", "look at the server's own log for this search"),
    (
        "directory_tls",
        "name the authority that issued the server's certificate in ca_files, and the server by a name in its certificate",
    ),
    (
        "exchange_auth",
        "check organization, app_id and the secret or certificate, and that it has not expired (Entra, App registrations)",
    ),
    ("exchange_certificate", "certificate {thumbprint}, valid until {end}"),
    (
        "exchange_denied",
        "give the application the role Exchange Recipient Administrator; a new role takes up to an hour to count",
    ),
    ("exchange_listed", "recipients can be read ({recipients} tried)"),
    (
        "exchange_permission",
        "give the application the permission Exchange.ManageAsApp and have an administrator consent to it",
    ),
    ("exchange_refused", "check that organization names a domain or the GUID of the tenant the application belongs to"),
    ("exchange_signed_in", "signed in to tenant {tenant}"),
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
    ("store_opened", "{path} can be written"),
    ("trust_loaded", "{anchors} anchors, {intermediates} intermediates, {crls} CRLs"),
];
