// finding: one finding, and the chain that it rests on: bytes, component, range, advisory, fix.

function findingFold(f, d, x, i, open) {
  const facts = [x.score && "CVSS " + x.score.toFixed(1), x.priority && "priority " + x.priority, x.kev && "exploited", x.graceUntil && "grace until " + day(x.graceUntil), x.fixed && x.fixed.length && "fixed in " + x.fixed[0]].filter(Boolean).join(", ");
  return fold([severity(x.severity), h("span.ids", findingName(x)), h("span.title", x.title), h("span.quiet", facts)], () => [findingFacts(x), chain(f, d, x, i)], { open, cls: "finding" });
}

const CERTAINTY = { __proto__: null, certain: "the version was read from what is installed or built in", probable: "a lockfile or a text in the code names it", possible: "the version is not known, or not all candidates are affected" };
const REACH = { __proto__: null, called: "code that the advisory names is called", present: "code that the advisory names is in the binary", absent: "none of the code that the advisory names is in the binary" };
const COUNTS = { __proto__: null, fail: "makes the verdict fail", incomplete: "makes the verdict incomplete", pass: "only warns" };

/** findingFacts is what is known of a finding wherever it is. */
function findingFacts(x) {
  const vulnerable = x.kind === "vulnerability" || x.kind === "malware";
  return [
    x.title && h("p.full-title", x.title),
    x.why || x.priorityReason ? h("p.priority", h("strong", "Priority " + (x.priority || 0)), " of 100: " + x.priorityReason) : null,
    facts([
      ["Advisory", vulnerable && [advisoryLink(x.id), (x.aliases || []).map(a => [", ", advisoryLink(a)])]],
      ["Rule", !vulnerable && [h("code", x.rule), Object.hasOwn(model.run.rules, x.rule) && " " + model.run.rules[x.rule]]],
      ["What to do", Object.hasOwn(model.run.help, x.rule) && model.run.help[x.rule]],
      ["Severity", [severity(x.severity), x.score ? " CVSS " + x.score.toFixed(1) : "", x.vector && h("code.vector", " " + x.vector)]],
      ["Certainty", x.certainty + (vulnerable && CERTAINTY[x.certainty] ? ": " + CERTAINTY[x.certainty] : "")],
      ["Reach", REACH[x.reach] && x.reach + ": " + REACH[x.reach]],
      ["Verdict", COUNTS[x.counts] || (x.aside && "set aside: " + x.aside)],
      ["Exploited", x.kev && ["known to be exploited", x.exploited && ", listed " + x.exploited.added + (x.exploited.due ? ", to be fixed by " + x.exploited.due : "") + (x.exploited.ransomware ? ", used by ransomware" : "")]],
      ["EPSS", x.epss ? (100 * x.epss).toFixed(1) + " % chance of exploitation within 30 days" + (x.epssPercentile ? ", higher than " + Math.floor(100 * x.epssPercentile) + " % of all" : "") : ""],
      ["Component", x.purl && [componentLink(x.purl, x.purl), " ", x.state && x.state !== "live" && chip(x.state), x.origin && chip(x.origin)]],
      ["Fixed in", (x.fixed || []).join(", ") || (x.kind === "vulnerability" && "no fixed version is known; remove the package, or accept it with a waiver")],
      ["Upgrade", x.c && x.c.upgrade && "to " + x.c.upgrade + ", which clears everything known against it" + (x.c.upgradeMinor ? "; " + x.c.upgradeMinor + " clears most without a new first number" : "")],
      ["Grace", x.graceUntil && "only warns until " + day(x.graceUntil)],
      ["Waived", x.waived && "by " + x.waived.owner + " until " + dayBefore(x.waived.expires) + ": " + x.waived.reason],
      ["VEX", x.vex && [x.vex.status.replace(/_/g, " "), x.vex.justification && " (" + x.vex.justification.replace(/_/g, " ") + ")", x.vex.statement && ": " + x.vex.statement, ", says " + [x.vex.author, x.vex.source].filter(Boolean).join(" in "), x.vex.refused && "; it does not count: " + x.vex.refused]],
      ["Baseline", x.baseline && "an earlier report has it"],
      ["First seen", day(x.firstSeen)], ["Published", day(x.published) && day(x.published) + (day(x.modified) && day(x.modified) !== day(x.published) ? ", changed " + day(x.modified) : "")],
    ]),
  ];
}

/** chain lists the evidence of a finding in one function. */
function chain(f, d, x, i) {
  const at = f.components.indexOf(x.of), places = at >= 0 ? d.places[at] : null, evidence = (d.evidence || [])[i] || [];
  const rows = [
    ...(places ? placeRows(d, places) : []),
    ...evidence.filter(e => e.source !== "bytes" || !places).map(e => [e.source, [h("span", x.kind === "vulnerability" && e.source === "advisory" ? advisoryLink(e.locator) : e.locator), e.detail && ": " + e.detail, day(e.at) && h("span.quiet", " as of " + day(e.at))]]),
  ];
  if (!rows.length) return null;
  return h("div.chain", h("h4", "Evidence"), h("dl.facts", rows.map(([k, v]) => h("div", h("dt", k), h("dd", v)))));
}

/** placeRows says where a component lies and how it was recognised. */
function placeRows(d, p) {
  return [
    ...(p.locations || []).map(l => ["Bytes", [h("code.path", located(d, l.artifact, l.path)), l.state !== "live" && chip(l.state), l.layer && h("span.quiet", " layer " + shortDigest(l.layer))]]),
    ...(p.more ? [["", "and " + number(p.more) + " more places"]] : []),
    ...(p.evidence || []).map(e => ["Read from", [h("code.path", e.path || ""), " " + e.method + ", confidence " + e.confidence.toFixed(2), e.detail && ": " + e.detail]]),
    ...(p.listed ? [["Lockfile", h("code.path", p.listed.file + ":" + p.listed.line)]] : []),
    ...(p.broughtBy && p.broughtBy.length ? [["Brought by", p.broughtBy.map((b, i) => [i > 0 && ", ", componentLink(b, nameOf(b) + " " + versionOf(b))])]] : []),
    ...(p.source ? [["Source", p.source]] : []), ...(p.resolved ? [["Came from", p.resolved]] : []),
    ...(p.traits || []).map(t => ["How it came", [t.kind, t.path && [" ", h("code.path", t.path)], t.detail && ": " + t.detail]]),
    ...(p.facts ? [["Registry", registryWords(p.facts)]] : []),
  ];
}

function registryWords(r) {
  return [r.state, day(r.published) && "published " + day(r.published), r.newest && "newest " + r.newest.version, r.behind && r.behind + " versions behind", r.deprecated && "deprecated: " + r.deprecated,
    r.yanked && "taken back: " + r.yanked, r.archived && "archived: " + r.archived, r.publisher && "by " + r.publisher, r.reason, "says " + r.source + (day(r.asOf) ? " on " + day(r.asOf) : "")].filter(Boolean).join(", ");
}

function located(d, artifact, path) {
  const list = d.artifacts || [];
  return list.length > 1 && list[artifact || 0] ? list[artifact || 0].ref + "!/" + path : path || (list[artifact || 0] || {}).ref || "";
}
