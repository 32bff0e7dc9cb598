# shellcheck shell=bash
# What the scripts for docker compose share. Sourced, not run.

COMPOSE_OLDEST=2.24 # the oldest that knows !reset and !override
MEMORY_GB=4

# In the folder of the files, for there the names in COMPOSE_FILE (local/.env) are looked for.
compose() { (cd "$ROOT/local" && docker compose "$@"); }

# setting NAME: its value in the environment or in local/.env, as Compose would take it; empty when in neither.
setting() {
  if [[ -n ${!1:-} ]]; then
    printf '%s\n' "${!1}"
  elif [[ -f $ROOT/local/.env ]]; then
    sed -n "s/^$1=//p" "$ROOT/local/.env" | tail -n 1
  fi
}

# port NAME DEFAULT
port() {
  local given
  given=$(setting "$1")
  printf '%s\n' "${given:-$2}"
}

check_docker() {
  command -v docker >/dev/null || die "there is no Docker: install Docker Engine or Docker Desktop"
  docker info >/dev/null 2>&1 || die "no Docker engine answers: start it (and may you use it? docker info says)"
  local version
  version=$(docker compose version --short 2>/dev/null) || die "there is no Docker Compose: install its plugin"
  version=${version#v}
  [[ $(printf '%s\n' "$COMPOSE_OLDEST" "$version" | sort -V | head -n 1) == "$COMPOSE_OLDEST" ]] ||
    die "Docker Compose is $version; $COMPOSE_OLDEST or newer is needed"
}

check_memory() {
  local bytes
  bytes=$(docker info --format '{{.MemTotal}}')
  ((bytes >= MEMORY_GB * 950000000)) ||
    die "Docker has $((bytes / 1000000)) MB of memory; the stack takes $MEMORY_GB GB: give Docker more"
}

# check_ports: each that the stack publishes is free, unless the stack itself runs there.
check_ports() {
  [[ -z $(compose ps --quiet) ]] || return 0
  local pair name number taken=0
  for pair in KAFKA_PORT=9092 S3_PORT=9010 MINIO_CONSOLE_PORT=9011 DASHBOARD_PORT=8501 KAFDROP_PORT=9000; do
    name=${pair%=*}
    number=$(port "$name" "${pair#*=}")
    if (exec 3<>"/dev/tcp/127.0.0.1/$number") 2>/dev/null; then
      say "error: port $number is taken by another program (scripts/demo.sh, perhaps); choose another: $name in local/.env"
      taken=1
    fi
  done
  ((taken == 0)) || exit 2
}
