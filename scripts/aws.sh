# shellcheck shell=bash
# What the scripts for AWS share. Sourced, not run.

# check_arguments NAME "$@": its --help, and the end; or what is wrong with its options. Nothing is installed for it.
check_arguments() {
  local base
  base=$(find_python) || exit 2
  export PYTHONPATH=$ROOT
  case " $* " in
    *" -h "* | *" --help "*) exec "$base" -m scripts.aws.arguments "$1" --help ;;
  esac
  "$base" -m scripts.aws.arguments "$@" || exit 2
}
