// run: what the verdicts rest on, and what changed since the reports before.

const CAUSES = {
  __proto__: null,
  "new-advisory": "New advisory", "changed-advisory": "Changed advisory", "withdrawn-advisory": "Withdrawn advisory", "changed-artifact": "Changed artifact", "deployed": "Deployed otherwise", "policy": "Policy", "runtime-date": "Runtime crossed a date",
  "waiver-expired": "Waiver expired", "time": "Time ran out", "fixed": "Fixed", "new": "New function", "gone": "Function gone", "program": "Other program, or edited report",
};
const GOOD = ["fixed", "withdrawn-advisory", "gone"];

function deltaCard(delta, most) {
  const changes = delta.changes || [];
  return h("section.card.delta", { "aria-labelledby": "card-delta" }, h("h2#card-delta", "What changed"),
    h("p.quiet", delta.before && day(delta.before.judgedAt) ? "Since the reports judged on " + day(delta.before.judgedAt) + "." : "Since the reports before."),
    delta.unread > 0 && h("p", h("strong", count(delta.unread, "report") + " cannot be read"), ": what changed there is not known."),
    changes.length === 0 ? h("p", delta.unread > 0 && !day(delta.before.judgedAt) ? "Nothing was compared." : "Nothing changed.") : [
      h("ul.tallies", (delta.summary || []).filter(t => t.count).map(t => h("li." + (GOOD.includes(t.cause) ? "good" : "neutral"), h("strong", number(t.count)), " " + (CAUSES[t.cause] || t.cause)))),
      h("p", h("strong", count(delta.count, "change")), " in " + count(delta.functions, "function") + "; ", h("strong", count(delta.turned, "verdict") + " changed.")),
      h("ul.changes", changes.slice(0, most).map(changeLine)), changes.length > most && h("p", h("a", { href: "#changes" }, "All changes"))]);
}

function changeLine(c) {
  return h("li", c.severity && severity(c.severity), " ", places(c.functions), ": ", c.detail, c.id && !c.detail.includes(c.id) && [" ", h("span.ids", c.id)], c.also && h("span.quiet", " and " + number(c.also.length) + " more of the same package"), " ", chip(CAUSES[c.cause] || c.cause), turns(c));
}

/** places links the first functions of a change, and counts the rest. */
function places(names, most = 3) {
  return [names.slice(0, most).map((n, i) => [i > 0 && ", ", model.byName.has(n) ? functionLink(model.byName.get(n).i) : h("strong", n)]), names.length > most && " and " + number(names.length - most) + " more"];
}

/** turns shows how verdicts turned with a change; in how many functions, where not in all. */
const turns = c => (c.turned || []).map(t => h("span.flip", verdict(t.before), " to ", verdict(t.after), t.functions.length < c.functions.length && " in " + number(t.functions.length)));

const CHANGE_COLUMNS = [
  { key: "order", label: "Cause", value: c => c.order, cell: c => h("button.expand", { type: "button", "aria-expanded": "false" }, CAUSES[c.cause] || c.cause) },
  { key: "function", label: "Functions", value: c => c.functions.length, desc: true, cell: c => places(c.functions) },
  { key: "severity", label: "Severity", value: c => (c.severity ? rank(c.severity) : -1), desc: true, cell: c => (c.severity ? severity(c.severity) : "") },
  { key: "id", label: "Finding", value: c => c.id || "", cell: c => [c.id, c.also && " and " + number(c.also.length) + " more", c.component && h("small", nameOf(c.component) + " " + versionOf(c.component))] },
  { key: "was", label: "Before and after", value: c => c.before || "", cell: c => [c.before || c.after ? (c.before || "nothing") + " to " + (c.after || "nothing") : "", c.turned && h("div", turns(c))] },
  { key: "detail", label: "What happened", value: c => c.detail, cell: c => c.detail, cls: "why" },
];

function changesView() {
  const delta = model.run.delta;
  const all = (delta.changes || []).map((c, order) => ({ ...c, order, text: [...c.functions, c.id, ...(c.also || []), c.component, c.detail, c.cause].join("\n").toLowerCase() }));
  const rows = () => all.filter(c => hasWords(c.text, words()) && (!filter.sev || c.severity && (filter.sev === "unknown" ? c.severity === "unknown" : rank(c.severity) >= LEAST[filter.sev])) && (!filter.verdict || (c.turned || []).some(t => t.after === filter.verdict)));
  const table = list({ id: "changes", caption: "Changes", columns: CHANGE_COLUMNS, rows: all, initial: rows(), sort: { key: "order", desc: false }, more: changeMore, empty: "No change matches.", note: (n, all) => (n === all ? number(n) + " different, " + count(delta.count, "change") + " in " + count(delta.functions, "function") : number(n) + " of " + number(all) + " different") });
  return [h("h1#title", { tabindex: "-1" }, "Changes"), filterBar("changes", ["sev", "verdict"], [], "Function, finding or package", () => table.show(rows())), table];
}

const changeMore = c => [
  c.component && h("p", componentLink(c.component, nameOf(c.component) + " " + versionOf(c.component))),
  c.also && h("p", h("strong", "Findings: "), [c.id, ...c.also].join(", ")),
  h("p", h("strong", count(c.functions.length, "function") + ": "), places(c.functions, Infinity)),
];

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
