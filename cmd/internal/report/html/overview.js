// overview: what a person wants to know first: does it pass, what to do first,
// what is the worst, what ends soon, and how old the knowledge is.

function overview() {
  const { run, functions } = model;
  return [
    hero(),
    (run.warnings || []).length > 0 && warningsNotice(run.warnings),
    run.database.starter && h("p.notice", h("strong", "Starter set: "), "judged with the few advisories that the program brings; get the full set with ", h("code", "fnaudit db update"), "."),
    run.delta && deltaCard(run.delta, 6),
    run.fleet && fleetNotice(run.fleet),
    functions.length > 0 && h("div.columns",
      h("div.main", card("Do first", upgradesCard()), functions.length > 1 && card("Worst functions", worstCard()), card("Judged with", factsCard())),
      h("div.side", card("Findings by severity", severitiesCard()), card("What ends when", calendarCard()), card("Age of what was known", agesCard()))),
  ];
}

function fleetNotice(x) {
  const drift = x.drift.reduce((n, d) => n + d.functions.length, 0);
  return h("p.notice" + (drift ? ".alarm" : ".calm"), h("strong", "Deployed: "), number(x.scanned) + " of " + count(x.versions, "deployed version") + " run bytes that a report is about", drift > 0 && "; " + count(drift, "deviation") + " from what was judged", ". ", h("a", { href: "#deployed" }, "What runs"));
}

function warningsNotice(warnings) {
  const most = warnings.length > 4 ? 3 : warnings.length;
  return h("div.notice", h("strong", count(warnings.length, "warning") + " of the run"), h("ul", warnings.slice(0, most).map(w => h("li", w))), most < warnings.length && h("p", h("a", { href: "#run" }, "All " + count(warnings.length, "warning"))));
}

function card(title, inside) {
  const id = "card-" + title.toLowerCase().replace(/\W+/g, "-");
  return h("section.card", { "aria-labelledby": id }, h("h2#" + id, title), inside);
}

function hero() {
  const { run, functions } = model, n = functions.length, x = run.summary, what = functions.some(f => f.vetted) ? "package" : "function";
  const worst = x.fail ? "fail" : x.incomplete || !n ? "incomplete" : "pass";
  const said = n === 0 ? "Nothing was judged" : n === 1 ? functions[0].name : x.fail ? number(x.fail) + " of " + count(n, what) + (x.fail === 1 ? " fails" : " fail") : x.incomplete ? number(x.incomplete) + " of " + count(n, what) + (x.incomplete === 1 ? " is incomplete" : " are incomplete") : "All " + count(n, what) + " pass";
  const all = [["fail", x.fail], ["incomplete", x.incomplete], ["pass", x.pass]];
  return h("section.hero." + worst, { "aria-labelledby": "title" },
    h("div.hero-icon", verdictIcon(worst)),
    h("div.hero-text",
      h("h1#title", { tabindex: "-1" }, said, n === 1 && [" ", verdict(functions[0].decision)]),
      h("p.lead", "Judged on ", h("strong", run.day), " under ", h("strong", run.policy.name || "no policy"), storeAge()),
      n > 0 && bar(all.map(([cls, n]) => ({ n, cls })), n, 18),
      n > 0 && h("ul.verdicts", all.map(([d, k]) => h("li", h("a", { href: "#functions?verdict=" + d }, h("span." + d, verdictIcon(d)), h("strong", number(k)), " " + d))))));
}

function storeAge() {
  const oldest = Object.entries(model.run.database.ecosystems || {}).map(([name, e]) => ({ name, asOf: day(e.asOf) })).filter(e => e.asOf).sort((a, b) => (a.asOf < b.asOf ? -1 : 1))[0];
  if (!oldest || !dated(model.run.day)) return ".";
  return [", with advisories as of ", h("strong", oldest.asOf), " or later (" + count(Math.max(daysBetween(oldest.asOf, model.run.day), 0), "day") + " old)."];
}

/** topUpgrades gathers what moving one package to one version clears, over all functions. */
function topUpgrades() {
  const steps = new Map();
  const step = (key, name, to, command) => {
    if (!steps.has(key)) steps.set(key, { key, name, to, command, functions: new Set(), clears: 0, kev: 0, critical: 0, high: 0, priority: 0 });
    return steps.get(key);
  };
  const count = (u, f, x) => {
    if (x.aside) return;
    u.functions.add(f.i);
    u.clears++;
    if (x.kev) u.kev++;
    if (x.rank === 5) u.critical++;
    if (x.rank === 4) u.high++;
    u.priority = Math.max(u.priority, x.priority || 0);
  };
  for (const f of model.functions) {
    if (f.upgrades) {
      for (const u of f.upgrades) {
        if (u.to) for (const n of u.clears) count(step(versionless(u.component) + "\n" + u.to, u.name, u.to, u.command), f, model.findings[f.findings[n]]);
      }
      continue;
    }
    for (const n of f.findings) {
      const x = model.findings[n];
      if (x.c && x.c.upgrade) count(step(x.key + "\n" + x.c.upgrade, x.package, x.c.upgrade), f, x);
    }
  }
  return [...steps.values()].filter(u => u.clears).sort((a, b) => b.kev - a.kev || b.critical - a.critical || b.functions.size * (b.high + 1) - a.functions.size * (a.high + 1) || b.clears - a.clears || (a.key < b.key ? -1 : 1));
}

function upgradesCard() {
  const steps = topUpgrades(), bad = malwareNames();
  if (!steps.length && !bad.length) return h("p.quiet", "No upgrade clears an open finding.");
  const most = model.functions.length;
  return [
    bad.length > 0 && h("p.notice.alarm", h("strong", "Malicious: "), bad.slice(0, 5).map((p, i) => [i > 0 && ", ", componentLink(p, nameOf(p) + " " + versionOf(p))]), bad.length > 5 && " and " + number(bad.length - 5) + " more", ". Remove it, then rotate every secret that the functions could read."),
    bars(steps.slice(0, 8).map(u => ({
      label: ["Move ", componentLink(u.key.split("\n")[0], u.name), " to ", h("strong", u.to === "newer" ? "a newer one" : u.to)],
      value: count(u.functions.size, "function"),
      segments: [{ n: u.functions.size, cls: u.kev || u.critical ? "critical" : u.high ? "high" : "medium" }],
      note: "clears " + [count(u.clears, "finding"), u.kev && number(u.kev) + " exploited", u.critical && number(u.critical) + " critical", u.high && number(u.high) + " high"].filter(Boolean).join(", "),
    })), { most }),
    steps.length > 8 && h("p.quiet", "and " + count(steps.length - 8, "more upgrade") + ", on the functions' pages."),
  ];
}

function malwareNames() {
  return [...new Set(model.findings.filter(x => x.kind === "malware" && !x.aside).map(x => x.purl))];
}

function severitiesCard() {
  const open = {}, aside = {};
  for (const v of SEVERITIES) open[v] = aside[v] = 0;
  for (const f of model.functions) for (const n of f.findings) {
    const x = model.findings[n];
    (x.aside ? aside : open)[word(x.severity, SEVERITIES, "unknown")]++;
  }
  return severityChart(open, aside, "findings");
}

function severitySegments(f) { return SEVERITIES.filter(v => v !== "none").map(v => ({ n: f.open[v], cls: v })); }
function severityWords(f, most = 9) {
  return SEVERITIES.filter(v => f.open[v] && v !== "none").slice(0, most).map(v => f.open[v] + " " + (v === "unknown" ? "not rated" : v)).join(", ");
}

function worstCard() {
  const worst = model.functions.filter(f => f.decision !== "pass" || f.openCount).sort((a, b) => b.badness - a.badness || a.i - b.i).slice(0, 8);
  if (!worst.length) return h("p.quiet", "No function has an open finding.");
  return [
    bars(worst.map(f => ({
      label: [h("span." + f.decision, verdictIcon(f.decision)), " ", functionLink(f.i)],
      value: f.openCount ? count(f.openCount, "finding") : f.decision,
      segments: severitySegments(f),
      note: [f.malware ? f.malware + " malicious" : "", f.kev ? f.kev + " exploited" : "", severityWords(f)].filter(Boolean).join(", ") || f.reasons[0],
    }))),
    h("p", h("a", { href: "#functions" }, "All functions")),
  ];
}

/** calendarEvents are the days on which something ends, the same thing in several functions once. */
function calendarEvents() {
  const events = new Map();
  for (const f of model.functions) for (const e of f.calendar || []) {
    const key = e.date + "\n" + e.what + "\n" + e.event;
    if (!events.has(key)) events.set(key, { ...e, functions: new Set() });
    events.get(key).functions.add(f.i);
  }
  return [...events.values()].sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

const inDays = n => (n === 0 ? "today" : n > 0 ? "in " + count(n, "day") : count(-n, "day") + " ago");

function calendarCard() {
  const all = calendarEvents(), ahead = all.filter(e => e.days >= 0);
  if (!all.length) return h("p.quiet", "Nothing that these functions need ends within a year, by the tables that are known.");
  const marks = new Map();
  for (const e of ahead) {
    const m = marks.get(e.date) || { date: e.date, days: e.days, n: 0 };
    m.n += e.functions.size;
    marks.set(e.date, m);
  }
  return [
    marks.size > 0 && months([...marks.values()]),
    h("ul.events", (ahead.length ? ahead : all).slice(0, 6).map(e => h("li", h("span.when", h("strong", e.date), " " + inDays(e.days)), h("span", e.what + (e.guessed ? " (guessed)" : "") + ": " + e.consequence), h("span.quiet", count(e.functions.size, "function"))))),
    ahead.length > 6 && h("p.quiet", "and " + number(ahead.length - 6) + " more within the year."),
  ];
}

/** sources are the parts of the store, the oldest first. */
function sources() {
  const { database, day: today } = model.run;
  const list = Object.entries(database.ecosystems || {}).map(([name, e]) => ({ name, ...e })).concat((database.feeds || []).map(f => ({ ...f, name: f.name.toUpperCase(), feed: true })));
  for (const e of list) e.days = day(e.asOf) && dated(today) ? Math.max(daysBetween(day(e.asOf), today), 0) : null;
  return list.sort((a, b) => (b.days ?? 1e9) - (a.days ?? 1e9) || (a.name < b.name ? -1 : 1));
}

function agesCard() {
  const list = sources(), used = new Set(model.components.map(c => (c.ecosystem || "").split(":")[0])), shown = list.filter(e => e.feed || used.has(e.name));
  const rows = (shown.length ? shown : list).slice(0, 8);
  if (!rows.length) return h("p.quiet", "The store has no dated source.");
  return [
    bars(rows.map(e => ({
      label: e.name, value: e.days === null ? "age not known" : e.days === 0 ? "today's" : count(e.days, "day"),
      segments: [{ n: e.days ?? 0, cls: e.days === null || e.days > 7 ? "incomplete" : "pass" }],
      note: (e.feed ? "feed, " : "") + count(e.records, "record") + (day(e.asOf) ? " as of " + day(e.asOf) : "") + (e.unread ? ", " + number(e.unread) + " not read" : ""),
    })), { most: Math.max(14, ...rows.map(e => e.days ?? 0)) }),
    list.length > rows.length && h("p", h("a", { href: "#run" }, "All " + count(list.length, "source"))),
  ];
}

function factsCard() {
  const { run } = model;
  return facts([
    ["Policy", run.policy.name], ["Policy digest", run.policy.digest && h("code", { title: run.policy.digest }, shortDigest(run.policy.digest))],
    ["Judged on", run.day], ["Stamped", day(run.judgedAt) !== run.day && day(run.judgedAt)], ["Store", h("code", { title: run.database.id }, shortDigest(run.database.id || "none"))],
    ["Advisories", number(run.database.records)], ["Program", run.tool.name + " " + run.tool.version],
    ["Packages", number(new Set(model.components.map(c => c.key)).size) + " in " + count(model.functions.length, "function")],
  ]);
}

/** facts is a list of names and values; those without a value are left out. */
function facts(pairs) {
  return h("dl.facts", pairs.filter(([, v]) => v !== null && v !== undefined && v !== "" && v !== false && !(Array.isArray(v) && !v.length)).map(([k, v]) => h("div", h("dt", k), h("dd", v))));
}
