# A time as the library reads it: RFC 3339 in UTC.
function ConvertTo-SmimeTime {
    [OutputType([string])]
    param([Parameter(Mandatory = $true)] [datetime] $Time)

    $Time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", [System.Globalization.CultureInfo]::InvariantCulture)
}
