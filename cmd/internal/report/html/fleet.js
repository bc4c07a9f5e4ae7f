// fleet: what exports of cloud accounts say is deployed, beside what was judged.

const refName = r => r.name + (r.version && r.version !== "$LATEST" ? " version " + r.version : "") + (r.account ? ", " + r.account : "") + (r.region ? " " + r.region : "") + (r.knownAs ? ", judged as " + r.knownAs : "");
function refs(list, most = 60) {
  return [h("ul.names", list.slice(0, most).map(r => h("li", model.byName.has(r.name) ? h("a", { href: functionHash(model.byName.get(r.name).i) }, refName(r)) : refName(r)))), list.length > most && h("p.quiet", "and " + number(list.length - most) + " more in the JSON report")];
}

const ENDS = { __proto__: null, deprecated: "no longer patched", "block-create": "creation blocked", "block-update": "updates blocked", "end-of-life": "no security fixes", "extended-end": "no fixes at all" };

function fleetView() {
  const x = model.run.fleet;
  return [
    h("h1#title", { tabindex: "-1" }, "Deployed"),
    h("p.lead", count(x.functions, "function") + " in " + count(x.versions, "version") + ", " + count(x.accounts.length, "account") + " and " + count(x.regions.length, "region") + ", by " + count(x.exports.length, "export") + "."),
    x.exports.filter(e => e.problem).map(e => h("p.notice", h("strong", e.source + ": "), e.problem)),
    card("Known bytes", bars([
      { label: "A report is about these bytes", value: number(x.scanned) + " of " + number(x.versions), segments: [{ n: x.scanned, cls: "pass" }] },
      x.gateAsked && { label: "A valid summary of the gate is about them", value: number(x.gated) + " of " + number(x.versions), segments: [{ n: x.gated, cls: "pass" }] },
    ].filter(Boolean), { most: x.versions })),
    card("What runs and was not judged", x.drift.length ? x.drift.map(d => fold([h("strong", count(d.functions.length, "function")), ": " + (model.run.rules[d.rule] || d.rule)], () => [model.run.help[d.rule] && h("p.next", h("strong", "Next: "), model.run.help[d.rule]), refs(d.functions)], { open: d.functions.length <= 6 })) : h("p.quiet", "Everything that runs is what was judged.")),
    card("Layers", x.layers.length ? x.layers.map(l => fold([h("code", l.arn), " ", l.foreign && chip("foreign account", "kev"), h("span.quiet", " in " + count(l.functions.length, "function") + (l.helped ? "; bump it, fix " + count(l.helped, "function") + " (" + count(l.total, "finding") + ")" : ""))], () => [
      l.newest && h("p", "The newest that an export lists is ", h("code", l.newest)),
      (l.findings || []).length > 0 && h("ul", l.findings.map(f => h("li", severity(f.severity), advisoryLink(f.id), " ", componentLink(f.component, nameOf(f.component) + " " + versionOf(f.component)), (f.fixed || []).length > 0 && ", fixed in " + f.fixed[0]))), refs(l.functions)])) : h("p.quiet", "No layers.")),
    card("Runtimes that end within " + count(x.days, "day"), x.runtimes.length ? [x.runtimes[0].asOf && h("p.quiet", "By dates as of " + day(x.runtimes.map(r => r.asOf || "9").sort()[0]) + ".")].concat(x.runtimes.map(r => fold([h("strong", r.runtime), " " + (ENDS[r.event] || r.event) + " on " + r.date + ", " + inDays(r.days) + (r.updatesBlocked ? "; updates blocked from " + r.updatesBlocked : "") + ": " + count(r.versions, "version")], () => refs(r.functions)))) : h("p.quiet", "None.")),
    (x.notDeployed || []).length > 0 && card("Judged, and not deployed", h("ul.names", x.notDeployed.slice(0, 60).map(n => h("li", n)))),
  ];
}

function deployedSection(d) {
  if (!(d.deployed || []).length) return null;
  return d.deployed.slice(0, 100).map(x => fold([h("strong", refName(x)), h("span.quiet", " " + [x.scanned ? "these bytes were scanned" : "nobody scanned these bytes", x.gated && "gated", x.layersMatch && "layers " + x.layersMatch].filter(Boolean).join(", "))], () => facts([
    ["ARN", x.arn], ["Digest", x.digest && h("code", x.digest)], ["No digest", x.digestReason], ["Aliases", (x.aliases || []).map(a => { const r = (x.routes || []).find(r => r.alias === a); return r ? a + " (" + Math.round(r.weight * 1000) / 10 + " % of its calls)" : a; }).join(", ")], ["Tags", (x.tags || []).join(", ")], ["Found by", x.joinedBy && x.joinedBy !== "digest" && x.joinedBy.replace("-", " ") + ": " + x.report], ["Runtime", x.runtime], ["Changed", day(x.lastModified)], ["State", x.state],
    ["Layers", (x.layers || []).map(l => h("div", l.arn))], ["Gated by", x.gated && x.gated.verifier + ", signed by " + x.gated.signer + " on " + day(x.gated.at)], ["Export", x.source],
  ])));
}
