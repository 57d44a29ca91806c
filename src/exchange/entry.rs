//! One object of an answer, in JSON or CLIXML, into a recipient.

use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::people::{Address, Recipient, RecipientClass, proxy_addresses};

use super::certificates::Values;
use super::clixml::Properties;

/// The properties that are asked for: exactly those below.
pub(super) const SELECT: &str = "Guid,ExternalDirectoryObjectId,DisplayName,UserPrincipalName,PrimarySmtpAddress,\
                                 EmailAddresses,RecipientTypeDetails,IsDirSynced,IsExchangeCloudManaged,ImmutableId,\
                                 UserCertificate,UserSMimeCertificate";

/// The properties that are asked of a typed entity.
pub(super) const SELECT_ENTITY: &str = "Guid,UserCertificate,UserSMimeCertificate";

/// One object as it came.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Entry {
    #[serde(rename = "_clixml")]
    clixml: Option<String>,
    guid: Option<String>,
    external_directory_object_id: Option<String>,
    display_name: Option<String>,
    user_principal_name: Option<String>,
    primary_smtp_address: Option<String>,
    email_addresses: Option<Vec<String>>,
    recipient_type_details: Option<String>,
    is_dir_synced: Option<bool>,
    is_exchange_cloud_managed: Option<bool>,
    immutable_id: Option<String>,
    user_certificate: Values,
    #[serde(rename = "UserSMimeCertificate")]
    user_smime_certificate: Values,
}

impl Entry {
    /// The object, out of its CLIXML where it came so.
    ///
    /// # Errors
    /// `exchange_protocol` for a text that is not CLIXML.
    pub(super) fn opened(self) -> Result<Self> {
        let Some(xml) = &self.clixml else { return Ok(self) };
        let object = Properties::read(xml).ok_or_else(|| protocol("an object that is not CLIXML"))?;
        Ok(Self {
            clixml: None,
            guid: object.text("Guid"),
            external_directory_object_id: object.text("ExternalDirectoryObjectId"),
            display_name: object.text("DisplayName"),
            user_principal_name: object.text("UserPrincipalName"),
            primary_smtp_address: object.text("PrimarySmtpAddress"),
            email_addresses: object.list("EmailAddresses"),
            recipient_type_details: object.text("RecipientTypeDetails"),
            is_dir_synced: object.flag("IsDirSynced"),
            is_exchange_cloud_managed: object.flag("IsExchangeCloudManaged"),
            immutable_id: object.text("ImmutableId"),
            user_certificate: object.values("UserCertificate"),
            user_smime_certificate: object.values("UserSMimeCertificate"),
        })
    }

    /// Whether the bytes of both certificate properties are known.
    pub(super) fn is_readable(&self) -> bool {
        [&self.user_certificate, &self.user_smime_certificate].iter().all(|values| matches!(values, Values::Known(_)))
    }

    /// Takes the certificates of the same object read in another form.
    pub(super) fn take_certificates(&mut self, read: Self) {
        self.user_certificate = read.user_certificate;
        self.user_smime_certificate = read.user_smime_certificate;
    }

    /// Exchange's own identifier, lower case.
    ///
    /// # Errors
    /// `exchange_protocol` where the answer lacks it.
    pub(super) fn guid(&self) -> Result<String> {
        let guid = self.guid.as_deref().and_then(|guid| uuid::Uuid::try_parse(guid.trim()).ok());
        Ok(guid.ok_or_else(|| protocol("a recipient without Guid"))?.hyphenated().to_string())
    }

    /// The recipient.
    ///
    /// # Errors
    /// `exchange_protocol` where the answer lacks what nothing can be decided without.
    pub(super) fn recipient(self, class: RecipientClass) -> Result<Recipient> {
        let identity = self.guid()?;
        // guessing here could mean a write that the on-premises directory takes back
        let is_dir_synced = self.is_dir_synced.ok_or_else(|| protocol("a recipient without IsDirSynced"))?;
        let primary = self.primary_smtp_address.as_deref().and_then(Address::parse);
        Ok(Recipient {
            identity,
            class,
            external_directory_object_id: filled(self.external_directory_object_id),
            display_name: filled(self.display_name),
            user_principal_name: filled(self.user_principal_name),
            addresses: addresses(primary, self.email_addresses.unwrap_or_default()),
            recipient_type_details: self.recipient_type_details.unwrap_or_default(),
            is_dir_synced,
            is_exchange_cloud_managed: self.is_exchange_cloud_managed.unwrap_or(false),
            immutable_id: filled(self.immutable_id),
            user_certificate: self.user_certificate.known(),
            user_smime_certificate: self.user_smime_certificate.known(),
        })
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// `PrimarySmtpAddress` first, then the others, none twice.
fn addresses(primary: Option<Address>, proxies: Vec<String>) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::with_capacity(proxies.len() + 1);
    for address in primary.into_iter().chain(proxy_addresses(proxies.iter().map(String::as_str))) {
        if !found.iter().any(|known| known.same_mailbox(&address)) {
            found.push(address);
        }
    }
    found
}

fn protocol(detail: &str) -> Error {
    Error::new(Code::ExchangeProtocol).with("detail", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = r##"{"Identity":"ann","Guid":"2F6D8D1E-0000-4000-8000-000000000001","Guid@data.type":"System.Guid",
        "ExternalDirectoryObjectId":"","DisplayName":"Ann","UserPrincipalName":null,"PrimarySmtpAddress":"Ann@x.test",
        "EmailAddresses@odata.type":"#Collection(String)",
        "EmailAddresses":["smtp:b@x.test","SMTP:ann@x.test","X500:/o=x"],"RecipientTypeDetails":"UserMailbox",
        "IsDirSynced":true,"UserCertificate":["MAMC"],"UserSMimeCertificate":[]}"##;

    fn recipient(json: &str) -> Result<Recipient> {
        serde_json::from_str::<Entry>(json).unwrap().opened()?.recipient(RecipientClass::Mailbox)
    }

    #[test]
    fn an_object_becomes_a_recipient() {
        let ann = recipient(ANN).unwrap();
        assert_eq!(ann.identity, "2f6d8d1e-0000-4000-8000-000000000001");
        assert_eq!(ann.addresses.iter().map(Address::as_str).collect::<Vec<_>>(), ["Ann@x.test", "b@x.test"]);
        assert_eq!(ann.external_directory_object_id, None);
        assert!(ann.is_dir_synced && !ann.is_exchange_cloud_managed);
        assert_eq!(ann.user_certificate.unwrap().len(), 1);
        assert_eq!(ann.user_smime_certificate.unwrap().len(), 0);
    }

    #[test]
    fn an_absent_property_is_not_an_empty_one() {
        let ann = recipient(&ANN.replace("\"UserCertificate\"", "\"Other\"")).unwrap();
        assert_eq!(ann.user_certificate, None);
        assert!(ann.user_smime_certificate.is_some());
    }

    #[test]
    fn what_nothing_can_be_decided_without_must_be_there() {
        for name in ["\"Guid\"", "\"IsDirSynced\""] {
            assert_eq!(recipient(&ANN.replace(name, "\"Other\"")).unwrap_err().code(), Code::ExchangeProtocol);
        }
        assert_eq!(recipient(r#"{"_clixml":"<no"}"#).unwrap_err().code(), Code::ExchangeProtocol);
    }
}
