// sections: what the page of a function says beside its findings.

const left = (d, name) => d.more && d.more[name] > 0 && h("p.quiet", "and " + number(d.more[name]) + " more in the JSON report");

function unknownsSection(f, d) {
  const all = d.unknowns || [];
  if (!all.length) return null;
  const gaps = all.filter(u => u.kind !== "unmatched"), unmatched = all.filter(u => u.kind === "unmatched"), reasons = new Map();
  for (const u of unmatched) reasons.set(u.reason, [...(reasons.get(u.reason) || []), u]);
  const row = u => h("tr", h("td", u.kind, u.code && chip("code"), u.waived && chip("waived", "aside")), h("td", h("code.path", located(d, u.artifact, u.path))), h("td", u.reason, u.waived && h("small", "waived by " + u.waived.owner + " until " + dayBefore(u.waived.expires) + ": " + u.waived.reason)));
  return [
    gaps.length > 0 && h("div.scroll", h("table.plain", h("caption.offscreen", "What could not be judged"), h("thead", h("tr", ["Kind", "Where", "Why"].map(t => h("th", { scope: "col" }, t)))), h("tbody", gaps.slice().sort((a, b) => !!b.code - !!a.code).map(row)))),
    [...reasons].map(([why, us]) => fold(count(us.length, us.some(u => u.component) ? "package" : "place") + ": " + why, () => h("ul.names", us.map(u => h("li", u.component ? componentLink(u.component, nameOf(u.component) + " " + versionOf(u.component)) : h("code.path", u.path || "")))))),
    left(d, "unknowns"),
  ];
}

function coverageSection(f, d) {
  const c = d.coverage;
  if (!c || !c.codeBytes) return null;
  const parts = x => [{ n: x.attributedBytes, cls: "attributed" }, { n: x.ownBytes, cls: "own" }, { n: x.unknownBytes, cls: "dark" }];
  const said = x => [x.attributedBytes && percent(x.attributedBytes, x.codeBytes) + " of packages", x.ownBytes && percent(x.ownBytes, x.codeBytes) + " own", x.unknownBytes && percent(x.unknownBytes, x.codeBytes) + " that nobody could name"].filter(Boolean).join(", ");
  return [
    h("p", h("strong", bytes(c.codeBytes)), " of code: " + said(c)), bar(parts(c), c.codeBytes, 16),
    legend([{ label: "of packages", cls: "attributed" }, { label: "own", cls: "own" }, { label: "nobody could name it", cls: "dark" }]),
    (c.bundles || []).map(b => fold([h("code.path", located(d, b.artifact, b.path)), " " + b.bundler + ", " + bytes(b.codeBytes) + ": " + said(b)], () => [bar(parts(b), b.codeBytes, 10), b.lockfile && h("p", "Its packages are those of " + b.lockfile + " at most."), b.refused && h("p.notice", b.refused),
      h("ul.names", (b.packages || []).map(p => h("li", p.component ? componentLink(p.component, p.name) : p.name, h("span.quiet", " " + bytes(p.bytes)))))])),
    left(d, "bundles"),
    (c.unattributed || []).length > 0 && fold(count(c.unattributed.length, "file") + " with code that nobody could name", () => [h("ul", c.unattributed.map(u => h("li", h("code.path", located(d, u.artifact, u.path)), " " + bytes(u.bytes) + ": " + u.reason))), left(d, "unattributed")]),
    (d.absent || []).length > 0 && fold(count(d.absent.length, "package") + " of the lockfile that the bundler left out", () => [h("ul", d.absent.map(a => h("li", a.name + " " + a.version, (a.advisories || []).length > 0 && [": ", a.advisories.map((v, i) => [i > 0 && ", ", advisoryLink(v.id)]), " not counted"]))), left(d, "absent")]),
  ];
}

function calendarSection(f) {
  if (!(f.calendar || []).length) return null;
  return h("ul.events", f.calendar.map(e => h("li", h("span.when", h("strong", e.date), " " + inDays(e.days)), h("span", e.what + (e.guessed ? " (guessed)" : "") + ": " + e.consequence), h("span.quiet", [e.source, day(e.asOf) && "as of " + day(e.asOf)].filter(Boolean).join(" ")))));
}

const CHECK_ICON = { __proto__: null, ran: "pass", failed: "fail", skipped: "incomplete" };
function checksSection(d) {
  if (!(d.checks || []).length) return null;
  return h("ul.checks", d.checks.map(c => h("li." + (CHECK_ICON[c.state] || "incomplete"), verdictIcon(CHECK_ICON[c.state] || "incomplete"), h("strong", c.check), " " + c.state + (c.reason ? ": " + c.reason : ""))));
}

const STATUS_ICON = { __proto__: null, verified: "pass", rejected: "fail", missing: "incomplete", unverifiable: "incomplete" };
function attestationsSection(d) {
  const list = d.attestations || [];
  if (!list.length) return null;
  return list.map(a => fold([verdictIcon(STATUS_ICON[a.status] || "incomplete"), " ", h("strong", a.kind), " " + a.status + (a.identity ? " by " + a.identity : "") + (a.reason ? ": " + a.reason : "")], () => facts([
    ["Artifact", ((d.artifacts || [])[a.artifact || 0] || {}).ref], ["Step", a.step], ["Reason", a.reason], ["Expected", a.expected], ["Found", a.found], ["Source", a.source], ["Covers", a.covers], ["Identity", a.identity], ["Issuer", a.issuer], ["Key", a.keyId],
    ["Times", (a.times || []).map(t => h("div", day(t.at) + " by " + t.clock))], ["Notes", (a.notes || []).map(n => h("div", n))], ["Predicate", a.predicateType], ["Builder", a.builder], ["SLSA build level", a.level], ["Repository", a.repository], ["Commit", a.commit], ["Ref", a.ref],
    ["Workflow", a.workflow], ["Verifier", a.verifier], ["Result", a.result], ["Levels", (a.levels || []).join(", ")], ["Checked with", a.trustRoot], ["Scanner", a.scanner], ["Stated at", day(a.statedAt)], ["Digest", a.digest && h("code", a.digest)],
  ]), { open: a.status === "rejected" }));
}

function declaredSection(d) {
  const x = d.declared, v = d.vetted;
  if (!x && !v) return null;
  return [
    x && [h("p.quiet", "By " + x.descriptor + "; no byte proves it."), facts([
      ["Resource", x.resource], ["Name", x.functionName], ["Triggers", (x.triggers || []).map(t => h("div", t.name + ": " + t.type + (t.detail ? " " + t.detail : "") + (t.auth ? ", authorisation " + t.auth : "")))], ["URL authorisation", x.urlAuth], ["Role", x.role],
      ["Policies", (x.policies || []).map(p => h("div", p))], ["Environment names", (x.environment || []).join(", ")], ["Code signing", x.codeSigning && x.codeSigning + (x.signingMode ? " (" + x.signingMode + ")" : "")], ["Signing profiles", (x.signingProfiles || []).join(", ")],
      ["Layers", (x.layers || []).map(l => h("div", l))], ["Image", x.image], ["Condition", x.condition], ["Known at deployment only", (x.unresolved || []).join(", ")],
    ])],
    v && facts([["Vetted", v.component || v.lockfile], ["Archive", v.archive && h("code", v.archive)], ["No archive", v.archiveLacks], ["Dependencies", v.dependencies], ["Direct", v.direct], ["Not resolved", v.unresolved], ["Tree by", v.tree]]),
  ];
}

function artifactsSection(d) {
  if (!(d.artifacts || []).length) return null;
  return [h("div.scroll", h("table.plain", h("caption.offscreen", "Artifacts"), h("thead", h("tr", ["What", "Kind", "Size", "Mounted at", "Digest"].map(t => h("th", { scope: "col" }, t)))),
    h("tbody", d.artifacts.map(a => h("tr", h("th", { scope: "row" }, h("code.path", a.ref)), h("td", a.kind), h("td", bytes(a.size)), h("td", a.mount), h("td", h("code.digest", a.digest))))))),
  (d.goBinaries || []).map(b => h("p.quiet", "Go binary ", h("code.path", located(d, b.artifact, b.path)), " by " + b.go + (b.stripped ? ", stripped" : "") + ", " + count(b.functions, "function") + (b.partial ? "; " + b.partial : "")))];
}

const PACKAGE_COLUMNS = [
  { key: "name", label: "Package", value: r => r.c.name.toLowerCase(), cell: r => [r.c.purl ? componentLink(r.c.purl, r.c.name) : r.c.name, r.c.main && chip("the function itself")] },
  { key: "version", label: "Version", value: r => r.c.version || "", cell: r => r.c.version || h("span.quiet", (r.c.versions || []).join(" or ") || "not known") },
  { key: "findings", label: "Open findings", value: r => r.n, desc: true, num: true, cell: r => number(r.n) },
  { key: "state", label: "State", value: r => r.c.state, cell: r => r.c.state },
  { key: "origin", label: "Origin", value: r => r.c.origin || "", cell: r => r.c.origin || "" },
  { key: "licence", label: "Licence", value: r => (r.c.licenses || []).join(", "), cell: r => (r.c.licenses || []).join(", "), cls: "wide" },
];

function packagesSection(f, d) {
  if (!f.components.length) return null;
  const open = new Map();
  for (const n of f.findings) {
    const x = model.findings[n];
    if (!x.aside && x.of >= 0) open.set(x.of, (open.get(x.of) || 0) + 1);
  }
  PACKAGE_COLUMNS.head = 0;
  return list({
    id: "packages", caption: "Packages of this function", columns: PACKAGE_COLUMNS, rows: f.components.map((n, i) => ({ c: model.components[n], i, n: open.get(n) || 0 })), sort: { key: "findings", desc: true },
    more: r => h("dl.facts", placeRows(d, d.places[r.i]).map(([k, v]) => h("div", h("dt", k), h("dd", v)))), note: n => count(n, "package"),
  });
}
