//! What mends a sign-in to Exchange Online that failed.

use super::Table;

pub(super) const TABLE: Table = &[
    ("application", "check app_id, and that the application is registered in the tenant that organization names"),
    ("application_absent", "have an administrator of the tenant consent to the application"),
    ("application_disabled", "enable the application (Entra, Enterprise applications, Properties)"),
    (
        "arc_key",
        "let the account read the Arc agent's tokens: on Linux as a member of the group himds, on Windows of Hybrid agent extension applications",
    ),
    (
        "arc_user_assigned",
        "leave managed_identity_client_id away: a server joined by Azure Arc has one identity of its own",
    ),
    ("authority", "check environment and authority_url: the assertion is for another token endpoint"),
    ("certificate_absent", "put the certificate into the file, next to its key"),
    (
        "certificate_expired",
        "make a new certificate, upload it to the application and name its file in certificate_file",
    ),
    (
        "certificate_expired_there",
        "upload a new certificate to the application (Entra, App registrations, Certificates & secrets) and sign in with its key",
    ),
    (
        "certificate_key_denied",
        "let the account that runs this use the private key (certlm.msc, All Tasks, Manage Private Keys); it has to be one that asks nobody",
    ),
    ("certificate_mismatch", "export the certificate again together with its own key"),
    ("certificate_no_key", "export the certificate again with its private key, as PFX or PEM"),
    ("certificate_not_rsa", "use a certificate with an RSA key of 2048 bits or more; Entra ID takes no other kind"),
    (
        "certificate_not_stored",
        "import it with its private key into the personal store of this machine, or of the account that runs this",
    ),
    ("certificate_not_yet_valid", "wait until then, or check this machine's clock"),
    ("certificate_old_encryption", "convert the key with openssl pkcs8 -topk8"),
    ("certificate_password", "give the file's own password in certificate_password"),
    (
        "certificate_unknown",
        "upload the certificate to the application (Entra, App registrations, Certificates & secrets); a new one counts after a minute",
    ),
    ("certificate_unreadable", "export certificate and key again, as PFX with AES-256 or as PEM"),
    ("clock", "check this machine's clock"),
    ("clock_ahead", "set this machine's clock, which is {seconds} s ahead of the service's"),
    ("clock_behind", "set this machine's clock, which is {seconds} s behind the service's"),
    (
        "conditional_access",
        "exempt the application from the conditional access policy, or sign in from where it allows",
    ),
    ("environment", "check environment: the tenant may be in another cloud"),
    (
        "identity_absent",
        "run on an Azure VM, in App Service or on a server joined by Azure Arc, or sign in with a certificate",
    ),
    (
        "identity_refused",
        "give the machine a system-assigned identity, or name a user-assigned one's client id in managed_identity_client_id",
    ),
    (
        "organization",
        "check that organization is a domain or the GUID of the tenant, and that environment is its cloud",
    ),
    (
        "secret_expired",
        "add a new secret to the application (Entra, App registrations, Certificates & secrets) and give its value here",
    ),
    ("secret_wrong", "give the secret's value, not its id, in secret"),
    ("token_audience", "ask for a token with the scope {scope}"),
    ("token_expired", "bring a fresh token, and check this machine's clock"),
];
