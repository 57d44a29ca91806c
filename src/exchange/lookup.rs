//! Recipients of a few people, found by what the people are known by instead of by listing everybody.

use crate::error::Result;
use crate::people::{Person, Recipient, RecipientClass};

use super::client::Exchange;
use super::recipients::{ListReport, Selection, is_about_the_form};

/// Comparisons in one filter, at most.
const MAX_COMPARISONS: usize = 60;

impl Exchange {
    /// Every recipient that any of these people could be by source anchor, user principal name or address, where that
    /// takes fewer requests than listing everybody, as far as is known; nothing where it does not, or where the service
    /// does not understand what it is asked.
    ///
    /// # Errors
    /// Those of [`Exchange::list`].
    pub async fn collect_people(&self, people: &[Person]) -> Result<Option<(Vec<Recipient>, ListReport)>> {
        let filters = filters(people);
        let classes = RecipientClass::ALL.len() as u64;
        let requests = classes * filters.len() as u64;
        let is_cheaper = match self.pages() {
            Some(pages) => requests < pages,
            // nobody has listed them yet, and a list takes a page of each class at least
            None => requests <= classes,
        };
        if !is_cheaper || self.abilities.filters_are_refused() {
            return Ok(None);
        }
        let (mut found, mut report) = (Vec::<Recipient>::new(), ListReport::default());
        for filter in &filters {
            let listed = match self.collect(Selection { filter: Some(filter), ..Selection::default() }).await {
                Err(error) if is_about_the_form(&error) => {
                    tracing::info!("recipients cannot be found by filter, everybody is listed");
                    self.abilities.refuse_filters();
                    return Ok(None);
                }
                listed => listed?,
            };
            report.pages += listed.1.pages;
            found.extend(listed.0);
        }
        // two people may lead to one recipient
        found.sort_by(|one, other| one.identity.cmp(&other.identity));
        found.dedup_by(|one, other| one.identity == other.identity);
        report.recipients = found.len() as u64;
        Ok(Some((found, report)))
    }
}

/// OPATH filters that all recipients pass together who have anything in common with these people.
fn filters(people: &[Person]) -> Vec<String> {
    let comparison = |property: &str, value: &str| format!("{property} -eq '{}'", value.replace('\'', "''"));
    let mut comparisons = Vec::new();
    for person in people {
        comparisons.extend(person.source_anchor.as_deref().map(|anchor| comparison("ImmutableId", anchor)));
        comparisons.extend(person.user_principal_name.as_deref().map(|name| comparison("UserPrincipalName", name)));
        for address in &person.addresses {
            comparisons.push(comparison("PrimarySmtpAddress", address.as_str()));
            comparisons.push(comparison("EmailAddresses", &format!("smtp:{}", address.as_str())));
        }
    }
    comparisons.chunks(MAX_COMPARISONS).map(|part| part.join(" -or ")).collect()
}

#[cfg(test)]
mod tests {
    use crate::people::{Address, PersonKind};

    use super::*;

    fn person(addresses: usize) -> Person {
        Person {
            identity: "p".to_owned(),
            distinguished_name: "CN=p".to_owned(),
            kind: PersonKind::User,
            display_name: None,
            user_principal_name: Some("o'neil@x.test".to_owned()),
            addresses: (0..addresses).filter_map(|number| Address::parse(&format!("a{number}@x.test"))).collect(),
            source_anchor: Some("q83v".to_owned()),
            enabled: None,
            deleted: false,
            parts: Vec::new(),
            values: Vec::new(),
            complete: true,
            problems: Vec::new(),
        }
    }

    #[test]
    fn a_filter_names_everything_a_person_is_known_by() {
        assert_eq!(
            filters(&[person(1)]),
            [
                "ImmutableId -eq 'q83v' -or UserPrincipalName -eq 'o''neil@x.test' -or PrimarySmtpAddress -eq 'a0@x.test' -or \
              EmailAddresses -eq 'smtp:a0@x.test'"
            ]
        );
        assert_eq!(filters(&vec![person(14); 4]).len(), 2);
        assert!(filters(&[]).is_empty());
    }
}
