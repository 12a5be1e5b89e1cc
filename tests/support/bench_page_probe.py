#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bench_page_probe.py PAGE WIDTH: a page that shows PAGE in a frame of WIDTH pixels and writes what is
wrong with its plots into <pre id="result">: "ok, N plots, ..." or the reasons. The script is the
probe's; PAGE has none."""
import html
import sys

page = open(sys.argv[1], encoding="utf-8").read()
width = int(sys.argv[2])
print("""<!doctype html><meta charset="utf-8"><style>body{margin:0}iframe{border:0;display:block}</style>
<iframe id="page" style="width:%dpx;height:2300px" srcdoc="%s"></iframe><pre id="result"></pre>
<script>
function look() {
  const d = document.getElementById("page").contentDocument, wrong = [];
  const w = %d, plots = [...d.querySelectorAll("figure svg")];
  let smallest = 1e9, texts = 0;
  if (d.documentElement.scrollWidth > w + 1) wrong.push("the page is " + d.documentElement.scrollWidth + " wide");
  for (const svg of plots) {
    const box = svg.getBoundingClientRect(), name = svg.closest("figure").id;
    if (box.width < 250 || box.height < 150) wrong.push(name + " is " + box.width + " by " + box.height);
    if (box.left < 0 || box.right > w + 1) wrong.push(name + " reaches out of the window");
    if (!svg.querySelector("polyline, rect")) wrong.push(name + " is empty");
    const scale = box.width / svg.viewBox.baseVal.width;
    const boxes = [...svg.querySelectorAll("text")].map(t => t.getBoundingClientRect());
    for (const t of svg.querySelectorAll("text")) {
      const b = t.getBoundingClientRect(), size = parseFloat(getComputedStyle(t).fontSize) * scale;
      texts++;
      smallest = Math.min(smallest, size);
      if (size < 9) wrong.push(name + ": '" + t.textContent + "' is " + size.toFixed(1) + " pixels high");
      if (b.left < box.left - 1 || b.right > box.right + 1 || b.bottom > box.bottom + 1 || b.top < box.top - 1)
        wrong.push(name + ": '" + t.textContent + "' is cut off");
    }
    // Words that touch read as one.
    for (let i = 0; i < boxes.length; i++)
      for (let k = i + 1; k < boxes.length; k++)
        if (Math.min(boxes[i].right, boxes[k].right) - Math.max(boxes[i].left, boxes[k].left) > -3 &&
            Math.min(boxes[i].bottom, boxes[k].bottom) - Math.max(boxes[i].top, boxes[k].top) > 4)
          wrong.push(name + ": labels lie over each other, or touch");
  }
  for (const t of d.querySelectorAll(".wide"))
    if (w >= 1280 && t.scrollWidth > t.clientWidth)
      wrong.push("a table is " + t.scrollWidth + " wide, and has " + t.clientWidth);
  document.getElementById("result").textContent = wrong.length
    ? [...new Set(wrong)].slice(0, 12).join("; ")
    : "ok, " + plots.length + " plots, " + texts + " texts, the smallest " + smallest.toFixed(1) + " pixels";
}
const f = document.getElementById("page");
f.addEventListener("load", look);
</script>""" % (width, html.escape(page, quote=True), width))
