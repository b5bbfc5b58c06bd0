#!/usr/bin/env bash
# Installs what is missing, builds, runs every test and a minute of each fuzz target. The last line is "N passed,
# N failed", and ", N skipped" where some need what is not there. Exit status 1 when one failed or the fuzzing found
# something. PLUMBLINE_FUZZ_SECONDS is the time of a target: 60 if not set, 0 leaves the fuzzing out.
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

fuzz=0
[ "${PLUMBLINE_FUZZ_SECONDS:-60}" = 0 ] || bash packaging/fuzz.sh "${PLUMBLINE_FUZZ_SECONDS:-60}" || fuzz=1

line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" = 0 ] && [ "$status" = 0 ] && [ "$fuzz" = 0 ]
