function Sync-SmimeCertificate {
    <#
    .SYNOPSIS
    Makes Exchange Online hold the right certificates.

    .DESCRIPTION
    Plans first, as Compare-SmimeCertificate does, asks for each change, then makes the changes that were agreed to.
    Objects of Compare-SmimeCertificate can be piped in; then just these changes are made, where the recipient still is
    as it was. A recipient that differs meanwhile is reported and left alone.

    Every change asks for confirmation: answer A for all of them, or use -Confirm:$false in scheduled tasks. -WhatIf
    writes nothing; the objects it emits have the Result planned.

    Stopping the command ends the run after the write in flight; so does Select-Object -First behind it.

    A guard stops a run before its first write where too much would be removed; -Force lifts the named guard once.

    .PARAMETER Identity
    People, by distinguished name, GUID, user principal name or mail address; or objects that have such a property; or
    objects of Compare-SmimeCertificate. Everybody if absent. Null or empty is an error, never everybody.

    .PARAMETER LdapFilter
    An LDAP filter that people must match, too.

    .PARAMETER SearchBase
    Distinguished names below which people are.

    .PARAMETER ResultSize
    How many people are read at most: a number, or Unlimited, which it is if absent.

    .PARAMETER PolicyType
    Initial looks at everybody, Delta at what changed or fell due since the last run that wrote. If absent, Delta where
    that is possible and nobody is selected; a selection is looked at in any case.

    .PARAMETER Staging
    Does everything but write, and keeps the run on record.

    .PARAMETER Force
    Names of guards to lift once.

    .PARAMETER IncludeEqual
    Emits attributes that are as they should be, too (Action none).

    .EXAMPLE
    Sync-SmimeCertificate -WhatIf

    .EXAMPLE
    Compare-SmimeCertificate | Where-Object { -not $_.Removed } | Sync-SmimeCertificate -Confirm:$false

    .EXAMPLE
    Sync-SmimeCertificate -Confirm:$false | Where-Object Result -eq failed

    .EXAMPLE
    Sync-SmimeCertificate -Confirm:$false -Force max_removals

    .INPUTS
    SmimeSync.PlannedChange, text, or objects with Identity, UserPrincipalName, PrimarySmtpAddress, Mail or
    DistinguishedName.

    .OUTPUTS
    SmimeSync.AppliedChange
    #>
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
    [OutputType('SmimeSync.AppliedChange')]
    param(
        [Parameter(Position = 0, ValueFromPipeline = $true)]
        [AllowNull()] [AllowEmptyString()] [AllowEmptyCollection()] [object[]] $Identity,
        [ValidateNotNullOrEmpty()] [string] $LdapFilter,
        [ValidateNotNullOrEmpty()] [string[]] $SearchBase,
        [string] $ResultSize = 'Unlimited',
        [ValidateSet('Delta', 'Initial')] [string] $PolicyType,
        [switch] $Staging,
        [ValidateSet('max_removals', 'max_removals_percent', 'max_people_losing_last', 'max_people_losing_last_percent', 'max_shrink_percent', 'max_newly_unfit_percent', 'max_clock_skew_ms', 'scope')]
        [string[]] $Force,
        [switch] $IncludeEqual
    )

    begin {
        $people = New-Object -TypeName System.Collections.Generic.List[string]
        $planned = New-Object -TypeName System.Collections.Generic.List[object]
        $session = Get-SmimeSession -Caller $PSCmdlet
    }
    process {
        if ($PSBoundParameters.ContainsKey('Identity')) {
            if ($null -eq $Identity -or $Identity.Count -eq 0) { $null = ConvertTo-SmimeIdentity -InputObject $Identity -For Directory -Caller $PSCmdlet }
            foreach ($item in $Identity) {
                if ($item -is [SmimeSync.PlannedChange]) { $planned.Add($item); continue }
                foreach ($person in (ConvertTo-SmimeIdentity -InputObject (, $item) -For Directory -Caller $PSCmdlet)) { $people.Add($person) }
            }
        }
    }
    end {
        # A pipeline or a list that named nobody is not everybody.
        $isNamed = $MyInvocation.ExpectingInput -or $PSBoundParameters.ContainsKey('Identity')
        if ($isNamed -and $people.Count -eq 0 -and $planned.Count -eq 0) { return }
        $receive = @{ Session = $session; Caller = $PSCmdlet }

        if ($people.Count -gt 0 -or -not $isNamed) {
            $options = ConvertTo-SmimeSelection -Identity $people -Bound $PSBoundParameters -ResultSize $ResultSize -Caller $PSCmdlet
            if ($PolicyType) { $options.policy_type = $PolicyType.ToLowerInvariant() }
            # Where nobody is asked about single changes it is one run: guards see all of it, and it is remembered as one.
            $isUnasked = $ConfirmPreference -eq 'None' -and -not $WhatIfPreference
            if ($planned.Count -eq 0 -and ($Staging -or $isUnasked)) {
                if ($Staging) { $options.staging = $true }
                if ($Force) { $options.force = @($Force) }
                if ($Staging -or $PSCmdlet.ShouldProcess([string] $Script:Connection.Info.Organization, $Script:Text.SyncAction)) {
                    Receive-SmimeRow @receive -Verb 'sync' -Option $options -Activity $Script:Text.ActivitySync -SkipUnchanged:(-not $IncludeEqual)
                }
                return
            }
            foreach ($change in (Receive-SmimeRow @receive -Verb 'compare' -Option $options -Activity $Script:Text.ActivityCompare -SkipUnchanged:(-not $IncludeEqual))) { $planned.Add($change) }
        }

        $chosen = [ordered]@{}
        $left = New-Object -TypeName System.Collections.Generic.List[object]
        foreach ($change in $planned) {
            if ($change.ErrorCode) { $left.Add([SmimeSync.AppliedChange]::Of($change, 'failed')); continue }
            if ($change.Action -ne 'set' -and $change.Action -ne 'clear') { $left.Add([SmimeSync.AppliedChange]::Of($change, 'skipped')); continue }
            $added = if ($change.Added) { $change.Added.Count } else { 0 }
            $removed = if ($change.Removed) { $change.Removed.Count } else { 0 }
            $action = $Script:Text.ChangeAction -f $change.Action, $change.Attribute, $added, $removed
            try {
                if ($PSCmdlet.ShouldProcess($change.GetIdentity(), $action)) {
                    if (-not $chosen.Contains($change.Run)) { $chosen[$change.Run] = New-Object -TypeName System.Collections.Generic.List[long] }
                    $chosen[$change.Run].Add($change.Change)
                }
                else {
                    $left.Add([SmimeSync.AppliedChange]::Of($change, 'planned'))
                }
            }
            catch {
                # Nobody can be asked here (-NonInteractive, no input): one error, instead of one for each change.
                $message = $Script:Text.CannotPrompt -f $_.Exception.GetBaseException().Message
                $PSCmdlet.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'CannotPrompt' -Category InvalidOperation -TargetObject $change -Message $message -Remedy $Script:Text.CannotPromptRemedy))
            }
        }

        $left
        foreach ($run in $chosen.Keys) {
            $options = [ordered]@{ run = $run; changes = $chosen[$run].ToArray() }
            if ($Staging) { $options.staging = $true }
            if ($Force) { $options.force = @($Force) }
            Receive-SmimeRow @receive -Verb 'sync' -Option $options -Activity $Script:Text.ActivitySync
        }
    }
}
