# The demo's admin: one PowerShell session that runs verbs through the module. Each line on the standard input names a
# verb, a file and maybe a person; the rows go to the file as JSON lines, and the answer is "done" or "failed".
param([string] $Library, [string] $Configuration)

Import-Module -Name "$PSScriptRoot/../powershell/SmimeSync" -ArgumentList $Library -ErrorAction Stop
Connect-SmimeSync -Configuration $Configuration -ErrorAction Stop
while ($line = [Console]::In.ReadLine()) {
    $verb, $file, $identity = $line -split "`t"
    $answer = 'done'
    try {
        & {
            switch ($verb) {
                'check' { Test-SmimeSyncConnection -ErrorAction Stop }
                'compare' { Compare-SmimeCertificate -IncludeEqual -ErrorAction Stop }
                'sync' { Sync-SmimeCertificate -IncludeEqual -Confirm:$false -ErrorAction Stop }
                'validate' { Test-SmimeCertificate -Identity $identity -ErrorAction Stop }
            }
        } | ForEach-Object -Process { ConvertTo-Json -InputObject $_ -Compress -Depth 4 } | Set-Content -Path $file -Encoding utf8
    }
    catch {
        $answer = 'failed'
        [Console]::Error.WriteLine($_)
    }
    [Console]::Out.WriteLine($answer)
}
Disconnect-SmimeSync
