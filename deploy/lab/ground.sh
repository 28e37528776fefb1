# Sourced by up, down and run: where the lab lives and how it speaks.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lab=$root/var/lab
started=$lab/started
pg_port=54329

# Debian's own client matches Debian's engine; a newer one further up PATH may not.
[ -x /usr/bin/docker ] && PATH=/usr/bin:$PATH
export PATH DOCKER_BUILDKIT=0

say() { printf 'lab: %s\n' "$*" >&2; }

cannot() {
  say "cannot $*"
  exit 2
}

need_debian_root() {
  [ -e /etc/debian_version ] || cannot "run here: it installs Debian packages, and this is not Debian"
  [ "$(id -u)" = 0 ] || cannot "run as $(id -un): installing packages and starting Docker Engine need root"
}

note_started() { printf '%s %s\n' "$1" "$2" >>"$started"; }

# True of something noted by note_started that has not ended since. A process number may have been given to another
# process, so its name is asked as well.
still_running() {
  case $1 in
    dockerd | zabbix_server | php)
      # One that has ended and waits for its parent to notice still has its name.
      [ "$(cat "/proc/$2/comm" 2>/dev/null)" = "$1" ] && ! grep -q '^State:.Z' "/proc/$2/status" 2>/dev/null
      ;;
    lab-host) [ "$(cat "/proc/$2/comm" 2>/dev/null)" = unshare ] ;;
    container) [ "$(docker inspect -f '{{.State.Running}}' "$2" 2>/dev/null)" = true ] ;;
    postgresql) runuser -u postgres -- "$(pg_bin)/pg_ctl" --pgdata="$2" status >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}

# The first process inside ends its engine, which stops its containers; the rest goes with it.
stop_lab_host() {
  local inside
  inside=$(pgrep -P "$1") || return 0
  say "stopping the lab host of process $1"
  kill "$inside" 2>/dev/null || true
  for _ in $(seq 60); do
    [ -e "/proc/$1" ] || return 0
    sleep 0.5
  done
  kill -9 "$1"
}

# True when an earlier `up` has started something that is there still.
already_up() {
  local what which
  [ -s "$started" ] || return 1
  while read -r what which; do
    still_running "$what" "$which" && return 0
  done <"$started"
  return 1
}

# PostgreSQL refuses to run as root, and its own user must be able to reach the directory.
pg_home() {
  if runuser -u postgres -- test -x "$lab" 2>/dev/null; then
    printf '%s\n' "$lab/postgresql"
  else
    printf '/var/tmp/geocat-live-lab-%s/postgresql\n' "$(printf %s "$root" | cksum | cut -d' ' -f1)"
  fi
}

# The newest PostgreSQL that Debian has put here.
pg_bin() {
  local found
  found=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
  [ -x "$found/initdb" ] || cannot "find initdb under /usr/lib/postgresql"
  printf '%s\n' "$found"
}
