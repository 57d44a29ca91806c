# What can be shown of a configuration: no secret, nothing that needs the network.
function ConvertTo-SmimeConnection {
    [OutputType('SmimeSync.Connection')]
    param(
        [AllowNull()] [object] $Content,
        [string] $Configuration
    )

    $find = {
        param($path)
        $value = $Content
        foreach ($name in $path) {
            if ($value -isnot [System.Management.Automation.PSCustomObject] -or -not $value.PSObject.Properties[$name]) { return }
            $value = $value.$name
        }
        $value
    }
    $places = {
        param($names)
        foreach ($section in (@(& $find @('directory')) + @(& $find @('directories')))) {
            foreach ($name in $names) {
                if ($section -is [System.Management.Automation.PSCustomObject] -and $section.PSObject.Properties[$name]) { $section.$name }
            }
        }
    }
    $directory = & $places @('path', 'domain', 'urls')
    $base = & $places @('base', 'bases')
    [pscustomobject]@{
        PSTypeName     = 'SmimeSync.Connection'
        ConnectionId   = [guid]::NewGuid()
        State          = 'Connected'
        Directory      = ($directory -join '; ')
        Base           = ($base -join '; ')
        Organization   = & $find @('exchange', 'organization')
        AppId          = & $find @('exchange', 'auth', 'app_id')
        Store          = & $find @('store', 'path')
        Configuration  = $Configuration
        LibraryVersion = [SmimeSync.Library]::Version
        LibraryPath    = [SmimeSync.Library]::Path
        ConnectedAt    = [datetime]::UtcNow
    }
}
