# The parameters that narrow what is read, as the library's options.
function ConvertTo-SmimeSelection {
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param(
        [AllowEmptyCollection()] [string[]] $Identity,
        [Parameter(Mandatory = $true)] [System.Collections.IDictionary] $Bound,
        [Parameter(Mandatory = $true)] [AllowEmptyString()] [string] $ResultSize,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCmdlet] $Caller
    )

    $options = [ordered]@{}
    if ($Identity) { $options.identities = $Identity }
    if ($Bound.ContainsKey('LdapFilter')) { $options.filter = $Bound['LdapFilter'] }
    if ($Bound.ContainsKey('SearchBase')) { $options.bases = @($Bound['SearchBase']) }
    $limit = ConvertTo-SmimeLimit -ResultSize $ResultSize -Caller $Caller
    if ($limit) { $options.limit = $limit }
    $options
}
