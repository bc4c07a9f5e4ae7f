// function: the page of one function: the verdict and why, what to do, what
// was found, what is not known, and what that rests on.

async function functionView(f) {
  const d = await details(f);
  const parts = [
    ["why", "Verdict", verdictSection(f)],
    ["upgrades", "What to do", upgradesSection(f)],
    ["found", "Findings", findingsSection(f, d)],
    ["unknown", "Not known", unknownsSection(f, d)],
    ["coverage", "Whose code it is", coverageSection(f, d)],
    ["calendar", "What ends when", calendarSection(f)],
    ["checks", "Checks", checksSection(d)],
    ["signed", "Signatures and attestations", attestationsSection(d)],
    ["deployed", "Deployed", deployedSection(d)],
    ["declared", "Declared", declaredSection(d)],
    ["artifacts", "Artifacts", artifactsSection(d)],
    ["packages", "Packages", packagesSection(f, d)],
  ].filter(([, , inside]) => inside);
  return [
    h("p.back", h("a", { href: "#functions" }, "All functions")),
    h("section.hero." + f.decision, { "aria-labelledby": "title" }, h("div.hero-icon", verdictIcon(f.decision)), h("div.hero-text",
      h("h1#title", { tabindex: "-1" }, f.name, " ", verdict(f.decision)),
      h("p.lead", environmentWords(f, d)),
      h("p.quiet", [f.target !== f.name && f.target, f.owner && "owner " + f.owner].filter(Boolean).join(", "), " ", (f.tags || []).map(t => chip(t))))),
    h("nav.jump", { "aria-label": "On this page" }, h("ul", parts.map(([id, title]) => h("li", h("a", { href: functionHash(f.i) + "?at=" + id }, title))))),
    parts.map(([id, title, inside]) => h("section.card#at-" + id, { "aria-labelledby": "h-" + id }, h("h2#h-" + id, { tabindex: "-1" }, title), inside)),
  ];
}

function environmentWords(f, d) {
  const guessed = what => ((d.guessed || []).includes(what) ? " (guessed)" : "");
  return [f.runtime && f.runtime + guessed("runtime") + (f.platform && f.platform !== "none" ? " on " + f.platform + guessed("platform") : ""), f.architecture && f.architecture + guessed("architecture"),
    d.handler && "handler " + d.handler + guessed("handler"), count(f.components.length, "package"), count(f.openCount, "open finding")].filter(Boolean).join(" · ");
}

function verdictSection(f) {
  const v = f.verdict, warnings = v.warnings || [];
  return [
    f.reasons.length ? h("ol.reasons", f.reasons.map(r => h("li", r))) : h("p", "Nothing is against it."),
    v.next && h("div.next", h("strong", "Next: "), nextWords(v.next)),
    warnings.length > 0 && fold(count(warnings.length, "warning"), () => h("ul", warnings.map(w => h("li", w))), { open: warnings.length <= 3 }),
  ];
}

// A next step that is a command, or ends in one, can be copied.
function nextWords(next) {
  const at = next.indexOf("fnaudit ");
  if (at < 0) return next;
  return [next.slice(0, at), command(next.slice(at))];
}

function upgradesSection(f) {
  const steps = f.upgrades || f.findings.length && derivedUpgrades(f);
  if (!steps || !steps.length) return null;
  const step = u => h("li",
    h("div.step", componentLink(u.component, u.name), h("span", u.from ? " " + u.from : ""), u.to ? [" to ", h("strong", u.to === "newer" ? "a newer one" : u.to)] : ": no version clears it", u.major && chip("major"), u.for && h("span.quiet", " for " + nameOf(u.for) + " " + versionOf(u.for))),
    h("p.quiet", "clears " + clearsWords(f, u.clears) + (u.remains && u.remains.length ? "; " + count(u.remains.length, "finding") + " about it stay" : "") + (u.priority ? "; priority " + u.priority : "")),
    u.command && command(u.command), u.note && h("p", u.note), u.layer && h("p.quiet", "It lies in the layer " + u.layer));
  return [h("ol.steps", steps.slice(0, MOST_STEPS).map(step)), steps.length > MOST_STEPS && fold("and " + number(steps.length - MOST_STEPS) + " more", () => h("ol.steps", { start: MOST_STEPS + 1 }, steps.slice(MOST_STEPS).map(step)))];
}
const MOST_STEPS = 8;

function clearsWords(f, clears) {
  const found = clears.map(n => model.findings[f.findings[n]]), shown = [...new Set(found.map(x => x.id))];
  return count(clears.length, "finding") + (shown.length ? ": " + shown.slice(0, 4).join(", ") + (shown.length > 4 ? " and " + (shown.length - 4) + " more" : "") : "");
}

// Of a report without a list of steps: the versions that the components state.
function derivedUpgrades(f) {
  const steps = new Map();
  f.findings.forEach((n, i) => {
    const x = model.findings[n];
    if (!x.c || !x.c.upgrade || x.aside) return;
    if (!steps.has(x.of)) steps.set(x.of, { component: x.purl, name: x.package, from: x.version, to: x.c.upgrade, clears: [], rank: 0 });
    const u = steps.get(x.of);
    u.clears.push(i);
    u.rank = Math.max(u.rank, x.rank + (x.kev ? 10 : 0));
  });
  return [...steps.values()].sort((a, b) => b.rank - a.rank || b.clears.length - a.clears.length);
}

function findingsSection(f, d) {
  if (!f.findings.length) return h("p.quiet", "No findings.");
  const view = "f/" + encodeHash(f.key), body = h("div");
  const draw = () => {
    const ws = words(), groups = new Map();
    f.findings.forEach((n, i) => {
      const x = model.findings[n];
      if (!matchesFinding(x) || !hasWords(x.text, ws)) return;
      const key = x.aside ? "aside" : "open", of = key + "\n" + (x.purl || x.kind);
      if (!groups.has(of)) groups.set(of, { aside: x.aside, x, items: [] });
      const g = groups.get(of);
      if (x.rank > g.x.rank || x.rank === g.x.rank && (x.priority || 0) > (g.x.priority || 0)) g.x = x;
      g.items.push({ x, i });
    });
    const all = [...groups.values()].sort((a, b) => (b.x.kind === "malware") - (a.x.kind === "malware") || (b.x.priority || 0) - (a.x.priority || 0) || b.x.rank - a.x.rank || (b.x.score || 0) - (a.x.score || 0));
    const open = all.filter(g => !g.aside), aside = all.filter(g => g.aside);
    const n = gs => gs.reduce((n, g) => n + g.items.length, 0);
    clear(body,
      h("p.status", { role: "status" }, n(all) === f.findings.length ? count(n(open), "open finding") + ", " + number(n(aside)) + " set aside" : number(n(all)) + " of " + count(f.findings.length, "finding")),
      open.map((g, k) => packageGroup(f, d, g, k < 1 || isFiltered() && all.length < 6)),
      aside.length > 0 && h("h3", "Set aside"), aside.length > 0 && h("p.quiet", "Another copy wins, the platform brings it, it may not apply, or somebody said so: these do not decide by themselves."),
      aside.map(g => packageGroup(f, d, g, false)));
  };
  draw();
  return [filterBar(view, ["sev", "kind", "origin", "sure", "status"], ["fix", "kev", "fresh"], "Id, alias, package or title", draw), body];
}

function packageGroup(f, d, g, open) {
  const x = g.x, ids = g.items.map(it => findingName(it.x));
  const head = [
    severity(x.severity), h("strong.pkg", x.purl ? x.package : capital(x.kind)), x.version && h("span.version", x.version),
    x.c && x.c.upgrade && h("span.upgrade", "to " + x.c.upgrade), g.items.some(it => it.x.kev) && chip("exploited", "kev"), x.kind === "malware" && chip("malware", "kev"), g.aside && chip(g.aside, "aside"),
    h("span.ids", ids[0] + (ids.length > 1 ? " +" + (ids.length - 1) : "")),
  ];
  const el = fold(head, () => g.items.map(it => findingFold(f, d, it.x, it.i, g.items.length === 1)), { open, cls: "group" });
  return el;
}
