#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The benchmark's page in headless Chromium, 1280 and 400 pixels wide, light and dark: every plot is
# there, inside of the window, with text of at least 9 pixels that nothing cuts off; no script, nothing
# fetched, and gnuplot draws each plot as PNG. Screenshots stay in $B/test-logs.
. "$(dirname "$0")/../support/node.sh"

command -v chromium >/dev/null || skip "chromium is not installed"
here=$(dirname "$0")
page=$T/page.html
report=$here/../support/bench_report.json
"$B/nearfold" bench report "$report" --html "$page" >"$T/table.txt"
[ "$(grep -c '<script' "$page")" = 0 ] || fail "the page has a script"
[ "$(grep -Eoc '(src|href)=' "$page")" = 0 ] || fail "the page refers to something outside of it"
plots=$(grep -c '<figure' "$page")
[ "$plots" -ge 6 ] || fail "only $plots plots"

if command -v gnuplot >/dev/null; then
	"$B/nearfold" bench report "$report" --png "$T/png" >"$T/table.txt"
	check_equal "PNGs of the plots" "$(LC_ALL=C grep -la '^.PNG' "$T"/png/*.png | wc -l)" "$plots"
fi

browser()
{
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--hide-scrollbars --user-data-dir="$T/profile" "$@" 2>"$T/browser.log"
}

mkdir -p "$B/test-logs"
for width in 1280 400; do
	# The page in a frame of that width (windows have a least width), measured from outside.
	python3 "$here/../support/bench_page_probe.py" "$page" "$width" >"$T/probe$width.html"
	browser --window-size=1400,1000 --virtual-time-budget=5000 --allow-file-access-from-files \
		--dump-dom "file://$T/probe$width.html" >"$T/dom$width.html" ||
		fail "chromium ended with status $?: $(tail -n 3 "$T/browser.log")"
	found=$(sed -n 's/.*<pre id="result">\([^<]*\)<.*/\1/p' "$T/dom$width.html")
	echo "$width pixels: $found"
	[[ $found == ok* ]] || fail "$width pixels wide: ${found:-nothing was measured}"
	[[ $found == *" $plots plots"* ]] || fail "$width pixels wide: not all of the $plots plots"
	browser --window-size=1400,2400 --virtual-time-budget=5000 --allow-file-access-from-files \
		--screenshot="$B/test-logs/bench_page_$width.png" "file://$T/probe$width.html"
	browser --window-size=1400,2400 --virtual-time-budget=5000 --allow-file-access-from-files \
		--blink-settings=preferredColorScheme=0 \
		--screenshot="$B/test-logs/bench_page_${width}_dark.png" "file://$T/probe$width.html"
	[ -s "$B/test-logs/bench_page_$width.png" ] || fail "no screenshot"
done
cmp -s "$B/test-logs/bench_page_1280.png" "$B/test-logs/bench_page_1280_dark.png" &&
	fail "the dark page looks like the light one"
exit 0
