# shellcheck shell=bash
# Set-up that the scripts share: Python, uv, the locked packages, a Java, the jars. Sourced, not run.
# Everything goes below the repository, into .venv/ and .cache/. A second set-up takes a second and no network.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=$ROOT/.cache
PYTHON=$ROOT/.venv/bin/python
MARK=$CACHE/installing # there while packages are installed
UV_VERSION=0.13.9      # installed below .cache/ where there is no uv
UV_OLDEST=0.9          # an older one on PATH may not read uv.lock
# With LC_ALL=C Java finds no file whose path is not ASCII; without it, Python sets what Java needs.
case ${LC_ALL:-} in C | POSIX) unset LC_ALL ;; esac
unset UV_PROJECT_ENVIRONMENT # somebody's own: the packages go into .venv/, whatever other projects do

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 2
}

# help_if_asked MODULE "$@": the --help of a Python program, and the end, when it is among the arguments. Nothing is
# installed for it.
help_if_asked() {
  local base module=$1
  shift
  case " $* " in
    *" -h "* | *" --help "*)
      base=$(find_python) || exit 2
      cd "$ROOT" || exit 2
      exec "$base" -m "$module" --help
      ;;
  esac
}

# set_up [--group NAME | --no-group NAME]... [JARS]...: bring the packages of the default groups, with and without
# those named, and the jars of the groups named (without one: of all).
set_up() {
  cd "$ROOT" || die "cannot enter $ROOT"
  local base uv code=0 groups=()
  while [[ ${1:-} == --group || ${1:-} == --no-group ]]; do
    groups+=("$1" "$2")
    shift 2
  done
  drop_half_installed
  base=$(find_python) || exit 2
  "$base" -m local.native.readiness || exit 2
  mkdir -p "$CACHE" || die "cannot make $CACHE"
  uv=$(find_uv "$base") || exit 2
  "$base" -m local.native.java || code=$?
  case $code in
    0) ;;
    1) groups+=(--group jre) ;;
    *) exit 2 ;;
  esac
  sync_packages "$uv" "$base" ${groups[@]+"${groups[@]}"}
  "$PYTHON" -m local.native.jars "$@" || exit 2
}

# set_up_only GROUP: bring the packages of one group, without a Java and jars.
set_up_only() {
  cd "$ROOT" || die "cannot enter $ROOT"
  local base uv
  drop_half_installed
  base=$(find_python) || exit 2
  mkdir -p "$CACHE" || die "cannot make $CACHE"
  uv=$(find_uv "$base") || exit 2
  sync_packages "$uv" "$base" --only-group "$1"
}

# find_python: the path of a Python that the project runs on; the environment's own first.
find_python() {
  case $(uname -s) in
    MINGW* | MSYS* | CYGWIN*)
      say "error: this is Windows; the stack runs in its Linux: install WSL 2 (wsl --install), and clone the project there."
      return 1
      ;;
  esac
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
    if "$1" -m pip --version >/dev/null 2>&1; then
      logged uv "$1" -m pip install --quiet --target "$own.part" "uv==$UV_VERSION" || return 1
    else
      if ! logged uv "$1" -m venv "$own.part"; then
        say "(Debian and Ubuntu have venv in a package of its own: apt install python3-venv)"
        return 1
      fi
      logged uv "$own.part/bin/python" -m pip install --quiet "uv==$UV_VERSION" || return 1
    fi
    mv "$own.part" "$own"
  fi
  printf '%s\n' "$own/bin/uv"
}

# drop_half_installed: an installation that was killed leaves its mark, the number of its process. Then .venv/
# goes, and is made anew: uv trusts what it finds there.
drop_half_installed() {
  [[ -e $MARK ]] && ! kill -0 "$(<"$MARK")" 2>/dev/null || return 0
  say "an earlier installation was interrupted: making .venv/ anew; what was downloaded is kept"
  rm -rf "$ROOT/.venv" "$MARK"
}

# sync_packages UV PYTHON [OPTION...]: the locked packages into .venv/; what else is there stays.
sync_packages() {
  local uv=$1 base=$2 size="700 MB"
  shift 2
  [[ ${1:-} != --only-group ]] || size="20 MB"
  if "$uv" sync --frozen --inexact --check --quiet "$@" 2>/dev/null; then
    return
  fi
  say "installing the locked Python packages into .venv/ (the first time about $size to download) ..."
  if [[ ! -x $PYTHON ]]; then
    rm -rf "$ROOT/.venv" # half of one
    set -- --python "$base" "$@"
  fi
  printf '%s\n' "$$" >"$MARK"
  shown packages "$uv" sync --frozen --inexact "$@" || {
    rm -f "$MARK" # it has ended by itself: uv brings all it needs before it changes anything
    exit 2
  }
  rm -f "$MARK"
}

# terraform_lacks: why the tests of terraform/ cannot run here, on standard output; fails when they can.
terraform_lacks() {
  local folder said
  command -v terraform >/dev/null || {
    echo "there is no Terraform on PATH (1.11 or newer is needed)"
    return
  }
  folder=$(mktemp -d)
  cp "$ROOT/terraform/versions.tf" "$folder"
  if [[ -n ${TF_PROVIDER_MIRROR:-} ]]; then
    printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$TF_PROVIDER_MIRROR" >"$folder/rc"
    export TF_CLI_CONFIG_FILE=$folder/rc
  fi
  if said=$(cd "$folder" && terraform init -no-color -input=false 2>&1); then
    rm -rf "$folder"
    return 1
  fi
  rm -rf "$folder"
  echo "Terraform's AWS provider cannot be had ($(grep -m 1 Error <<<"$said")): where its registry cannot be reached," \
    "name a folder that holds it in TF_PROVIDER_MIRROR"
}

# bring_checkov: what reads terraform/, into .cache/checkov/, apart from all else: its pins are many.
bring_checkov() {
  local lock=$ROOT/tests/terraform/checkov.txt folder=$CACHE/checkov base uv
  cmp -s "$lock" "$folder/lock.txt" && return
  base=$(find_python) || exit 2
  uv=$(find_uv "$base") || exit 2
  say "installing checkov into .cache/checkov/ ..."
  rm -rf "$folder"
  logged checkov "$uv" venv --quiet --python "$base" "$folder" || exit 2
  logged checkov "$uv" pip install --quiet --python "$folder/bin/python" --require-hashes -r "$lock" || exit 2
  cp "$lock" "$folder/lock.txt"
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

# shown NAME COMMAND...: run it in sight: on a terminal as it is, else its lines without the list of packages.
shown() {
  local line log=$CACHE/setup-$1.log
  shift
  if [[ -t 2 ]]; then
    "$@" && return
  else
    "$@" 2>&1 | tee "$log" | while IFS= read -r line; do
      [[ $line == ' '[-+~]' '* ]] || say "  ${line#"${line%%[! ]*}"}"
    done && return
  fi
  say "error: this failed: $*"
  say "Check the network, then run the same command again: what was downloaded is kept."
  return 1
}
