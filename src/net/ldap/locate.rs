//! The LDAP servers of a domain by DNS (RFC 2782; [MS-ADTS] 6.3.2.3): a site's first, then the domain's.

use std::collections::HashSet;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};

use crate::error::{Code, Error, Result};

/// A server of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name, without a dot at the end.
    pub host: String,
    /// Its port for LDAP.
    pub port: u16,
}

/// An SRV record.
#[derive(Debug, Clone)]
struct Record {
    priority: u16,
    weight: u16,
    server: Found,
}

/// A random number from 0 to the bound, both included.
type Random = Box<dyn FnMut(u32) -> u32 + Send>;

/// Finds servers.
pub struct Locator {
    resolver: TokioResolver,
    random: Random,
}

impl Locator {
    /// With the operating system's name servers and randomness.
    ///
    /// # Errors
    /// `directory_unreachable` where the system's configuration of name servers cannot be read.
    pub fn system() -> Result<Self> {
        let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        let resolver = resolver.map_err(|error| unreachable(&error.to_string()))?;
        Ok(Self { resolver, random: Box::new(system_random) })
    }

    /// The servers of a domain in the order they are to be tried. Names outside of the domain are left out: DNS is not
    /// to be trusted with whom a password goes to.
    ///
    /// # Errors
    /// `directory_unreachable`, with the domain as target, where DNS does not answer or knows none.
    pub async fn servers(&mut self, domain: &str, site: Option<&str>) -> Result<Vec<Found>> {
        let domain = domain.trim_end_matches('.');
        let mut found = Vec::new();
        if let Some(site) = site {
            found.extend(self.lookup(&format!("_ldap._tcp.{site}._sites.dc._msdcs.{domain}."), domain).await?);
        }
        let controllers = self.lookup(&format!("_ldap._tcp.dc._msdcs.{domain}."), domain).await?;
        let any = controllers.is_empty();
        found.extend(controllers);
        if any {
            found.extend(self.lookup(&format!("_ldap._tcp.{domain}."), domain).await?);
        }
        let mut seen = HashSet::new();
        found.retain(|server| seen.insert((server.host.to_lowercase(), server.port)));
        if found.is_empty() {
            return Err(unreachable("dns knows no ldap server of the domain").target(domain));
        }
        Ok(found)
    }

    async fn lookup(&mut self, name: &str, domain: &str) -> Result<Vec<Found>> {
        let answer = match self.resolver.lookup(name, RecordType::SRV).await {
            Ok(answer) => answer,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(unreachable(&format!("dns: {error}")).target(domain)),
        };
        let records = answer.answers().iter().filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(Record {
                priority: srv.priority,
                weight: srv.weight,
                server: Found { host: srv.target.to_ascii().trim_end_matches('.').to_owned(), port: srv.port },
            }),
            _ => None,
        });
        // the root as target says that there is no such service
        let records = records.filter(|record| is_within(&record.server.host, domain)).collect();
        Ok(ordered(records, &mut self.random))
    }
}

fn unreachable(detail: &str) -> Error {
    Error::new(Code::DirectoryUnreachable).with("detail", detail)
}

/// Whether a host is one of a domain's, or the domain itself.
fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_lowercase(), domain.to_lowercase());
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
}

/// The order RFC 2782 gives: by priority, and within one at random by weight.
fn ordered(mut records: Vec<Record>, random: &mut dyn FnMut(u32) -> u32) -> Vec<Found> {
    // those without a weight first, or they would hardly ever be chosen
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut order = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let group = records.iter().take_while(|record| record.priority == priority);
        let total = group.map(|record| u32::from(record.weight)).sum();
        let drawn = random(total);
        let mut sum = 0;
        let chosen = records.iter().position(|record| {
            sum += u32::from(record.weight);
            sum >= drawn
        });
        order.push(records.remove(chosen.unwrap_or_default()).server);
    }
    order
}

fn system_random(bound: u32) -> u32 {
    let mut octets = [0; 8];
    // without randomness the order is the records' own, which is as good for one client
    let _ = aws_lc_rs::rand::fill(&mut octets);
    let drawn = u64::from_le_bytes(octets) % (u64::from(bound) + 1);
    u32::try_from(drawn).unwrap_or(bound)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{IpAddr, Ipv4Addr, UdpSocket};

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;

    use super::*;

    /// An SRV record of the test's name server: name, priority, weight, port, target.
    pub(crate) type Srv = (&'static str, u16, u16, u16, &'static str);

    /// A locator that asks a name server with these records alone.
    pub(crate) fn locator(records: Vec<Srv>, random: impl FnMut(u32) -> u32 + Send + 'static) -> Locator {
        let mut connection = ConnectionConfig::udp();
        connection.port = name_server(records);
        let server = NameServerConfig::new(IpAddr::V4(Ipv4Addr::LOCALHOST), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().timeout = std::time::Duration::from_secs(2);
        Locator { resolver: builder.build().unwrap(), random: Box::new(random) }
    }

    /// Answers SRV questions over UDP (RFC 1035) until the process ends; what it does not know does not exist.
    fn name_server(records: Vec<Srv>) -> u16 {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let query = &buffer[..length];
                let end = 12 + query[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
                let name = text(&query[12..end - 4]);
                let answers: Vec<_> = records.iter().filter(|record| record.0.eq_ignore_ascii_case(&name)).collect();
                let mut reply = query[..end].to_vec();
                reply[2..4].copy_from_slice(if answers.is_empty() { &[0x85, 0x83] } else { &[0x85, 0x80] });
                reply[4..12].copy_from_slice(&[0, 1, 0, answers.len() as u8, 0, 0, 0, 0]);
                for (_, priority, weight, port, target) in answers {
                    let target: Vec<u8> = labels(target);
                    reply.extend([0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
                    reply.extend((6 + target.len() as u16).to_be_bytes());
                    for number in [priority, weight, port] {
                        reply.extend(number.to_be_bytes());
                    }
                    reply.extend(target);
                }
                socket.send_to(&reply, from).unwrap();
            }
        });
        port
    }

    fn text(mut labels: &[u8]) -> String {
        let mut parts = Vec::new();
        while let Some((length, rest)) = labels.split_first().filter(|(length, _)| **length > 0) {
            let (label, rest) = rest.split_at(usize::from(*length));
            parts.push(String::from_utf8(label.to_vec()).unwrap());
            labels = rest;
        }
        parts.join(".")
    }

    fn labels(name: &str) -> Vec<u8> {
        let labels = name.split('.').filter(|label| !label.is_empty());
        labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([0]).collect()
    }

    fn servers(records: Vec<Srv>, site: Option<&str>) -> Result<Vec<String>> {
        let mut locator = locator(records, |_| 0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(locator.servers("x.test", site))?;
        Ok(found.into_iter().map(|server| format!("{}:{}", server.host, server.port)).collect())
    }

    #[test]
    fn the_site_s_controllers_come_before_the_domain_s() {
        let records = vec![
            ("_ldap._tcp.North._sites.dc._msdcs.x.test", 0, 100, 389, "dc3.x.test"),
            ("_ldap._tcp.dc._msdcs.x.test", 5, 100, 389, "dc2.x.test"),
            ("_ldap._tcp.dc._msdcs.x.test", 0, 100, 389, "dc1.x.test"),
            ("_ldap._tcp.dc._msdcs.x.test", 0, 100, 389, "DC3.x.test"),
            ("_ldap._tcp.x.test", 0, 100, 389, "other.x.test"),
        ];
        let found = servers(records.clone(), Some("North")).unwrap();
        assert_eq!((found[0].as_str(), found.len()), ("dc3.x.test:389", 3), "{found:?}");
        assert_eq!(found[2], "dc2.x.test:389");
        assert_eq!(servers(records, Some("South")).unwrap().len(), 3, "a site DNS does not know");
    }

    #[test]
    fn a_standard_server_s_records_are_the_last_resort() {
        let records = vec![("_ldap._tcp.x.test", 0, 0, 1389, "ldap.x.test")];
        assert_eq!(servers(records, None).unwrap(), ["ldap.x.test:1389"]);
    }

    #[test]
    fn names_outside_of_the_domain_are_left_out() {
        let records = vec![
            ("_ldap._tcp.dc._msdcs.x.test", 0, 0, 389, "dc1.evil.test"),
            ("_ldap._tcp.dc._msdcs.x.test", 0, 0, 389, "evilx.test"),
            ("_ldap._tcp.dc._msdcs.x.test", 0, 0, 389, "."),
            ("_ldap._tcp.dc._msdcs.x.test", 1, 0, 389, "dc1.sub.x.test"),
        ];
        assert_eq!(servers(records, None).unwrap(), ["dc1.sub.x.test:389"]);
    }

    #[test]
    fn a_domain_without_servers_is_an_error() {
        let error = servers(Vec::new(), Some("North")).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::DirectoryUnreachable, Some("x.test")));
    }

    #[test]
    fn weights_decide_within_a_priority_by_the_numbers_drawn() {
        let record =
            |priority, weight, host: &str| Record { priority, weight, server: Found { host: host.into(), port: 389 } };
        let records = vec![record(0, 60, "a"), record(0, 0, "b"), record(0, 40, "c"), record(1, 5, "d")];
        let order = |draws: Vec<u32>| {
            let mut draws = draws.into_iter();
            let found = ordered(records.clone(), &mut |bound| draws.next().unwrap().min(bound));
            found.into_iter().map(|server| server.host).collect::<String>()
        };
        // b 0, c 1..=40, a 41..=100
        assert_eq!(order(vec![0, 0, 0, 0]), "bcad");
        assert_eq!(order(vec![41, 0, 0, 0]), "abcd");
        assert_eq!(order(vec![40, 100, 0, 5]), "cabd");
        let mut first = std::collections::HashMap::<String, u32>::new();
        for _ in 0..2000 {
            let chosen = ordered(records.clone(), &mut system_random).swap_remove(0).host;
            *first.entry(chosen).or_default() += 1;
        }
        assert!((1000..1400).contains(&first["a"]) && (600..1000).contains(&first["c"]), "{first:?}");
    }
}
