// model: the data of the page, opened once, and what is worked out of it.
// A table that is asked with a word of a report has no prototype: a report can
// say "constructor" anywhere.

const model = { run: null, functions: [], components: [], findings: [], byName: new Map() };
const opened = new Map(); // block -> promise of its values; the last few

/** openBlock reads one block: base64 of gzip of a JSON list. */
async function openBlock(id) {
  const text = atob($(id).textContent), n = text.length, data = new Uint8Array(n);
  for (let i = 0; i < n; i++) data[i] = text.charCodeAt(i);
  return JSON.parse(await new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

/** details are what only the page of one function shows. */
function details(f) {
  const id = "details-" + f.block;
  if (!opened.has(id)) {
    if (opened.size >= 8) opened.delete(opened.keys().next().value);
    opened.set(id, openBlock(id));
  }
  return opened.get(id).then(list => list[f.index]);
}

async function openModel() {
  const [run, functions, components, findings] = await Promise.all(["run", "functions", "components", "findings"].map(openBlock));
  run[0].rules ??= {};
  run[0].help ??= {};
  Object.assign(model, { run: run[0], functions, components, findings });
  model.compared = findings.some(f => f.baseline); // with an earlier report: what that has is not new
  for (const c of components) c.key = versionless(c.purl || "") || c.name;
  for (const f of findings) prepareFinding(f);
  functions.forEach(prepareFunction);
  nameFunctions();
}

/** once is fn that works once: what only some views need is worked out when one of them does. */
function once(fn) {
  let value;
  return () => value ??= fn();
}

const SEVERITY_RANK = { __proto__: null, critical: 5, high: 4, unknown: 4, medium: 3, low: 2, none: 0 };
const rank = severity => SEVERITY_RANK[severity] ?? 4;
const DECISION_RANK = { __proto__: null, fail: 2, incomplete: 1, pass: 0 };

function prepareFinding(f) {
  const c = f.of >= 0 ? model.components[f.of] : null;
  f.c = c;
  f.purl = c ? c.purl || "" : f.component || "";
  f.key = c ? c.key : versionless(f.purl);
  f.package = c ? c.name : nameOf(f.purl);
  f.version = c ? c.version || (c.versions || []).join(" or ") : versionOf(f.purl);
  f.rank = rank(f.severity);
  f.aside = setAside(f);
  f.fixable = (f.fixed || []).length > 0 || !!(c && c.upgrade);
  f.fresh = f.firstSeen ? [day(model.run.judgedAt), model.run.day].includes(day(f.firstSeen)) : model.compared && !f.baseline;
  f.text = [f.id, ...(f.aliases || []), f.purl, f.package, f.title, f.rule].join("\n").toLowerCase();
}

/** setAside says why a finding does not count for the verdict; "" when it may. */
function setAside(f) {
  if (f.counts === "fail" || f.counts === "incomplete") return ""; // the policy said so
  if (f.waived) return "waived";
  if (f.vex && !f.vex.refused && (f.vex.status === "not_affected" || f.vex.status === "fixed")) return "VEX: " + f.vex.status.replace("_", " ");
  if (f.baseline) return "in the baseline";
  if (f.kind !== "malware") {
    if (f.reach === "absent") return "not linked";
    if (f.origin === "base" || f.origin === "runtime") return f.origin === "base" ? "base image" : "runtime's own";
    if (f.state === "shadowed" || f.state === "provided") return f.state;
    if (f.certainty === "possible") return "may apply";
  }
  return "";
}

function prepareFunction(f, index) {
  f.i = index;
  f.decision = f.verdict.decision;
  f.reasons = f.verdict.reasons || [];
  f.open = { critical: 0, high: 0, unknown: 0, medium: 0, low: 0, none: 0 };
  f.openCount = f.kev = f.malware = f.worst = f.topPriority = 0;
  for (const n of f.findings) {
    const x = model.findings[n];
    if (x.aside) continue;
    f.openCount++;
    f.open[word(x.severity, SEVERITIES, "unknown")]++;
    f.worst = Math.max(f.worst, x.rank);
    f.topPriority = Math.max(f.topPriority, x.priority || 0);
    if (x.kev) f.kev++;
    if (x.kind === "malware") f.malware++;
  }
  f.told = f.code > 0 ? 1 - (f.dark || 0) / f.code : 1;
  f.text = [f.name, f.target, f.owner, f.runtime, f.platform, ...(f.tags || []), ...f.reasons].join("\n").toLowerCase();
  // One number by which functions are the worst: what fails first, then what is exploited, then the severities.
  f.badness = DECISION_RANK[f.decision] * 1e12 + Math.min(f.malware, 99) * 1e10 + Math.min(f.kev, 99) * 1e8 + Math.min(f.open.critical, 99) * 1e6 + Math.min(f.open.high + f.open.unknown, 999) * 1e3 + Math.min(f.open.medium, 999);
}

// A link names a function by its name, and by its number among those of one name.
function nameFunctions() {
  for (const f of model.functions) {
    let key = f.name;
    for (let n = 2; model.byName.has(key); n++) key = f.name + "~" + n;
    model.byName.set(key, f);
    f.key = key;
  }
}
const functionHash = i => "#f/" + encodeHash(model.functions[i].key);

/** findingGroups puts together what is the same finding about the same package in several functions. */
const findingGroups = once(() => {
  const groups = new Map();
  for (const x of model.findings) {
    const key = x.kind + "\n" + x.id + "\n" + x.key;
    if (!groups.has(key)) groups.set(key, { x, items: [], n: 0, versions: new Set() });
    x.group = groups.get(key);
    x.group.versions.add(x.version || "version not known");
  }
  for (const f of model.functions) {
    for (const n of f.findings) {
      const x = model.findings[n], g = x.group;
      if (x.rank > g.x.rank || (x.priority || 0) > (g.x.priority || 0)) g.x = x;
      g.items.push(x, f);
    }
  }
  return [...groups.values()];
});

/** packageGroups puts together the versions of a package, by its purl without a version. */
const packageGroups = once(() => {
  const packages = new Map(), of = new Array(model.components.length);
  model.components.forEach((c, i) => {
    const key = c.key;
    let p = packages.get(key);
    if (!p) packages.set(key, p = { key, name: c.name, ecosystem: c.ecosystem || typeOf(c.purl || ""), components: [], functions: [], last: -1, findings: new Map(), open: 0, worst: -1, kev: false, licenses: new Set(), versions: new Set(), upgrades: new Set(), states: new Set(), origins: new Set() });
    p.components.push(i);
    for (const l of c.licenses || []) p.licenses.add(l);
    p.versions.add(c.version || (c.versions || []).join(" or ") || "unknown");
    if (c.upgrade) p.upgrades.add(c.upgrade);
    p.states.add(c.state);
    p.origins.add(c.origin || "");
    of[i] = p;
  });
  for (const f of model.functions) {
    for (const c of f.components) if (of[c].last !== f.i) { of[c].last = f.i; of[c].functions.push(f.i); }
    for (const n of f.findings) {
      const x = model.findings[n], p = x.of >= 0 ? of[x.of] : null;
      if (!p) continue;
      p.findings.set(x.id, x);
      if (x.aside) continue;
      p.open++;
      p.worst = Math.max(p.worst, x.rank);
      p.kev ||= !!x.kev;
    }
  }
  for (const p of packages.values()) p.text = [p.key, p.name, ...p.licenses, ...p.findings.keys()].join("\n").toLowerCase();
  return packages;
});

// Package URLs: https://github.com/package-url/purl-spec.
function versionless(purl) {
  if (!purl.startsWith("pkg:")) return purl;
  const path = purl.split(/[?#]/)[0], at = path.lastIndexOf("@");
  return at > path.lastIndexOf("/") ? path.slice(0, at) : path;
}
function versionOf(purl) {
  const path = purl.split(/[?#]/)[0], at = path.lastIndexOf("@");
  return purl.startsWith("pkg:") && at > path.lastIndexOf("/") ? decode(path.slice(at + 1)) : "";
}
function nameOf(purl) {
  const path = versionless(purl);
  return path.startsWith("pkg:") ? decode(path.slice(path.indexOf("/") + 1)) : path;
}
const typeOf = purl => (/^pkg:([^/]*)/.exec(purl) || ["", ""])[1];
function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
