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

# run_on_stack NAME "$@": check the options, bring what is needed, run scripts.aws.NAME where the person stands.
run_on_stack() {
  local name=$1 here=$PWD
  check_arguments "$@"
  set_up_only aws
  cd "$here" || exit 2
  exec "$PYTHON" -m "scripts.aws.$name" "${@:2}"
}
