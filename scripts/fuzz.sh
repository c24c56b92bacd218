#!/bin/bash
# Runs every fuzz target of the module, one after the other.
# Usage: scripts/fuzz.sh [time for each, default 30s]
set -eu
cd "$(dirname "$0")/.."
each=${1:-30s}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n 1 dirname | sort -u | while read -r dir; do
	for name in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
		echo "== $dir $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$each" "$dir" </dev/null
	done
done
