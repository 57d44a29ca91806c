//! The clouds: where tokens come from, where the admin API is, and to which hosts credentials may travel.

use url::Url;

use crate::config::{Environment, Source, pointer_error};
use crate::error::{Code, Error, Result};
use crate::net::http::is_loopback;

/// Port that the service's redirects name at times; clients use the ordinary one instead.
const REDIRECT_PORT: u16 = 446;

/// The application id of Exchange Online, the same in every cloud.
const EXCHANGE_APP_ID: &str = "00000002-0000-0ff1-ce00-000000000000";

/// What is fixed for an environment.
struct Cloud {
    authority: &'static str,
    admin: &'static str,
    /// Domains whose hosts belong to the authority.
    authority_domains: &'static [&'static str],
    /// Domains whose hosts belong to Exchange Online.
    admin_domains: &'static [&'static str],
}

fn cloud(environment: Environment) -> Cloud {
    match environment {
        Environment::O365Default => Cloud {
            authority: "https://login.microsoftonline.com/",
            admin: "https://outlook.office365.com/",
            authority_domains: &["login.microsoftonline.com"],
            admin_domains: &["outlook.com", "office365.com", "outlook.office.com"],
        },
        Environment::O365USGovGCCHigh => Cloud {
            authority: "https://login.microsoftonline.us/",
            admin: "https://outlook.office365.us/",
            authority_domains: &["login.microsoftonline.us"],
            admin_domains: &["office365.us"],
        },
        Environment::O365USGovDoD => Cloud {
            authority: "https://login.microsoftonline.us/",
            admin: "https://outlook-dod.office365.us/",
            authority_domains: &["login.microsoftonline.us"],
            admin_domains: &["office365.us", "webmail.apps.mil"],
        },
        Environment::O365China => Cloud {
            authority: "https://login.chinacloudapi.cn/",
            admin: "https://partner.outlook.cn/",
            authority_domains: &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
            admin_domains: &["outlook.cn", "office365.cn"],
        },
        Environment::O365GermanyCloud => Cloud {
            authority: "https://login.microsoftonline.de/",
            admin: "https://outlook.office.de/",
            authority_domains: &["login.microsoftonline.de"],
            admin_domains: &["outlook.office.de"],
        },
    }
}

/// The servers of one session.
#[derive(Debug, Clone)]
pub(super) struct Servers {
    /// The token endpoint.
    pub(super) token_url: Url,
    /// `InvokeCommand` of the tenant.
    pub(super) invoke_url: Url,
    /// What a token is asked for; the cloud's own, whatever host is spoken to.
    pub(super) scope: String,
    admin_base: Url,
    admin_domains: &'static [&'static str],
}

impl Servers {
    /// The servers of an environment, with the configuration's replacements.
    ///
    /// # Errors
    /// `config_value` at the pointer of a URL that is neither on loopback nor the cloud's own.
    pub(super) fn new(
        environment: Environment,
        tenant: &str,
        admin_url: Option<&str>,
        authority_url: Option<&str>,
    ) -> Result<Self> {
        let cloud = cloud(environment);
        let authority = base(authority_url, cloud.authority, cloud.authority_domains, "/exchange/authority_url")?;
        let admin_base = base(admin_url, cloud.admin, cloud.admin_domains, "/exchange/admin_url")?;
        Ok(Self {
            token_url: join(&authority, &format!("{tenant}/oauth2/v2.0/token"))?,
            invoke_url: join(&admin_base, &format!("adminapi/beta/{tenant}/InvokeCommand"))?,
            scope: format!("{}.default", cloud.admin),
            admin_base,
            admin_domains: cloud.admin_domains,
        })
    }

    /// What a managed identity's token is asked for: the scope without its end.
    pub(super) fn resource(&self) -> &str {
        self.scope.strip_suffix("/.default").unwrap_or(&self.scope)
    }

    /// Whether a token for this audience is one for this cloud's Exchange Online: the application's id, or its address.
    pub(super) fn is_audience(&self, audience: &str) -> bool {
        let url = Url::parse(audience);
        audience.eq_ignore_ascii_case(EXCHANGE_APP_ID)
            || url.is_ok_and(|url| url.scheme() == "https" && belongs(&url, self.admin_domains))
    }

    /// The URL that a redirect or a continuation link stands for, if the credential may travel there.
    pub(super) fn follow(&self, from: &Url, link: &str) -> Option<Url> {
        let mut url = from.join(link).ok()?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let home = &self.admin_base;
        if url.port() == Some(REDIRECT_PORT) && home.port() != Some(REDIRECT_PORT) {
            url.set_port(if url.host() == home.host() { home.port() } else { None }).ok()?;
        }
        let same_origin = url.origin() == home.origin();
        let of_cloud = !is_loopback(home) && url.scheme() == "https" && belongs(&url, self.admin_domains);
        (same_origin || of_cloud).then_some(url)
    }
}

fn base(given: Option<&str>, own: &str, domains: &[&str], pointer: &str) -> Result<Url> {
    let text = given.unwrap_or(own);
    let wrong = |detail: &str| Err(pointer_error(Source::Configuration, pointer, detail));
    let Ok(url) = Url::parse(text) else { return wrong("expected a URL") };
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("expected a URL without credentials");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return wrong("expected scheme, host and port alone");
    }
    match url.scheme() {
        "http" if is_loopback(&url) => Ok(url),
        "https" if is_loopback(&url) || belongs(&url, domains) => Ok(url),
        _ => wrong("expected https and a host of the cloud, or a loopback address"),
    }
}

fn belongs(url: &Url, domains: &[&str]) -> bool {
    let Some(host) = url.host_str().map(str::to_ascii_lowercase) else { return false };
    domains.iter().any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

fn join(base: &Url, path: &str) -> Result<Url> {
    base.join(path).map_err(|error| Error::new(Code::Internal).with("detail", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(admin: Option<&str>, authority: Option<&str>) -> Result<Servers> {
        Servers::new(Environment::O365Default, "contoso.onmicrosoft.com", admin, authority)
    }

    #[test]
    fn the_cloud_has_its_own_hosts_and_scope() {
        let own = servers(None, None).unwrap();
        assert_eq!(
            own.invoke_url.as_str(),
            "https://outlook.office365.com/adminapi/beta/contoso.onmicrosoft.com/InvokeCommand"
        );
        assert_eq!(
            own.token_url.as_str(),
            "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"
        );
        let replaced = servers(Some("http://127.0.0.1:8080"), None).unwrap();
        assert_eq!(replaced.scope, "https://outlook.office365.com/.default");
        assert_eq!(replaced.invoke_url.port(), Some(8080));
    }

    #[test]
    fn every_cloud_has_its_own_servers_and_audience() {
        use Environment::{O365China, O365Default, O365GermanyCloud, O365USGovDoD, O365USGovGCCHigh};
        for (environment, authority, admin) in [
            (O365Default, "login.microsoftonline.com", "outlook.office365.com"),
            (O365USGovGCCHigh, "login.microsoftonline.us", "outlook.office365.us"),
            (O365USGovDoD, "login.microsoftonline.us", "outlook-dod.office365.us"),
            (O365China, "login.chinacloudapi.cn", "partner.outlook.cn"),
            (O365GermanyCloud, "login.microsoftonline.de", "outlook.office.de"),
        ] {
            let own = Servers::new(environment, "contoso.com", None, None).unwrap();
            assert_eq!(own.token_url.as_str(), format!("https://{authority}/contoso.com/oauth2/v2.0/token"));
            assert_eq!(own.invoke_url.as_str(), format!("https://{admin}/adminapi/beta/contoso.com/InvokeCommand"));
            assert_eq!(own.scope, format!("https://{admin}/.default"));
            assert_eq!(own.resource(), format!("https://{admin}"));
            assert!(own.is_audience(own.resource()) && !own.is_audience("https://graph.microsoft.com"));
        }
    }

    #[test]
    fn other_hosts_are_refused_at_their_pointer() {
        for url in [
            "https://evil.test/",
            "http://outlook.office365.com/",
            "https://outlook.office365.com.evil.test/",
            "https://evil-outlook.com/",
            "https://user@outlook.office365.com/",
            "https://outlook.office365.com/path",
            "http://localhost.evil.test/",
            "nonsense",
        ] {
            let error = servers(Some(url), None).unwrap_err();
            assert_eq!((error.code(), error.get_target()), (Code::ConfigValue, Some("/exchange/admin_url")), "{url}");
            let error = servers(None, Some(url)).unwrap_err();
            assert_eq!(error.get_target(), Some("/exchange/authority_url"), "{url}");
        }
        servers(Some("https://eur01.outlook.com"), Some("https://[::1]:8443")).unwrap();
    }

    #[test]
    fn links_stay_within_the_cloud() {
        let own = servers(None, None).unwrap();
        let from = own.invoke_url.clone();
        let follow = |link: &str| own.follow(&from, link).map(String::from);
        assert_eq!(follow("https://eur.outlook.com:446/x").as_deref(), Some("https://eur.outlook.com/x"));
        assert_eq!(follow("/y?%24skiptoken=1").as_deref(), Some("https://outlook.office365.com/y?%24skiptoken=1"));
        for link in ["https://evil.test/", "http://eur.outlook.com/", "http://127.0.0.1/", "https://a@eur.outlook.com/"]
        {
            assert_eq!(follow(link), None, "{link}");
        }
        let local = servers(Some("http://127.0.0.1:8080"), None).unwrap();
        assert!(local.follow(&local.invoke_url, "http://127.0.0.1:8080/next").is_some());
        assert!(local.follow(&local.invoke_url, "http://127.0.0.1:446/next").is_some());
        assert!(local.follow(&local.invoke_url, "http://127.0.0.1:9090/next").is_none());
        assert!(local.follow(&local.invoke_url, "https://outlook.office365.com/next").is_none());
    }
}
