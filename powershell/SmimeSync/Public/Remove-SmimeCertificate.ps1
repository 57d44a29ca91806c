function Remove-SmimeCertificate {
    <#
    .SYNOPSIS
    Takes expired or unfit certificates out of the directory.

    .DESCRIPTION
    Removes values of userCertificate and userSMIMECertificate from users and contacts, by naming each value, so that
    values of others are never touched. Certificates that are not made for S/MIME belong to other systems and stay.

    Every entry asks for confirmation: answer A for all of them, or use -Confirm:$false. -WhatIf writes nothing; the
    objects it emits have the Result planned. A guard stops a run before its first change where too much would go. After
    a read of the directory that did not come to its end nothing is removed.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; or objects that have such a property.
    Everybody if absent. Null or empty is an error, never everybody.

    .PARAMETER Only
    Expired (the default), or Unfit: expired, revoked, weak, for another person, or not usable for mail by its key usage.

    .PARAMETER Thumbprint
    SHA-1 thumbprints of the certificates that may go. All that are expired or unfit if absent.

    .PARAMETER BackupPath
    A folder. What is removed is saved there before: a file for each value, and a list.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER Staging
    Does everything but write, and keeps the run on record.

    .PARAMETER Force
    Names of guards to lift once.

    .EXAMPLE
    Remove-SmimeCertificate -WhatIf

    .EXAMPLE
    Remove-SmimeCertificate -Only Unfit -BackupPath C:\Backup -Confirm:$false

    .INPUTS
    Text, or objects with Identity, UserPrincipalName, PrimarySmtpAddress, Mail or DistinguishedName.

    .OUTPUTS
    SmimeSync.DirectoryChange
    #>
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    [OutputType('SmimeSync.DirectoryChange')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateSet('Expired', 'Unfit')] [string] $Only = 'Expired',
        [ValidateNotNullOrEmpty()] [string[]] $Thumbprint,
        [ValidateNotNullOrEmpty()] [string] $BackupPath,
        [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [switch] $Staging,
        [ValidateSet('max_removals', 'max_removals_percent', 'max_people_losing_last', 'max_people_losing_last_percent')]
        [string[]] $Force
    )

    begin {
        $people = New-Object -TypeName System.Collections.Generic.List[string]
        $session = Get-SmimeSession -Caller $PSCmdlet
    }
    process {
        if ($PSBoundParameters.ContainsKey('Identity')) {
            foreach ($person in (ConvertTo-SmimeIdentity -InputObject $Identity -For Directory -Caller $PSCmdlet)) { $people.Add($person) }
        }
    }
    end {
        # A pipeline or a list that named nobody is not everybody.
        $isNamed = $MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity')
        if ($isNamed -and $people.Count -eq 0) { return }
        $options = ConvertTo-SmimeSelection -Identity $people -Bound $PSBoundParameters -ResultSize 'Unlimited' -Caller $PSCmdlet
        $options.only = $Only.ToLowerInvariant()
        if ($Thumbprint) { $options.thumbprints = @($Thumbprint) }
        if ($BackupPath) { $options.backup_to = Resolve-SmimePath -Path $BackupPath -Caller $PSCmdlet }
        if ($Force) { $options.force = @($Force) }
        $run = @{ Session = $session; Caller = $PSCmdlet; Verb = 'prune'; Option = $options; Activity = $Script:Text.ActivityPrune }
        if ($Staging) {
            $options.staging = $true
            Receive-SmimeRow @run
        }
        elseif ($ConfirmPreference -eq 'None' -and -not $WhatIfPreference) {
            if ($PSCmdlet.ShouldProcess([string] $Script:Connection.Info.Directory, $Script:Text.PruneAction)) { Receive-SmimeRow @run }
        }
        else { Invoke-SmimeAgreedChange @run }
    }
}
