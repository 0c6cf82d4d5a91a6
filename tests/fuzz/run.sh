#!/bin/sh
# Asks the whole API of a real Fanfare, with simulated platforms, what its OpenAPI description allows and what it does
# not allow. No answer may be a 5xx, and each has to be as it is described.
# Usage: run.sh --install-only, or run.sh BINARY [options for `schemathesis run`].
# Needs Python 3.10 or newer; the first run installs schemathesis, which takes half a minute and 100 MB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${CARGO_TARGET_DIR:-$here/../../target}/fuzz/venv
wanted=$(cksum <"$here/requirements.txt")
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
    echo "$wanted" >"$venv/installed"
fi
if [ "${1-}" = --install-only ]; then exit 0; fi
fanfare=$1
shift

place=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" || true; fi
    rm -rf "$place"
}
trap finish EXIT
trap 'exit 1' INT TERM

export FANFARE_DATA__DIRECTORY="$place/data" FANFARE_LIMITS__REQUESTS_PER_MINUTE=0
key=$("$fanfare" init --json | sed -n 's/.*"key": *"\([^"]*\)".*/\1/p')
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export FANFARE_SERVER__LISTEN="127.0.0.1:$port"
"$fanfare" serve --sandbox --sandbox-listen 127.0.0.1:0 >"$place/log" 2>&1 &
server=$!
tries=0
until "$fanfare" healthcheck >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then cat "$place/log" >&2; exit 1; fi
    sleep 0.1
done

# The token of a link has a length that random text almost never has: the check of the generator's health is about that.
checks=not_a_server_error,status_code_conformance,content_type_conformance
checks=$checks,response_schema_conformance,response_headers_conformance
status=0
"$venv/bin/schemathesis" run "http://127.0.0.1:$port/openapi.json" -H "Authorization: Bearer $key" \
    --checks "$checks" --seed 7 --request-timeout 30 --continue-on-failure --no-color --warnings off \
    --generation-database none --suppress-health-check filter_too_much "$@" || status=$?
if [ $status -ne 0 ]; then tail -n 40 "$place/log" >&2; fi
exit $status
