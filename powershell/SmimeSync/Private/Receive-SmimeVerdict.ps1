# Judges the certificates and files gathered so far and empties the batch. Without a session one is opened for the call.
function Receive-SmimeVerdict {
    param(
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Batch,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Common,
        [AllowNull()] [string[]] $EmailAddress,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    $options = [ordered]@{}
    foreach ($key in $Common.Keys) { $options[$key] = $Common[$key] }
    if ($Batch.Certificates.Count -gt 0) { $options.certificates = $Batch.Certificates.ToArray() }
    if ($Batch.Files.Count -gt 0) { $options.files = $Batch.Files.ToArray() }
    $identity = $null
    if ($EmailAddress) { $options.emails = @($EmailAddress) }
    elseif ($Batch.Person) {
        $primary = $Batch.Person.PrimarySmtpAddress
        $addresses = @($primary) + @($Batch.Person.Addresses | Where-Object -FilterScript { $_ -ne $primary }) | Where-Object -FilterScript { $_ }
        if ($addresses) { $options.emails = @($addresses) }
        $identity = $Batch.Person.Identity
    }
    $Batch.Certificates.Clear()
    $Batch.Files.Clear()
    $Batch.Person = $null

    $session = $null
    $temporary = $null
    if ($Script:Connection) { $session = $Script:Connection.Session }
    else {
        Import-SmimeLibrary -Caller $Caller
        $temporary = Open-SmimeSession -Configuration ([System.Text.Encoding]::UTF8.GetBytes('{}')) -BaseDirectory (Resolve-SmimePath -Path '.' -Caller $Caller) -Caller $Caller
        $session = $temporary
    }
    try {
        Receive-SmimeRow -Session $session -Verb 'validate' -Option $options -Caller $Caller -Activity $Script:Text.ActivityValidate | ForEach-Object -Process {
            if ($identity) { $_.SetPerson($identity) }
            $_
        }
    }
    finally {
        if ($temporary) { $temporary.Dispose() }
    }
}
