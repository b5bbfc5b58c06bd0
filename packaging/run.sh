#!/usr/bin/env bash
# Installs what is missing, builds, starts Plumbline. usage: packaging/run.sh [--demo] [PROJECT.plumb | options]
# --demo: twenty clicks of a simulated person, without a display too. `--help` lists the program's options.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bash "$here/build.sh" plumbline plumbline-cli

if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
  case " $* " in
    *" --demo "* | *" --help "* | *" --version "*) export QT_QPA_PLATFORM=offscreen ;;
    *)
      echo "error: run: there is no display; start it on a desktop, or try packaging/run.sh --demo" >&2
      exit 1
      ;;
  esac
fi
exec "$here/../build/release/bin/plumbline" "$@"
