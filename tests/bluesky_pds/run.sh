#!/bin/sh
# Starts the Bluesky reference server for Fanfare's tests; see start.mjs for the options and for what it prints.
# The first run installs the packages, which takes a minute or two and 250 MB; `--install-only` does no more than that.
# Needs Node 20.11 or newer with npm, and a C++ compiler where no prebuilt better-sqlite3 is to be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# Two tests may start at once: the second waits for the first one's installation instead of damaging it.
exec 9<"$here/package-lock.json"
if command -v flock >/dev/null; then flock 9; fi

# The native addon fits one Node ABI only, so a change of Node needs a new installation as much as a change of packages.
installed=$here/node_modules/.fanfare-installed
wanted=$({ node -p process.versions.modules; cat "$here/package.json" "$here/package-lock.json"; } | cksum)
if [ "$(cat "$installed" 2>/dev/null)" != "$wanted" ]; then
    # Standard output belongs to the one line of JSON, and standard input to whoever started us.
    npm ci --prefix "$here" --no-audit --no-fund --loglevel=error </dev/null >&2
    echo "$wanted" >"$installed"
fi

exec 9<&-
if [ "${1-}" = --install-only ]; then exit 0; fi
exec node "$here/start.mjs" "$@"
