#!/bin/bash
# Installs what a make target needs from Debian packages, and only what is
# missing. Usage: scripts/install-deps.sh run|test|bench|build
#
# Programs are looked for first: when all are there, nothing is asked of apt and
# no rights are needed. A service that a new package brings along (redis-server,
# prometheus) is neither started nor enabled: Perch starts its own as children.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1 || { [ "${1#/}" != "$1" ] && [ -e "$1" ]; }; }

# check_go stops with a plain message when there is no Go that go.mod accepts.
check_go() {
	local need got
	need=$(awk '$1 == "go" { print $2; exit }' go.mod)
	if ! have go; then
		say "Go $need or newer is needed and there is no go command: see https://go.dev/doc/install"
		exit 1
	fi
	got=$(go env GOVERSION 2>/dev/null | sed 's/^go//; s/ .*//')
	if [ -z "$got" ] || [ "$(printf '%s\n%s\n' "$need" "$got" | sort -V | head -n 1)" != "$need" ]; then
		say "Go $need or newer is needed; this is $(go version 2>/dev/null | awk '{ print $3 }'): see https://go.dev/doc/install"
		exit 1
	fi
}

# wanted prints one line per need: a program (alternatives by |), or the path of
# a file, and its package.
wanted() {
	case $1 in
	build)
		echo "espeak-ng espeak-ng" # scripts/prompts.sh has the prompts spoken
		echo "sox sox"
		;;
	run)
		wanted build
		echo "redis-server|valkey-server redis-server"
		;;
	bench)
		wanted run
		echo "redis-cli redis-tools"
		echo "kamailio kamailio" # to compare with
		echo "/usr/lib/*/kamailio/modules/presence.so kamailio-presence-modules"
		echo "nginx nginx-light" # likewise
		echo "taskset util-linux"
		;;
	test)
		wanted bench
		echo "gcc gcc" # the race detector is linked by it
		echo "sipp sip-tester"
		echo "baresip baresip"
		echo "sipsak sipsak"
		echo "linphonec linphone-cli"
		echo "socat socat"
		echo "chromium chromium"
		echo "node nodejs"
		echo "npm npm"
		echo "prometheus prometheus"
		echo "promtool prometheus"
		echo "xmllint libxml2-utils"
		echo "curl curl"
		echo "openssl openssl"
		echo "tcpdump tcpdump"
		;;
	*)
		say "usage: scripts/install-deps.sh run|test|bench|build"
		exit 2
		;;
	esac
}

# missing prints the packages of programs that are not there.
missing() {
	local programs package name found
	wanted "$1" | while read -r programs package; do
		found=
		for name in ${programs//|/ }; do
			if have "$name"; then found=yes; fi
		done
		[ -n "$found" ] || printf '%s\n' "$package"
	done | sort -u
	# gcc without the C library's headers links nothing; --no-install-recommends leaves them out.
	if [ "$1" = test ] && [ ! -e /usr/include/stdlib.h ]; then echo libc6-dev; fi
	if [ "$1" = test ] && ! perl -MNet::SIP -e 1 2>/dev/null; then echo libnet-sip-perl; fi
}

# as_root runs a command as root, or says what a person has to do.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		sudo "$@"
	else
		say "These Debian packages are missing: $packages"
		say "Installing them needs root. Please run: apt-get install $packages"
		exit 1
	fi
}

# Started as root by this script itself: the part between apt and the machine.
if [ "${1:-}" = --install ]; then
	shift
	export DEBIAN_FRONTEND=noninteractive
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then # asked by every package before it starts a service; 101 is "not allowed"
		trap 'rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	services=
	for p in "$@"; do
		case $p in
		redis-server | prometheus | kamailio) services="$services $p" ;;
		nginx-light) services="$services nginx" ;;
		esac
	done
	apt-get update -qq </dev/null
	apt-get install -y -qq --no-install-recommends "$@" </dev/null
	if [ -n "$services" ] && [ -d /run/systemd/system ]; then
		# shellcheck disable=SC2086
		systemctl disable --quiet $services || say "could not disable:$services"
	fi
	exit 0
fi

target=${1:-run}
wanted "$target" >/dev/null
check_go
packages=$(missing "$target" | tr '\n' ' ' | sed 's/ *$//')
[ -n "$packages" ] || exit 0
if ! have apt-get; then
	say "These programs' Debian packages are missing, and this is not Debian: $packages"
	say "Please install the same programs with your system's package manager."
	exit 1
fi
say "Installing: $packages"
# shellcheck disable=SC2086
as_root "$(pwd)/scripts/install-deps.sh" --install $packages >&2
