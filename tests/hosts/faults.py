#!/usr/bin/env python3
"""Holds every host to the same expectation of bad input (faults.json).

    faults.py run PREFIX HOST...   sets the stage, runs HOST CONFIG VERB OPTIONS for each fault, and prints
                                   "ok PREFIX/fault", "FAILED PREFIX/fault: reason" or "SKIPPED PREFIX/fault: reason";
                                   exit code 1 after a failure
    faults.py stage FOLDER         sets the stage for a host that runs itself: FOLDER/cases.json appears when it stands;
                                   it is taken down when FOLDER/stop does
    faults.py verify FOLDER        whether the faults left everything as it should be; exit code 1 if not

SMIMESYNC_COMPANY and SMIMESYNC_TENANT name the two programs, SMIMESYNC_POOL, where set, the folder of the company's keys.
"""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
OPENLDAP = HERE.parent / "servers" / "openldap.sh"


def main():
    command, *rest = sys.argv[1:] or [""]
    if command == "run" and len(rest) > 1:
        return run(rest[0], rest[1:])
    if command == "stage" and len(rest) == 1:
        return hold(pathlib.Path(rest[0]))
    if command == "verify" and len(rest) == 1:
        return report("verify", verify(pathlib.Path(rest[0])))
    sys.exit(__doc__)


def run(prefix, host):
    failed = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        for case in stage(folder, stack):
            name = f"{prefix}/{case['name'].replace(' ', '-')}"
            if case["skip"]:
                print(f"SKIPPED {name}: {case['skip']}")
            else:
                failed |= report(name, differences(case, host))
        failed |= report(f"{prefix}/nothing-half-written", verify(folder))
    return failed


def report(name, reasons):
    print(f"FAILED {name}: {'; '.join(reasons)}" if reasons else f"ok {name}", flush=True)
    return 1 if reasons else 0


def differences(case, host):
    """What a host did otherwise than expected."""
    options = {"identities": case["identities"]} if case["identities"] else {}
    done = subprocess.run([*host, case["config"], case["verb"], json.dumps(options)], capture_output=True, text=True)
    errors = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    if len(errors) != 1:
        return [f"{len(errors)} errors instead of one: {done.stderr.strip()}"]
    seen = {**errors[0], "exit": done.returncode}
    reasons = [f"{key} is {seen[key]!r}, expected {value!r}" for key, value in case["expected"].items() if seen[key] != value]
    if not seen["message"] or "\n" in seen["message"]:
        reasons.append(f"the message is {seen['message']!r}")
    return reasons


def verify(folder):
    """What the faults left that they should not have: open writes, runs without an end, values that are gone."""
    reasons = []
    with contextlib.closing(sqlite3.connect(folder / "company" / "state.db")) as store:
        count = lambda question: store.execute(question).fetchone()[0]
        if not count("SELECT count(*) FROM runs"):
            reasons.append("no run is on record")
        if count("SELECT count(*) FROM runs WHERE ended IS NULL OR result IS NULL OR result IN ('done', 'interrupted')"):
            reasons.append("a run has no end, or a good one")
        if count("SELECT count(*) FROM runs WHERE result = 'failed' AND error_code IS NULL"):
            reasons.append("a run failed without a reason")
        if count("SELECT count(*) FROM journal WHERE state IN ('pending', 'written')"):
            reasons.append("a write is open")
    before = json.loads((folder / "company" / "tenant.json").read_text())
    now = get(json.loads((folder / "ready").read_text())["http"] + "/control/state")
    held = {recipient["guid"]: recipient for recipient in now["recipients"]}
    for recipient in before["recipients"]:
        for attribute in ("user_certificate", "user_smime_certificate"):
            if set(recipient.get(attribute, [])) - set(held[recipient["guid"]].get(attribute, [])):
                reasons.append(f"{recipient['primary_smtp_address']} lost a value of {attribute}")
    return reasons


def hold(folder):
    with contextlib.ExitStack() as stack:
        cases = json.dumps(list(stage(folder, stack)))
        (folder / "cases.tmp").write_text(cases)
        (folder / "cases.tmp").rename(folder / "cases.json")
        while not (folder / "stop").exists():
            time.sleep(0.1)
    return 0


def stage(folder, stack):
    """Starts every server and writes a configuration for each fault; gives the faults with their places filled in."""
    company = folder / "company"
    pool = os.environ.get("SMIMESYNC_POOL", str(folder / "pool"))
    make = ["make", "--people", "40", "--seed", "1", "--at", "2026-11-20T00:00:00Z", "--out", str(company), "--pool", pool]
    quiet([os.environ["SMIMESYNC_COMPANY"], *make])
    (company / "garbage.pem").write_text("this holds nothing that can be read\n")
    stranger, key = company / "stranger.pem", folder / "stranger.key"
    quiet(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
           "-subj", "/CN=Stranger", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(stranger)])
    tenant = start_tenant(folder, stranger, key, stack)
    state = json.loads((company / "tenant.json").read_text())
    app, domain = state["apps"][0], state["tenant"]["domain"]
    places = {
        "folder": str(company), "http": tenant["http"], "https": tenant["https"],
        "closed": "127.0.0.1:%d" % free_port(), "token": expired_token(tenant["http"], domain, app),
    }
    people = entries((company / "people.ldif").read_text())
    places["domain"] = ",".join(part for part in people[0][0].split(",") if part.upper().startswith("DC="))
    places["stops"] = stopping_directory(people, stack)
    no_slapd = start_slapd(folder, places, stack)
    base = json.loads((company / "company.json").read_text())
    auth = {"method": "secret", "app_id": app["app_id"], "secret": app["secret"]}
    base["exchange"] = {"organization": domain, "auth": auth, "admin_url": tenant["http"], "authority_url": tenant["http"]}
    base["directory"] = {"kind": "ldif", "path": "people.ldif"}
    base["store"] = {"path": "state.db"}
    for number, case in enumerate(json.loads((HERE / "faults.json").read_text())):
        skip = no_slapd if case.get("needs") == "slapd" else None
        path = company / f"fault-{number}.json"
        if not skip:
            path.write_text(json.dumps(merged(base, filled(case["config"], places))))
        yield {
            "name": case["name"], "skip": skip, "config": str(path), "verb": case["verb"],
            "identities": case.get("identities"), "expected": case["expected"] if skip else filled(case["expected"], places),
        }


def start_tenant(folder, certificate, key, stack):
    ready = folder / "ready"
    process = subprocess.Popen([
        os.environ["SMIMESYNC_TENANT"], "--state", str(folder / "company" / "tenant.json"), "--ready", str(ready),
        "--tls-listen", "127.0.0.1:0", "--tls-certificate", str(certificate), "--tls-key", str(key),
    ])
    stack.callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(100):
        if ready.exists():
            return json.loads(ready.read_text())
        time.sleep(0.1)
    raise SystemExit("the tenant's double does not start")


def expired_token(url, domain, app):
    """A token that was good for a second."""
    post(url + "/control/switches", json.dumps({"token_lifetime_s": 1}).encode(), "application/json")
    form = {"client_id": app["app_id"], "client_secret": app["secret"], "grant_type": "client_credentials",
            "scope": "https://outlook.office365.com/.default"}
    answer = post(f"{url}/{domain}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")
    post(url + "/control/switches", json.dumps({"token_lifetime_s": None}).encode(), "application/json")
    time.sleep(1.5)
    return answer["access_token"]


def start_slapd(folder, places, stack):
    """Why there is no slapd, or nothing."""
    if not (shutil.which("slapd") or os.path.exists("/usr/sbin/slapd")):
        return "there is no slapd"
    script = ["bash", str(OPENLDAP), "-d", str(folder / "slapd"), "-p", str(free_port()), "-t", str(free_port())]
    stack.callback(quiet, [*script, "clean"])
    facts = quiet([*script, "start"])
    facts = dict(line.split("=", 1) for line in facts.splitlines() if "=" in line)
    fact = lambda name: facts[name].strip("'")
    places.update(ldap=fact("OL_LDAP_URL"), ldaps=fact("OL_LDAPS_URL"), base=fact("OL_BASE_DN"), ldap_ca=fact("OL_CA_FILE"))
    return None


def stopping_directory(people, stack):
    """An LDAP server that gives half of its people and closes the connection in the middle of a page."""
    def operation(tag, *parts):
        content = b"".join(parts)
        return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content

    text = lambda value: operation(0x04, value)
    success = (operation(0x0A, b"\0"), text(b""), text(b""))

    def entry(dn, attributes):
        values = [operation(0x30, text(name.encode()), operation(0x31, *map(text, found))) for name, found in attributes.items()]
        return operation(0x64, text(dn.encode()), operation(0x30, *values))

    def base_of(request):
        """Tag and length of a SearchRequest's baseObject, behind the request's own length."""
        start = 5 + (request[4] - 128 if request[4] > 127 else 0)
        return request[start : start + 2]

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self):
            while head := self.rfile.read(2):
                length = head[1]
                if length > 127:
                    length = int.from_bytes(self.rfile.read(length - 128), "big")
                request = self.rfile.read(length)
                answer = lambda content: self.wfile.write(operation(0x30, request[:3], content))
                if request[3] == 0x60:
                    answer(operation(0x61, *success))
                elif request[3] == 0x63 and base_of(request) == b"\x04\x00":
                    # the root DSE
                    answer(operation(0x65, *success))
                else:
                    for dn, attributes in people[: len(people) // 2]:
                        answer(entry(dn, attributes))
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Conversation)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    return "ldap://127.0.0.1:%d" % server.server_address[1]


def entries(ldif):
    """DN and attributes of the entries that have a certificate."""
    found = []
    for record in ldif.replace("\r\n", "\n").replace("\n ", "").split("\n\n"):
        dn, attributes = None, {}
        for line in record.splitlines():
            name, _, value = line.partition(":")
            value = base64.b64decode(value[1:]) if value.startswith(":") else value.strip().encode()
            if name == "dn":
                dn = value.decode()
            elif dn:
                attributes.setdefault(name, []).append(value)
        if any(name.lower().startswith("usercertificate") for name in attributes):
            found.append((dn, attributes))
    return found


def filled(value, places):
    if isinstance(value, str):
        for name, place in places.items():
            value = value.replace("{%s}" % name, place)
        return value
    if isinstance(value, list):
        return [filled(item, places) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, places) for key, item in value.items()}
    return value


def merged(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def quiet(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def get(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def post(url, data, content_type):
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": content_type})) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
