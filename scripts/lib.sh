# shellcheck shell=bash
# Set-up that the scripts share: Python, uv, the locked packages, a Java, the jars. Sourced, not run.
# Everything goes below the repository, into .venv/ and .cache/. A second set-up takes a second and no network.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=$ROOT/.cache
PYTHON=$ROOT/.venv/bin/python
UV_VERSION=0.13.9      # installed below .cache/ where there is no uv
UV_OLDEST=0.9          # an older one on PATH may not read uv.lock
unset UV_PROJECT_ENVIRONMENT # somebody's own: the packages go into .venv/, whatever other projects do

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 2
}

# set_up GROUP...: bring the packages of the default groups and the jars of the groups named.
set_up() {
  cd "$ROOT" || die "cannot enter $ROOT"
  mkdir -p "$CACHE"
  local base uv groups=()
  base=$(find_python) || exit 2
  uv=$(find_uv "$base") || exit 2
  if ! "$base" -m local.native.java; then
    say "no Java 17 or newer on this machine: one comes as a package"
    groups=(--group jre)
  fi
  sync_packages "$uv" "$base" ${groups[@]+"${groups[@]}"}
  "$PYTHON" -m local.native.jars "$@" || exit 2
}

# find_python: the path of a Python that the project runs on; the environment's own first.
find_python() {
  local name path version found=()
  for name in "$PYTHON" python3.11 python3.12 python3.13 python3; do
    path=$(command -v "$name") || continue
    version=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in
      3.11 | 3.12 | 3.13)
        "$path" -c 'import sys; print(sys.executable)'
        return
        ;;
    esac
    found+=("$path is $version")
  done
  say "error: Python 3.11, 3.12 or 3.13 is needed; found: ${found[*]:-no Python 3 on PATH}."
  say "Install one (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12)."
  return 1
}

# find_uv PYTHON: uv of PATH when it is new enough, else our own below .cache/.
find_uv() {
  local version own=$CACHE/uv-$UV_VERSION
  if version=$(uv --version 2>/dev/null); then
    version=${version#uv }
    version=${version%% *}
    if [[ $(printf '%s\n' "$UV_OLDEST" "$version" | sort -V | head -n 1) == "$UV_OLDEST" ]]; then
      command -v uv
      return
    fi
  fi
  if [[ ! -x $own/bin/uv ]]; then
    say "installing uv $UV_VERSION into .cache/ ..."
    rm -rf "$own" "$own.part"
    if ! logged uv "$1" -m venv "$own.part"; then
      say "(Debian and Ubuntu have venv in a package of its own: apt install python3-venv)"
      return 1
    fi
    logged uv "$own.part/bin/python" -m pip install --quiet "uv==$UV_VERSION" || return 1
    mv "$own.part" "$own"
  fi
  printf '%s\n' "$own/bin/uv"
}

# sync_packages UV PYTHON [OPTION...]: the locked packages into .venv/; what else is there stays.
sync_packages() {
  local uv=$1 base=$2
  shift 2
  if [[ ! -x $PYTHON ]]; then
    say "installing the locked Python packages into .venv/ (about 1 GB; minutes on a slow network) ..."
    set -- --python "$base" "$@"
  fi
  logged packages "$uv" sync --frozen --inexact --quiet "$@" || exit 2
}

# logged NAME COMMAND...: run it quietly; when it fails, show what it said.
logged() {
  local log=$CACHE/setup-$1.log
  shift
  "$@" >"$log" 2>&1 && return
  say "error: this failed: $*"
  tail -n 30 "$log" >&2
  say "The whole output is in $log. Check the network, then run the same command again."
  return 1
}
