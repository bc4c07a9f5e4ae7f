// findings: everything that was found, over all functions; the same finding
// about the same package is one row.

const FINDING_COLUMNS = [
  { key: "severity", label: "Severity", cls: "narrow", value: g => g.x.rank * 1000 + (g.x.aside ? 0 : 500) + (g.x.kev ? 200 : 0) + Math.min(g.x.score || 0, 10), desc: true, cell: g => [severity(g.x.severity), g.x.kev && chip("exploited", "kev"), g.x.aside && chip(g.x.aside, "aside")] },
  { key: "id", label: "Finding", value: g => g.x.id, cell: g => [h("button.expand", { type: "button", "aria-expanded": "false" }, findingName(g.x)), h("small.title", g.x.title)] },
  { key: "package", label: "Package", value: g => g.x.package.toLowerCase(), cell: g => (g.x.purl ? [componentLink(g.x.purl, g.x.package), h("small", some([...g.versions], 3))] : h("span.quiet", "none")) },
  { key: "fix", label: "Fix", cls: "fix", value: g => (g.x.fixed || [])[0] || "", cell: g => fixWords(g.x) },
  { key: "priority", label: "Priority", value: g => g.x.priority || 0, desc: true, num: true, cell: g => (g.x.priority ? number(g.x.priority) : "") },
  { key: "epss", label: "EPSS", value: g => g.x.epss || 0, desc: true, num: true, cell: g => (g.x.epss ? (100 * g.x.epss).toFixed(1) + " %" : ""), cls: "wide" },
  { key: "functions", label: "Functions", value: g => g.n, desc: true, num: true, cell: g => number(g.n) },
];

const FIRST_KINDS = ["vulnerability", "malware"];
const findingName = x => (FIRST_KINDS.includes(x.kind) ? x.id : capital(x.kind) + ": " + (x.rule || x.id));
function fixWords(x) {
  if (x.fixed && x.fixed.length) return x.fixed.slice(0, 2).join(", ") + (x.fixed.length > 2 ? " …" : "");
  return x.kind === "vulnerability" ? h("span.quiet", "no fix known") : "";
}

function findingsView() {
  const rows = () => {
    const ws = words(), asks = asksFindings(), out = [];
    for (const g of findingGroups()) {
      if (!hasWords(g.x.text, ws)) continue;
      const functions = new Set();
      for (let i = 0; i < g.items.length; i += 2) {
        if ((!filter.verdict || g.items[i + 1].decision === filter.verdict) && (!asks || matchesFinding(g.items[i]))) functions.add(g.items[i + 1]);
      }
      if (functions.size) out.push({ x: g.x, n: functions.size, functions, versions: g.versions });
    }
    return out;
  };
  // The columns of what nobody filled are left out.
  const has = { priority: model.findings.some(f => f.priority), epss: model.findings.some(f => f.epss) };
  const first = rows();
  const table = list({
    id: "findings", caption: "Findings", columns: FINDING_COLUMNS.filter(c => has[c.key] !== false), rows: findingGroups(), sort: { key: has.priority ? "priority" : "severity", desc: true }, empty: "No finding matches.",
    more: g => findingAcross(g), note: (n, all) => (n === all ? count(all, "different finding") : number(n) + " of " + count(all, "different finding")),
    initial: first,
  });
  return [h("h1#title", { tabindex: "-1" }, "Findings"), filterBar("findings", ["sev", "kind", "verdict", "origin", "sure", "status"], ["fix", "kev", "fresh"], "Id, alias, package or title", () => table.show(rows())), table];
}

/** findingAcross says everything that holds in all functions of a finding, and names them. */
function findingAcross(g) {
  const functions = [...g.functions].sort((a, b) => b.badness - a.badness || a.i - b.i);
  return h("div.across", findingFacts(g.x), h("h3", count(functions.length, "function")),
    h("ul.names", functions.slice(0, 200).map(f => h("li." + f.decision, verdictIcon(f.decision), " ", functionLink(f.i, g.x.id)))), functions.length > 200 && h("p.quiet", "and " + number(functions.length - 200) + " more"));
}
