# Plans changes of the directory, asks for each entry, then makes those that were agreed to.
function Invoke-SmimeAgreedChange {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSShouldProcess', '', Justification = 'It asks for its caller, which supports it.')]
    param(
        [Parameter(Mandatory = $true)] [string] $Verb,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Option,
        [Parameter(Mandatory = $true)] [string] $Activity,
        [Parameter(Mandatory = $true)] [SmimeSync.Session] $Session,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    $receive = @{ Session = $Session; Caller = $Caller; Verb = $Verb; Activity = $Activity; Option = $Option }
    $agreed = New-Object -TypeName System.Collections.Generic.List[string]
    $Option.staging = $true
    # By name: a person can have an entry in each of several directories, and each is agreed to by itself.
    foreach ($entry in (Receive-SmimeRow @receive | Group-Object -Property DistinguishedName)) {
        $actions = foreach ($change in $entry.Group) {
            if ($change.Result -ne 'planned') { continue }
            $added = if ($change.Added) { $change.Added.Count } else { 0 }
            $removed = if ($change.Removed) { $change.Removed.Count } else { 0 }
            $Script:Text.ChangeAction -f $change.Action, $change.Attribute, $added, $removed
        }
        $isAgreed = $false
        try {
            if ($actions -and $Caller.ShouldProcess($entry.Group[0].DistinguishedName, ($actions -join ', '))) { $isAgreed = $true }
        }
        catch {
            # Nobody can be asked here (-NonInteractive, no input): one error, instead of one for each entry.
            $message = $Script:Text.CannotPrompt -f $_.Exception.GetBaseException().Message
            $Caller.ThrowTerminatingError((ConvertTo-SmimeHostError -Reason 'CannotPrompt' -Category InvalidOperation -TargetObject $entry.Group[0] -Message $message -Remedy $Script:Text.CannotPromptRemedy))
        }
        if ($isAgreed) { $agreed.Add($entry.Name) } else { $entry.Group }
    }
    if ($agreed.Count -gt 0) {
        $Option.Remove('staging')
        $Option.identities = $agreed.ToArray()
        Receive-SmimeRow @receive
    }
}
