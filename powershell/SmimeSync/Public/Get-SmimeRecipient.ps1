function Get-SmimeRecipient {
    <#
    .SYNOPSIS
    Reads recipients and their certificates from Exchange Online.

    .DESCRIPTION
    Emits mailboxes, mail users and mail contacts with what they hold in UserCertificate and UserSMimeCertificate.

    .PARAMETER Identity
    Recipients, by GUID, mail address or user principal name; or objects that have such a property. Null or empty is
    an error, never everybody.

    .PARAMETER Filter
    An OPATH filter, as Get-Recipient takes it.

    .PARAMETER RecipientTypeDetails
    Kinds of recipients.

    .PARAMETER ResultSize
    How many recipients are read at most: a number, or Unlimited. 1000 if absent; reaching it is a warning.

    .EXAMPLE
    Get-SmimeRecipient anna@contoso.com | Select-Object -ExpandProperty Certificates

    .EXAMPLE
    Get-SmimeRecipient -Filter "Department -eq 'IT'" -ResultSize Unlimited

    .INPUTS
    Text, or objects with Recipient, ExternalDirectoryObjectId, PrimarySmtpAddress, UserPrincipalName, Mail or Identity.

    .OUTPUTS
    SmimeSync.Recipient
    #>
    [CmdletBinding()]
    [OutputType('SmimeSync.Recipient')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateNotNullOrEmpty()] [string] $Filter,
        [ValidateSet('UserMailbox', 'SharedMailbox', 'RoomMailbox', 'EquipmentMailbox', 'MailUser', 'GuestMailUser', 'MailContact')]
        [string[]] $RecipientTypeDetails,
        [string] $ResultSize = '1000'
    )

    begin {
        $recipients = New-Object -TypeName System.Collections.Generic.List[string]
        $session = Get-SmimeSession -Caller $PSCmdlet
    }
    process {
        if ($PSBoundParameters.ContainsKey('Identity')) {
            foreach ($recipient in (ConvertTo-SmimeIdentity -InputObject $Identity -For Exchange -Caller $PSCmdlet)) { $recipients.Add($recipient) }
        }
    }
    end {
        # A pipeline or a list that named nobody is not everybody.
        if ($recipients.Count -eq 0 -and ($MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity'))) { return }
        $options = [ordered]@{}
        if ($recipients.Count -gt 0) { $options.identities = $recipients.ToArray() }
        if ($Filter) { $options.recipient_filter = $Filter }
        if ($RecipientTypeDetails) { $options.types = @($RecipientTypeDetails) }
        $limit = ConvertTo-SmimeLimit -ResultSize $ResultSize -Caller $PSCmdlet
        if ($limit) { $options.limit = $limit }
        Receive-SmimeRow -Session $session -Verb 'recipients' -Option $options -Caller $PSCmdlet -Activity $Script:Text.ActivityRecipients -FailedRows List
    }
}
