#!/bin/bash
# Makes this server ready for compositions. Can be run again after a failure.
# How far it is: /var/lib/live/bootstrap (running, done or failed). What it said: /var/log/live-bootstrap.log.
set -euo pipefail
. /etc/live/bootstrap.env
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a

mkdir -p /var/lib/live
umask 077
exec >>/var/log/live-bootstrap.log 2>&1
umask 022

mark() { echo "$1" >/var/lib/live/bootstrap.new && mv /var/lib/live/bootstrap.new /var/lib/live/bootstrap; }
step() { now=$1 && echo "== $(date -u +%FT%TZ) $1"; }
ended() { [ "$1" = 0 ] || { echo "live-bootstrap failed at: $now"; mark failed; }; }
trap 'ended $?' EXIT

patiently() {
  local pause
  for pause in 5 15 30 60; do
    "$@" && return
    echo "again in $pause seconds: $*"
    sleep "$pause"
  done
  "$@"
}
apt() { apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"; }
install_all() { patiently apt install --no-install-recommends "$@"; }
version_of() { apt-cache policy "$1" | sed -n 's/^ *Candidate: *\([0-9]*:\)\?//p'; }
offered() { [ -n "$(version_of "$1")" ] && [ "$(version_of "$1")" != "(none)" ]; }

step "the packages on offer"
mark running
patiently apt update

step "Docker Engine"
engine=(docker.io ca-certificates)
offered docker-cli && engine+=(docker-cli)
install_all "${engine[@]}"
systemctl enable --now docker
for _ in $(seq 30); do docker version >/dev/null 2>&1 && break || sleep 2; done
docker version

step "Compose plugin"
if offered docker-compose-v2; then
  install_all docker-compose-v2
elif [[ $(version_of docker-compose) == [2-9]* ]]; then
  install_all docker-compose
else
  echo "none packaged for this system: compositions are launched from outside all the same"
fi

step "firewall"
install_all nftables
for one in ${ZABBIX_SERVERS//,/ }; do
  for address in $(getent ahosts "$one" | cut -d' ' -f1 | sort -u); do
    case $address in *:*) set=zabbix6 ;; *) set=zabbix4 ;; esac
    echo "add element inet live $set { $address }"
  done
done >/etc/live/zabbix.nft
systemctl daemon-reload
systemctl enable live-firewall
systemctl restart live-firewall

step "security updates"
install_all unattended-upgrades

if [ -n "$ZABBIX_SERVERS" ]; then
  step "Zabbix agent"
  agent=zabbix-agent2 settings=/etc/zabbix/zabbix_agent2.conf
  offered "$agent" || agent=zabbix-agent settings=/etc/zabbix/zabbix_agentd.conf
  install_all "$agent"
  sed -i -E '/^(Server|ServerActive|Hostname)=/d' "$settings"
  printf '%s\n' "Server=$ZABBIX_SERVERS" "ServerActive=$ZABBIX_SERVERS" "Hostname=$LIVE_KEY" >>"$settings"
  systemctl enable "$agent"
  systemctl restart "$agent"
fi

step "done"
mark done
