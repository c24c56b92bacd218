#!/bin/sh
# Draws the pages of the phones' own screens for docs/phones, each from what goes to
# the phone, with headless Chromium (Debian: chromium).
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/perch" ./cmd/perch
mkdir -p docs/phones/pictures

draw() { # brand model page...
	brand=$1 model=$2
	shift 2
	for page; do
		"$work/perch" template render --html --brand "$brand" --model "$model" --form "$page" >"$work/page.html"
		chromium --headless --no-sandbox --disable-gpu --disable-lcd-text --hide-scrollbars --user-data-dir="$work/profile" \
			--window-size=360,260 --screenshot="docs/phones/pictures/$brand-$page.png" "file://$work/page.html" >/dev/null 2>&1
	done
}

draw yealink T46U menu login takeover change-pin people code wait
draw snom D785 menu login pin code
draw mitel 6867i menu login
draw cisco-spa SPA504G menu login
draw cisco-mpp 8851 menu login code
draw grandstream GRP2614 menu login
draw poly VVX411 menu login code
draw fanvil X6U menu login
draw htek UC924 menu login
draw sangoma-s S500 login
