// chart: bars and a line of months. Every value is written beside its bar, so
// that a chart says nothing by colour or length alone.

/** bar is one line of segments {n, cls}, wide as its share of all; segments also differ in pattern. */
function bar(segments, all, height = 12) {
  const width = 1000, el = s("svg.bar", { viewBox: "0 0 " + width + " " + height, preserveAspectRatio: "none", "aria-hidden": "true", width: "100%", height });
  let x = 0;
  for (const { n, cls } of segments) {
    if (!n) continue;
    const w = Math.max(width * n / Math.max(all, 1), 4);
    add(el, s("rect." + cls, { x: x.toFixed(1), y: 0, width: w.toFixed(1), height }));
    if (cls.endsWith("aside") || cls === "incomplete") for (let i = 6; i < w; i += 12) add(el, s("rect.hatch", { x: (x + i).toFixed(1), y: 0, width: Math.min(3, w - i).toFixed(1), height }));
    x += w + 3;
  }
  return el;
}

/** bars is a list of labelled bars: {label, note, segments, value}. */
function bars(rows, { most } = {}) {
  const all = most || Math.max(...rows.map(r => r.segments.reduce((n, x) => n + x.n, 0)), 1);
  return h("ul.bars", rows.map(r => h("li", h("div.bar-head", h("span.bar-label", r.label), h("span.bar-value", r.value)), bar(r.segments, all), r.note && h("div.bar-note", r.note))));
}

/** legend names the segments of a bar: {label, cls, n}. */
function legend(items) {
  return h("ul.legend", items.map(x => h("li", s("svg.swatch", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" }, s("rect." + x.cls, { width: 12, height: 12 }), x.cls.endsWith("aside") && [1, 5, 9].map(i => s("rect.hatch", { x: i, y: 0, width: 1.5, height: 12 }))), x.label)));
}

/** months is a line of the coming year with a mark on each day {date, days, n}. */
function months(events) {
  const from = new Date(Date.parse(events[0].date) - events[0].days * DAY).toISOString().slice(0, 10);
  const W = 420, H = 62, left = 12, right = W - 12, base = 40, x = days => left + (right - left) * Math.min(Math.max(days, 0), 365) / 365;
  const el = s("svg.months", { viewBox: "0 0 " + W + " " + H, role: "img", "aria-label": "Days on which something ends: " + events.map(e => e.date + ", " + count(e.n, "function")).join("; ") });
  add(el, s("line.axis", { x1: left, y1: base, x2: right, y2: base }));
  const start = new Date(Date.UTC(+from.slice(0, 4), +from.slice(5, 7) - 1, 1));
  for (let m = 1; m <= 12; m++) {
    const at = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + m, 1)), days = daysBetween(from, at.toISOString());
    if (days > 365) break;
    add(el, s("line.tick", { x1: x(days), y1: base, x2: x(days), y2: base + 5 }));
    if (m % 2 === 1 && x(days) < right - 40) add(el, s("text.tick", { x: x(days) + 2, y: base + 17 }, at.toLocaleString("en", { month: "short", timeZone: "UTC" }) + (at.getUTCMonth() < 2 ? " " + at.getUTCFullYear() : "")));
  }
  const most = Math.max(...events.map(e => e.n));
  for (const e of events) {
    const r = 4 + 6 * Math.sqrt(e.n / most);
    add(el, [s("line.stem", { x1: x(e.days), y1: base, x2: x(e.days), y2: base - 8 }), s("circle." + (e.days <= 90 ? "soon" : "later"), { cx: x(e.days), cy: base - 8 - r, r })]);
  }
  return el;
}

/** severityChart counts findings by severity: what counts, and beside it what was set aside. */
function severityChart(open, aside, view) {
  const kinds = SEVERITIES.filter(v => open[v] || aside[v]);
  if (!kinds.length) return h("p.quiet", "No findings.");
  const anyAside = kinds.some(v => aside[v]);
  return [
    bars(kinds.map(v => ({
      label: h("a", { href: "#" + view + "?sev=" + ({ critical: "critical", unknown: "unknown", high: "high%2B", medium: "medium%2B", low: "low%2B" }[v] || "") }, capital(v === "unknown" ? "not rated" : v)),
      segments: [{ n: open[v], cls: v }, { n: aside[v], cls: v + "-aside" }],
      value: number(open[v]) + (aside[v] ? " + " + number(aside[v]) : ""),
    }))),
    anyAside && legend([{ label: "open", cls: kinds[0] }, { label: "set aside: another copy wins, the platform's, may apply, waived, VEX or baseline", cls: kinds[0] + "-aside" }]),
  ];
}
