#!/usr/bin/env bash
# run.sh BIN [NAME]…: every bench, or those that are named: tests/bench/NAME/run.* or bench_NAME of
# the check build's programs. Each prints its figures beside the target or the best peer.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export ASTRAY_BIN=$1
shift

bench() { # NAME
	local script
	for script in "$here/$1"/run.*; do
		[ -e "$script" ] || break
		printf '\n== %s\n' "$1"
		"$script"
		return
	done
	[ -x "$ASTRAY_BIN/bench_$1" ] || { echo "run.sh: there is no bench \"$1\"" >&2; return 64; }
	printf '\n== %s\n' "$1"
	"$ASTRAY_BIN/bench_$1" || [ $? = 77 ] # it lacks what it should read, and has said so
}

if [ $# = 0 ]; then
	for name in "$here"/*/run.* "$ASTRAY_BIN"/bench_*; do
		[ -e "$name" ] || continue
		case $name in
		*/run.*) set -- "$@" "$(basename "$(dirname "$name")")" ;;
		*) set -- "$@" "${name##*/bench_}" ;;
		esac
	done
fi
for name in "$@"; do bench "$name"; done
