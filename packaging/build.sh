#!/usr/bin/env bash
# Installs what is missing and builds the release preset. usage: packaging/build.sh [TARGET…]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
bash packaging/install.sh

# A compiler on the tensor sources takes up to 2 GB.
jobs=$(awk -v cores="$(nproc)" '/^MemAvailable/ {n = int($2 / 2097152); print n < 1 ? 1 : n < cores ? n : cores}' /proc/meminfo)
cmake --preset release
cmake --build --preset release --parallel "$jobs" ${1:+--target "$@"}
