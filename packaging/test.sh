#!/usr/bin/env bash
# Installs what is missing, builds, runs every test. The last line is "N passed, N failed", and ", N skipped" where
# some need what is not there. Exit status 1 when one failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
bash packaging/build.sh

export QT_QPA_PLATFORM=offscreen
report=$PWD/build/release/tests.xml
rm -f "$report"
status=0
ctest --preset release -j2 --output-junit "$report" || status=$?
[ -s "$report" ] || { echo "error: test: CTest ran no test; see its messages above" >&2; exit 1; }

# A test whose program is missing counts as failed; only what asked to be skipped is skipped.
count() { grep -cE "$1" "$report" || true; }
tests=$(count '^\s*<testcase .* status="[a-z]+">$')
passed=$(count '^\s*<testcase .* status="run">$')
skipped=$(count '^\s*(<skipped message="SKIP_|<testcase .* status="disabled">$)')
failed=$((tests - passed - skipped))
line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" = 0 ] && [ "$status" = 0 ]
