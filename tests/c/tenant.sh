# Sourced: a company of 40 people and the tenant's double for it, with a configuration that names both.
# start_tenant FOLDER makes FOLDER/company/config.json; stop_tenant saves the state to FOLDER/company/saved.json.

start_tenant() {
    "$SMIMESYNC_COMPANY" make --people 40 --seed 1 --at 2026-11-20T00:00:00Z --out "$1/company" --pool "${SMIMESYNC_POOL:-$1/pool}" > "$1/tenant.log" 2>&1 || return 1
    "$SMIMESYNC_TENANT" --state "$1/company/tenant.json" --save "$1/company/saved.json" --ready "$1/ready" >> "$1/tenant.log" 2>&1 &
    tenant_pid=$!
    tries=0
    until [ -s "$1/ready" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.1
    done
    python3 - "$1" << 'PYTHON'
import json, sys
folder = sys.argv[1] + "/company/"
config = json.load(open(folder + "company.json"))
state = json.load(open(folder + "tenant.json"))
url = json.load(open(sys.argv[1] + "/ready"))["http"]
app = state["apps"][0]
config["directory"] = {"kind": "ldif", "path": "people.ldif"}
config["exchange"] = {
    "organization": state["tenant"]["domain"],
    "auth": {"method": "secret", "app_id": app["app_id"], "secret": app["secret"]},
    "admin_url": url,
    "authority_url": url,
}
config["store"] = {"path": "state.db"}
json.dump(config, open(folder + "config.json", "w"), indent=1)
PYTHON
}

stop_tenant() {
    kill "$tenant_pid"
    wait "$tenant_pid"
    tenant_pid=
}
