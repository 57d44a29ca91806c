//! Errors of a cmdlet and the envelope they travel in.

use serde_json::{Value, json};

use crate::node::Node;
use crate::switches::ErrorDetail;

/// A cmdlet's failure.
#[derive(Debug)]
pub(crate) struct CmdletError {
    /// HTTP status.
    pub(crate) status: u16,
    /// The short code before the first bar of the pipe form; often empty.
    prefix: &'static str,
    /// Full name of the exception.
    pub(crate) exception: &'static str,
    message: String,
}

impl CmdletError {
    fn bad_request(exception: &'static str, message: String) -> Self {
        Self { status: 400, prefix: "", exception, message }
    }

    /// The cmdlet has no such parameter.
    pub(crate) fn unknown_parameter(name: &str) -> Self {
        Self::bad_request(
            "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException",
            format!(
                "Parameter set cannot be resolved using the specified named parameters. \
                 Invalid cmdlet parameters specified. {name}"
            ),
        )
    }

    /// A value that does not convert to the parameter's type.
    pub(crate) fn transformation(parameter: &str, reason: &str) -> Self {
        Self::bad_request(
            "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException",
            format!(
                "Cannot process argument transformation on parameter '{parameter}'. Cannot convert value to type \
                 \"Microsoft.Exchange.Data.MultiValuedProperty`1[System.Byte[]]\": {reason}"
            ),
        )
    }

    /// A value of a simple type that does not convert.
    pub(crate) fn wrong_type(parameter: &str, wanted: &str) -> Self {
        Self::bad_request(
            "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException",
            format!(
                "Cannot process argument transformation on parameter '{parameter}'. Cannot convert value to type \"{wanted}\"."
            ),
        )
    }

    /// A `Set-*` without an identity.
    pub(crate) fn identity_missing() -> Self {
        Self::bad_request(
            "System.Management.Automation.ParameterBindingException",
            "Cannot process command because of one or more missing mandatory parameters: Identity.".to_owned(),
        )
    }

    /// No such object among those the cmdlet sees.
    pub(crate) fn not_found(identity: &str, status: u16) -> Self {
        Self {
            status,
            prefix: "Ex6F9304",
            exception: "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
            message: format!(
                "The operation couldn't be performed because object '{identity}' couldn't be found on \
                 'DC0001.EURPR00A001.prod.outlook.com'."
            ),
        }
    }

    /// More than one object has this identity.
    pub(crate) fn ambiguous(identity: &str) -> Self {
        Self::bad_request(
            "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException",
            format!("The operation couldn't be performed because '{identity}' matches multiple entries."),
        )
    }

    /// The refusal of section 3.3.
    pub(crate) fn dir_synced(cmdlet: &str, parameters: &str, object: &str) -> Self {
        Self::bad_request(
            "Microsoft.Exchange.Configuration.Tasks.TaskInvalidOperationException",
            format!(
                "The operation on mailbox \"{object}\" failed because it's out of the current user's write scope. \
                 The action '{cmdlet}', '{parameters}', can't be performed on the object '{object}' because the object \
                 is being synchronized from your on-premises organization. This action should be performed on the \
                 object in your on-premises organization."
            ),
        )
    }

    /// `Filter` is not OPATH, or names what cannot be filtered.
    pub(crate) fn filter(reason: &str) -> Self {
        Self::bad_request(
            "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException",
            format!(
                "Cannot bind parameter 'Filter' to the target. Exception setting \"Filter\": \"Invalid filter syntax. {reason}\""
            ),
        )
    }

    /// `SMIMECertificateIssuingCA` was refused.
    pub(crate) fn issuing_certificates(message: String) -> Self {
        Self::bad_request("Microsoft.Exchange.Data.DataValidationException", message)
    }

    /// A continuation link that is stale, altered or sent with another body.
    pub(crate) fn page_token() -> Self {
        Self::bad_request(
            "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
            "Expired or Invalid pagination request. Default Expiry time is 00:30:00".to_owned(),
        )
    }

    /// The request's JSON is not the action's.
    pub(crate) fn request(message: &str) -> Self {
        Self::bad_request("Microsoft.Exchange.Admin.OData.Core.ODataServiceException", message.to_owned())
    }

    fn detail(&self, encoding: ErrorDetail) -> String {
        match encoding {
            ErrorDetail::Pipe => format!("{}|{}|{}", self.prefix, self.exception, self.message),
            ErrorDetail::Json => json!({
                "Message": self.message, "TypeName": self.exception, "StackTrace": Value::Null, "InnerError": Value::Null
            })
            .to_string(),
        }
    }

    /// The answer's body.
    pub(crate) fn envelope(&self, encoding: ErrorDetail) -> Node {
        let code = if self.status == 404 { "NotFound" } else { "BadRequest" };
        Node::object([
            (
                "error",
                Node::object([
                    ("code", Node::text(code)),
                    ("message", Node::text("Error executing cmdlet")),
                    (
                        "details",
                        Node::List(vec![Node::object([
                            ("code", Node::text("Context")),
                            ("target", Node::text("")),
                            ("message", Node::text(self.detail(encoding))),
                        ])]),
                    ),
                    (
                        "innererror",
                        Node::object([
                            ("message", Node::text("Error executing cmdlet")),
                            ("type", Node::text("Microsoft.Exchange.Admin.OData.Core.ODataServiceException")),
                            ("stacktrace", Node::text("   at Microsoft.Exchange.Admin.OData.Core.InvokeCommand()")),
                            (
                                "internalexception",
                                Node::object([
                                    ("message", Node::text(self.message.clone())),
                                    ("type", Node::text(self.exception)),
                                    ("stacktrace", Node::text("   at Microsoft.Exchange.Configuration.Tasks.Task()")),
                                ]),
                            ),
                        ]),
                    ),
                ]),
            ),
            ("adminapi.warnings@odata.type", Node::text("#Collection(String)")),
            ("@adminapi.warnings", Node::List(Vec::new())),
        ])
    }
}

/// The envelope of an error that no cmdlet made.
pub(crate) fn plain_envelope(code: &'static str, message: &'static str) -> Node {
    Node::object([("error", Node::object([("code", Node::text(code)), ("message", Node::text(message))]))])
}
