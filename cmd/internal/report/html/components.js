// components: every package over all functions, and the page of one.

const COMPONENT_COLUMNS = [
  { key: "name", label: "Package", value: p => p.name.toLowerCase(), cell: p => [componentLink(p.key, p.name), h("small", p.ecosystem)] },
  { key: "versions", label: "Versions", value: p => p.versions.size, desc: true, cell: p => some([...p.versions], 3) },
  { key: "functions", label: "Functions", value: p => p.functions.length, desc: true, num: true, cell: p => number(p.functions.length) },
  { key: "worst", label: "Worst open", value: p => p.worst * 2 + (p.kev ? 1 : 0), desc: true, cell: p => (p.worst >= 0 ? [severity(worstOf(p)), p.kev && chip("exploited", "kev")] : h("span.quiet", "none")) },
  { key: "open", label: "Open findings", value: p => p.open, desc: true, num: true, cell: p => number(p.open) },
  { key: "upgrade", label: "Upgrade to", value: p => [...p.upgrades][0] || "", cell: p => some([...p.upgrades], 2) },
  { key: "licence", label: "Licence", value: p => [...p.licenses].join(), cell: p => some([...p.licenses], 2), cls: "wide" },
  { key: "origin", label: "Origin", value: p => [...p.origins].join(), cell: p => [...p.origins].filter(Boolean).join(", "), cls: "wide" },
];
COMPONENT_COLUMNS.head = 0;

function some(list, n) { return list.slice(0, n).join(", ") + (list.length > n ? " and " + number(list.length - n) + " more" : ""); }
function worstOf(p) {
  let worst = null;
  for (const x of p.findings.values()) if (!x.aside && (!worst || x.rank > worst.rank || x.rank === worst.rank && x.severity !== "unknown")) worst = x;
  return worst ? worst.severity : "none";
}

function componentsView() {
  const all = [...packageGroups().values()];
  const rows = () => {
    const ws = words(), asks = ["sev", "kind", "sure", "status", "fix", "kev", "fresh"].some(k => filter[k]);
    return all.filter(p => (!filter.eco || p.ecosystem === filter.eco) && (!filter.origin || p.origins.has(filter.origin)) && hasWords(p.text, ws) && (!asks || [...p.findings.values()].some(matchesFinding)));
  };
  const table = list({
    id: "components", caption: "Packages", columns: COMPONENT_COLUMNS, rows: all, initial: rows(), sort: { key: "worst", desc: true }, open: p => { location.hash = "#c/" + encodeHash(p.key); },
    empty: "No package matches.", note: (n, all) => (n === all ? count(all, "package") : number(n) + " of " + count(all, "package")),
  });
  return [h("h1#title", { tabindex: "-1" }, "Packages"), filterBar("components", ["sev", "eco", "origin", "status"], ["fix", "kev", "fresh"], "Package, licence or finding", () => table.show(rows())), table];
}

function componentView(p) {
  const versions = new Map();
  for (const n of p.components) {
    const c = model.components[n], key = [c.version || (c.versions || []).join(" or ") || "not known", c.state, c.origin].join("\n");
    if (!versions.has(key)) versions.set(key, { c, of: new Set(), functions: new Set(), open: 0, upgrades: new Set() });
    const v = versions.get(key);
    v.of.add(n);
    if (c.upgrade) v.upgrades.add(c.upgrade);
  }
  const list = [...versions.values()];
  for (const i of p.functions) {
    const f = model.functions[i], has = new Set(f.components);
    for (const v of list) if ([...v.of].some(n => has.has(n))) v.functions.add(i);
    for (const n of f.findings) for (const v of list) if (v.of.has(model.findings[n].of) && !model.findings[n].aside) v.open++;
  }
  list.sort((a, b) => b.functions.size - a.functions.size);
  const found = [...p.findings.values()].sort((a, b) => !!a.aside - !!b.aside || b.rank - a.rank || (b.score || 0) - (a.score || 0));
  return [
    h("p.back", h("a", { href: "#components" }, "All packages")),
    h("section.hero.package", { "aria-labelledby": "title" }, h("div.hero-text", h("h1#title", { tabindex: "-1" }, p.name), h("p.lead", "in " + count(p.functions.length, "function") + ", " + count(p.open, "open finding") + (p.upgrades.size ? ", cleared by " + some([...p.upgrades], 3) : "")),
      h("p.quiet", h("code", p.key), " ", [...p.licenses].map(l => chip(l))))),
    h("section.card", { "aria-labelledby": "h-versions" }, h("h2#h-versions", "Versions"), h("div.scroll", h("table.plain", h("caption.offscreen", "Versions"), h("thead", h("tr", ["Version", "State", "Origin", "Functions", "Open findings", "Upgrade to"].map(t => h("th", { scope: "col" }, t)))),
      h("tbody", list.map(v => h("tr", h("th", { scope: "row" }, v.c.version || (v.c.versions || []).join(" or ") || "not known"), h("td", v.c.state), h("td", v.c.origin || ""), h("td", number(v.functions.size)), h("td", number(v.open)), h("td", some([...v.upgrades], 2)))))))),
    h("section.card", { "aria-labelledby": "h-findings" }, h("h2#h-findings", "Findings"), found.length ? found.map(x => fold([severity(x.severity), h("span.ids", findingName(x)), h("span.title", x.title), x.aside && chip(x.aside, "aside")], () => findingFacts(x), { cls: "finding" })) : h("p.quiet", "Nothing is known against it.")),
    h("section.card", { "aria-labelledby": "h-functions" }, h("h2#h-functions", "Functions that have it"), h("ul.names", [...p.functions].map(i => model.functions[i]).sort((a, b) => b.badness - a.badness || a.i - b.i).map(f => h("li." + f.decision, verdictIcon(f.decision), " ", functionLink(f.i), h("span.quiet", " " + [...new Set(f.components.filter(n => p.components.includes(n)).map(n => model.components[n].version || "version not known"))].join(", ")))))),
  ];
}
