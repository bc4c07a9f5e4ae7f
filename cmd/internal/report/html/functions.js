// functions: the list of functions.

const FUNCTION_COLUMNS = [
  { key: "verdict", label: "Verdict", value: f => f.badness, desc: true, cell: f => verdict(f.decision), cls: "narrow" },
  { key: "name", label: "Function", value: f => f.name.toLowerCase(), cls: "name", cell: f => [functionLink(f.i), f.owner && h("small", f.owner), f.tags && f.tags.map(t => chip(t))] },
  { key: "runtime", label: "Runtime", value: f => f.runtime || "", cell: f => f.runtime || "", cls: "wide runtime" },
  { key: "findings", label: "Open findings", value: f => f.openCount, desc: true, cls: "narrow", cell: f => (f.openCount ? h("div.mini", h("span", number(f.openCount)), bar(severitySegments(f), f.openCount, 6), h("small", severityWords(f, 2))) : "0") },
  { key: "kev", label: "Exploited", value: f => f.kev, desc: true, num: true, cell: f => (f.kev ? h("strong.kev", number(f.kev)) : "0"), cls: "wide" },
  { key: "packages", label: "Packages", value: f => f.components.length, desc: true, num: true, cell: f => number(f.components.length), cls: "wide" },
  { key: "told", label: "Code told", value: f => f.told, num: true, cell: f => (f.code ? percent(f.code - (f.dark || 0), f.code) : ""), cls: "wide" },
  { key: "why", label: "Why", cell: f => why(f), cls: "why" },
];

function why(f) {
  if (!f.reasons.length) return h("span.quiet", "nothing is against it");
  return [h("span", f.reasons[0]), f.reasons.length > 1 && h("span.rest", h("span.more", " and " + number(f.reasons.length - 1) + " more"), h("ul.print", f.reasons.slice(1).map(r => h("li", r))))];
}

function functionsView() {
  const rows = () => {
    const ws = words(), asks = asksFindings();
    return model.functions.filter(f => (!filter.verdict || f.decision === filter.verdict) && (!filter.rt || f.runtime === filter.rt) &&
      hasWords(f.text, ws) && (!asks || f.findings.some(n => matchesFinding(model.findings[n]))));
  };
  const table = list({
    id: "functions", caption: "Functions", columns: FUNCTION_COLUMNS, rows: model.functions, initial: rows(), sort: { key: "verdict", desc: true },
    open: f => { location.hash = functionHash(f.i); }, empty: "No function matches.",
    note: (n, all) => (n === all ? count(all, "function") : number(n) + " of " + count(all, "function")),
  });
  return [h("h1#title", { tabindex: "-1" }, "Functions"), filterBar("functions", ["verdict", "rt", "sev", "kind", "origin", "sure", "status"], ["fix", "kev", "fresh"], "Name, owner, runtime or reason", () => table.show(rows())), table];
}
