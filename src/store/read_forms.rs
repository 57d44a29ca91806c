//! In which form a tenant's certificates could be read last.

use rusqlite::{OptionalExtension as _, params};

use crate::error::Result;

use super::Store;

impl Store {
    /// The form that was kept for a tenant.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn read_form(&self, environment: &str, organization: &str) -> Result<Option<String>> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT form FROM read_forms WHERE environment = ? AND organization = ?")?;
        let key = params![environment, organization.to_ascii_lowercase()];
        Ok(statement.query_row(key, |row| row.get(0)).optional()?)
    }

    /// Keeps the form for a tenant instead of the one that was kept; nothing forgets it.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn keep_read_form(&self, environment: &str, organization: &str, form: Option<&str>) -> Result<()> {
        if self.read_form(environment, organization)?.as_deref() == form {
            return Ok(());
        }
        let organization = organization.to_ascii_lowercase();
        self.transaction(|connection| {
            match form {
                Some(form) => connection.execute(
                    "INSERT OR REPLACE INTO read_forms (environment, organization, form) VALUES (?, ?, ?)",
                    params![environment, organization, form],
                )?,
                None => connection.execute(
                    "DELETE FROM read_forms WHERE environment = ? AND organization = ?",
                    params![environment, organization],
                )?,
            };
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_has_a_form_of_its_own() {
        let store = Store::in_memory().unwrap();
        let form = |environment, organization| store.read_form(environment, organization).unwrap();
        assert_eq!(form("O365Default", "a.test"), None);
        store.keep_read_form("O365Default", "A.test", Some("entity")).unwrap();
        store.keep_read_form("O365China", "a.test", Some("clixml")).unwrap();
        assert_eq!(form("O365Default", "a.TEST").as_deref(), Some("entity"));
        assert_eq!(form("O365China", "a.test").as_deref(), Some("clixml"));
        assert_eq!(form("O365Default", "b.test"), None);
        store.keep_read_form("O365Default", "a.test", Some("clixml")).unwrap();
        assert_eq!(form("O365Default", "a.test").as_deref(), Some("clixml"));
        store.keep_read_form("O365Default", "a.test", None).unwrap();
        assert_eq!((form("O365Default", "a.test"), form("O365China", "a.test").is_some()), (None, true));
    }
}
