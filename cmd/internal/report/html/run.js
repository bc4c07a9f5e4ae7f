// run: what the verdicts rest on, and what changed since the reports before.

const CAUSES = {
  __proto__: null,
  "new-advisory": "New advisory", "changed-advisory": "Changed advisory", "withdrawn-advisory": "Withdrawn advisory", "changed-artifact": "Changed artifact", "deployed": "Deployed otherwise", "policy": "Policy", "runtime-date": "Runtime crossed a date",
  "waiver-expired": "Waiver expired", "time": "Time ran out", "fixed": "Fixed", "new": "New function", "gone": "Function gone", "program": "Another version of the program",
};
const GOOD = ["fixed", "withdrawn-advisory", "gone"];

function deltaCard(delta, most) {
  const changes = delta.changes || [], flips = changes.filter(c => c.decision);
  return h("section.card.delta", { "aria-labelledby": "card-delta" }, h("h2#card-delta", "What changed"),
    h("p.quiet", delta.before && day(delta.before.judgedAt) ? "Since the reports judged on " + day(delta.before.judgedAt) + "." : "Since the reports before."),
    changes.length === 0 ? h("p", "Nothing changed.") : [
      h("ul.tallies", (delta.summary || []).filter(t => t.count).map(t => h("li." + (GOOD.includes(t.cause) ? "good" : "neutral"), h("strong", number(t.count)), " " + (CAUSES[t.cause] || t.cause)))),
      flips.length > 0 && h("p", h("strong", count(flips.length, "verdict") + " changed.")),
      h("ul.changes", changes.slice(0, most).map(changeLine)), changes.length > most && h("p", h("a", { href: "#changes" }, "All " + count(changes.length, "change")))]);
}

function changeLine(c) {
  const f = model.byName.get(c.function);
  return h("li", c.severity && severity(c.severity), " ", f ? functionLink(f.i) : h("strong", c.function), ": ", c.detail, c.id && !c.detail.includes(c.id) && [" ", h("span.ids", c.id)], " ", chip(CAUSES[c.cause] || c.cause),
    c.decision && h("span.flip", verdict(c.decision.before), " to ", verdict(c.decision.after)));
}

const CHANGE_COLUMNS = [
  { key: "order", label: "Cause", value: c => c.order, cell: c => CAUSES[c.cause] || c.cause },
  { key: "function", label: "Function", value: c => c.function, cell: c => (model.byName.has(c.function) ? functionLink(model.byName.get(c.function).i) : c.function) },
  { key: "severity", label: "Severity", value: c => (c.severity ? rank(c.severity) : -1), desc: true, cell: c => (c.severity ? severity(c.severity) : "") },
  { key: "id", label: "Finding", value: c => c.id || "", cell: c => [c.id, c.component && h("small", nameOf(c.component) + " " + versionOf(c.component))] },
  { key: "was", label: "Before and after", value: c => c.before || "", cell: c => [c.before || c.after ? (c.before || "nothing") + " to " + (c.after || "nothing") : "", c.decision && h("span.flip", verdict(c.decision.before), " to ", verdict(c.decision.after))] },
  { key: "detail", label: "What happened", value: c => c.detail, cell: c => c.detail, cls: "why" },
];

function changesView() {
  const all = (model.run.delta.changes || []).map((c, order) => ({ ...c, order, text: [c.function, c.id, c.component, c.detail, c.cause].join("\n").toLowerCase() }));
  const rows = () => all.filter(c => hasWords(c.text, words()) && (!filter.sev || c.severity && (filter.sev === "unknown" ? c.severity === "unknown" : rank(c.severity) >= LEAST[filter.sev])) && (!filter.verdict || c.decision && c.decision.after === filter.verdict));
  const table = list({ id: "changes", caption: "Changes", columns: CHANGE_COLUMNS, rows: all, initial: rows(), sort: { key: "order", desc: false }, open: c => { if (model.byName.has(c.function)) location.hash = functionHash(model.byName.get(c.function).i); }, empty: "No change matches.", note: (n, all) => (n === all ? count(all, "change") : number(n) + " of " + count(all, "change")) });
  return [h("h1#title", { tabindex: "-1" }, "Changes"), filterBar("changes", ["sev", "verdict"], [], "Function, finding or package", () => table.show(rows())), table];
}

function runView() {
  const { run } = model, list = sources();
  return [
    h("h1#title", { tabindex: "-1" }, "Run"),
    card("Judged with", facts([["Policy", run.policy.name], ["Policy digest", run.policy.digest && h("code", run.policy.digest)], ["Judged on", run.day], ["Stamped", run.judgedAt], ["Program", run.tool.name + " " + run.tool.version], ["Store", h("code", run.database.id || "none")], ["Built", day(run.database.builtAt)], ["Advisories", number(run.database.records)]])),
    (run.warnings || []).length > 0 && card("Warnings of the run", h("ul", run.warnings.map(w => h("li", w)))),
    card("Sources", h("div.scroll", h("table.plain", h("caption.offscreen", "Sources of what was known"), h("thead", h("tr", ["Name", "Kind", "Records", "As of", "Age", "Not read", "Source"].map(t => h("th", { scope: "col" }, t)))),
      h("tbody", list.map(e => [h("tr", h("th", { scope: "row" }, e.name), h("td", e.feed ? "feed" : "advisories"), h("td", number(e.records)), h("td", day(e.asOf) || "not known"), h("td", e.days === null ? "not known" : count(e.days, "day")), h("td", number(e.unread || 0)), h("td", e.source)),
        (e.sources || []).map(x => h("tr.sub", h("th", { scope: "row" }, x.name), h("td", "part of " + e.name), h("td", number(x.records)), h("td", day(x.asOf)), h("td"), h("td", number(x.unread || 0)), h("td", x.source)))]))))),
    card("Deadlines", calendarEvents().length ? h("ul.events", calendarEvents().map(e => h("li", h("span.when", h("strong", e.date), " " + inDays(e.days)), h("span", e.what + ": " + e.consequence, h("span.quiet", " " + [...e.functions].slice(0, 6).map(i => model.functions[i].name).join(", ") + (e.functions.size > 6 ? " and " + (e.functions.size - 6) + " more" : ""))), h("span.quiet", e.source)))) : h("p.quiet", "Nothing ends within a year.")),
  ];
}
