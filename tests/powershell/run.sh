#!/bin/sh
# Runs the Pester tests where there is a PowerShell with Pester 5. Prints "ok name", "FAILED name: reason" or
# "SKIPPED name: reason"; exit code 1 after a failure.
#
#   SMIMESYNC_LIBRARY   the built library's file
#   SMIMESYNC_COMPANY   the program smimesync-company    } for the behaviour
#   SMIMESYNC_TENANT    the program smimesync-tenant     } of the cmdlets
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${SMIMESYNC_LIBRARY:?the built library}"
if ! command -v pwsh > /dev/null 2>&1; then
    echo "SKIPPED powershell: there is no pwsh"
    exit 0
fi
if ! pwsh -NoProfile -NonInteractive -Command 'exit [int](-not (Get-Module Pester -ListAvailable | Where-Object { $_.Version.Major -ge 5 }))'; then
    echo "SKIPPED powershell: there is no Pester 5"
    exit 0
fi
exec pwsh -NoProfile -NonInteractive -File "$here/Invoke-Test.ps1"
