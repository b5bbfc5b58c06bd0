#!/usr/bin/env bash
# Installs what is missing, builds the fuzz targets and runs each from its seeds, one a core, under the address and
# undefined-behaviour sanitizers. Prints a table; exit status 1 when one found something, whose input is then in
# build/fuzz/findings. What they learn stays in build/fuzz/corpus, so that the next run goes on from there.
# usage: packaging/fuzz.sh [SECONDS [TARGET…]]      default: 60 seconds each of all
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: packaging/fuzz.sh [SECONDS [TARGET…]]" >&2; exit 2; }
shift $(($# > 0))

bash packaging/install.sh --fuzz
cmake --preset fuzz
cmake --build --preset fuzz

build=$PWD/build/fuzz
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(find "$build/fuzz" -name '*_fuzz' -printf '%f\n' | sed 's/_fuzz$//' | sort)
# The targets read files: these lie in memory where there is such a place.
memory=$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")
work=$(mktemp -d "$memory/plumbline-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$build/findings" "$build/corpus"
rm -f "$build/findings/"*
"$build/bin/make_seeds" "$build/seeds"

# A small file never asks for much: an allocation of more than 256 MB is a finding.
run() {
  local target=$1 words=tests/fuzz/dictionaries/$1.dict
  case $target in feedback | rows) words=tests/fuzz/dictionaries/json.dict ;; esac
  local options=(-max_total_time="$seconds" -timeout=25 -malloc_limit_mb=256 -rss_limit_mb=1024 -max_len=16384
    -print_final_stats=1 -artifact_prefix="$build/findings/$target-")
  [ ! -e "$words" ] || options+=(-dict="$words")
  mkdir -p "$build/corpus/$target" "$build/seeds/$target" "$work/$target"
  TMPDIR=$work/$target UBSAN_OPTIONS=print_stacktrace=1 "$build/fuzz/${target}_fuzz" "${options[@]}" \
    "$build/corpus/$target" "$build/seeds/$target" >"$work/$target.log" 2>&1 || true
}
export -f run
export build work seconds
# shellcheck disable=SC2016
printf '%s\n' "${targets[@]}" | xargs -n 1 -P "$(nproc)" bash -c 'run "$1"' -

found=0
printf '%-16s %12s %10s %10s %9s\n' target executions 'a second' coverage findings
for target in "${targets[@]}"; do
  log=$work/$target.log
  count() { sed -n "s/^stat::$1: *//p" "$log"; }
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  findings=$(find "$build/findings" -name "$target-*" | wc -l)
  executions=$(count number_of_executed_units)
  # One that did not run to its end found something, whatever it left.
  grep -q '^Done ' "$log" || findings=$((findings > 0 ? findings : 1))
  printf '%-16s %12s %10s %10s %9s\n' "$target" "${executions:-?}" "$(count average_exec_per_sec)" "${coverage:-?}" "$findings"
  [ "$findings" = 0 ] || { found=1; cp "$log" "$build/findings/$target.log"; }
done
[ "$found" = 0 ] || { tail -n 40 "$build/findings/"*.log; echo "error: fuzz: findings in $build/findings" >&2; exit 1; }
