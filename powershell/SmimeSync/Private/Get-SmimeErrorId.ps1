# SmimeSync.<Area>.<Reason> of a code: its name without the area it begins with. A code of a newer library has no name
# here and goes by its category.
function Get-SmimeErrorId {
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [int] $Code,
        [string] $Area,
        [string] $Category
    )

    $pascal = { param($name) -join ($name -split '_' | ForEach-Object -Process { if ($_) { $_.Substring(0, 1).ToUpperInvariant() + $_.Substring(1) } }) }
    $areaName = & $pascal $Area
    $reason = [System.Enum]::GetName([SmimeSync.Code], $Code)
    if (-not $reason) { $reason = & $pascal $Category }
    if ($reason.StartsWith($areaName) -and $reason.Length -gt $areaName.Length) { $reason = $reason.Substring($areaName.Length) }
    "SmimeSync.$areaName.$reason"
}
