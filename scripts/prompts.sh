#!/bin/bash
# Has the prompts spoken: every line of sip/media/prompts/<lang>.txt becomes
# sip/media/prompts/files/<lang>/<name>.wav (8 kHz mono mu-law), by espeak-ng and
# sox, to be built into the binary. Does nothing when neither a text nor this
# script has changed since. Usage: scripts/prompts.sh [DIR], DIR instead of files.
set -eu
cd "$(dirname "$0")/.."
texts=sip/media/prompts
out=${1:-$texts/files}

# speak LANG VOICE FOLDER NAME TEXT: one clip. Silence around the words goes,
# a little of it stays behind them; no dither, so that equal texts give equal files.
speak() {
	espeak-ng -v "$2" -s 155 -p 45 --stdout -- "$5" |
		sox -V1 -D -t wav - -t wav -b 16 - rate 8000 channels 1 highpass 200 norm -3 |
		sox -V1 -D -t wav - -t wav -e mu-law "$3/$4.wav" \
			silence 1 0.005 0.5% reverse silence 1 0.005 0.5% fade t 0.01 reverse fade t 0.005 pad 0 0.08
}
export -f speak

for lang in en de; do
	voice=$lang
	[ "$lang" != en ] || voice=en-gb
	stamp=$(cat "$texts/$lang.txt" scripts/prompts.sh | sha256sum | cut -d ' ' -f 1)
	if [ "$(cat "$out/$lang/stamp" 2>/dev/null)" = "$stamp" ]; then continue; fi
	echo "speaking the prompts: $lang" >&2
	mkdir -p "$out"
	new=$(mktemp -d "$out/.$lang-XXXXXX")
	trap 'rm -rf "$new"' EXIT
	grep -v '^#' "$texts/$lang.txt" | grep -v '^$' | tr '\t\n' '\0\0' |
		xargs -0 -n 2 -P "$(nproc)" bash -euo pipefail -c 'speak "$0" "$1" "$2" "$3" "$4"' "$lang" "$voice" "$new"
	printf '%s\n' "$stamp" >"$new/stamp"
	chmod 755 "$new"
	rm -rf "${out:?}/$lang"
	mv "$new" "$out/$lang"
	trap - EXIT
done
