// filter: what is asked for, kept in the address so that it can be sent to somebody.

const FILTERS = {
  q: "", sev: "", kind: "", verdict: "", origin: "", sure: "", status: "", fix: "", kev: "", fresh: "", eco: "", rt: "",
};
let filter = { ...FILTERS };

const SEVERITY_CHOICES = [["", "Any severity"], ["critical", "Critical"], ["high+", "High and worse"], ["medium+", "Medium and worse"], ["low+", "Low and worse"], ["unknown", "Not rated"]];
const LEAST = { "critical": 5, "high+": 4, "medium+": 3, "low+": 2 };

/** choices are the values of a field that there are. */
function choices(any, values) { return [["", any], ...[...new Set(values)].filter(Boolean).sort().map(v => [v, v])]; }

const FIELDS = {
  sev: () => ["Severity", SEVERITY_CHOICES],
  kind: () => ["Kind", choices("Any kind", model.findings.map(f => f.kind))],
  verdict: () => ["Verdict", [["", "Any verdict"], ["fail", "Fail"], ["incomplete", "Incomplete"], ["pass", "Pass"]]],
  origin: () => ["Origin", choices("Any origin", model.components.map(c => c.origin))],
  sure: () => ["Certainty", [["", "Any certainty"], ["certain", "Certain"], ["probable", "Probable"], ["possible", "Possible"]]],
  status: () => ["Status", [["", "Open and set aside"], ["open", "Open only"], ["aside", "Set aside only"]]],
  eco: () => ["Ecosystem", choices("Any ecosystem", [...packageGroups().values()].map(p => p.ecosystem))],
  rt: () => ["Runtime", choices("Any runtime", model.functions.map(f => f.runtime))],
};
const BOXES = { fix: "Fix exists", kev: "Exploited", fresh: "New" };
const FINDING_FIELDS = ["sev", "kind", "origin", "sure", "status", "fix", "kev", "fresh"];

/** asksFindings says whether the filter asks something of findings. */
const asksFindings = () => FINDING_FIELDS.some(k => filter[k]);
const isFiltered = () => Object.keys(FILTERS).some(k => filter[k] !== FILTERS[k]);

/** matchesFinding leaves out the text, which each list asks of its own rows. */
function matchesFinding(x) {
  return (!filter.sev || (filter.sev === "unknown" ? x.severity === "unknown" : x.rank >= LEAST[filter.sev])) &&
    (!filter.kind || x.kind === filter.kind) && (!filter.origin || x.origin === filter.origin) && (!filter.sure || x.certainty === filter.sure) &&
    (!filter.status || (filter.status === "open") === !x.aside) && (!filter.fix || x.fixable) && (!filter.kev || x.kev) && (!filter.fresh || x.fresh);
}
const words = () => filter.q.toLowerCase().split(/\s+/).filter(Boolean);
const hasWords = (text, ws) => ws.every(w => text.includes(w));

/** readFilter takes the filter out of the address: "findings?sev=critical&q=lodash". */
function readFilter(query) {
  filter = { ...FILTERS };
  for (const [k, v] of new URLSearchParams(query)) if (Object.hasOwn(FILTERS, k)) filter[k] = v.slice(0, 200);
}
function writeFilter(view) {
  const query = new URLSearchParams(Object.entries(filter).filter(([k, v]) => v !== FILTERS[k])).toString();
  history.replaceState(null, "", "#" + view + (query && "?" + query));
}

/** filterBar shows fields and boxes; changed is called when one of them changes. */
function filterBar(view, fields, boxes, placeholder, changed) {
  const apply = () => { writeFilter(view); reset.hidden = !isFiltered(); changed(); };
  const search = h("input#search", { type: "search", value: filter.q, placeholder, "aria-label": "Search", autocomplete: "off", spellcheck: "false",
    oninput: later(() => { filter.q = search.value; apply(); }, 60) });
  const selects = fields.map(k => {
    const [label, list] = FIELDS[k]();
    if (list.length < 3 && !filter[k]) return null; // one value is no choice
    return h("label", h("span.label", label), h("select", { onchange: e => { filter[k] = e.target.value; apply(); } },
      list.map(([value, text]) => h("option", { value, selected: value === filter[k] }, text))));
  });
  const checks = boxes.filter(k => k !== "fresh" || model.findings.some(f => f.fresh)).map(k => h("label.box", h("input", { type: "checkbox", checked: !!filter[k], onchange: e => { filter[k] = e.target.checked ? "1" : ""; apply(); } }), BOXES[k]));
  const reset = h("button.plain", { type: "button", hidden: !isFiltered(), onclick: () => { filter = { ...FILTERS }; writeFilter(view); show(); } }, "Clear filters");
  const more = h("details.filters", { open: window.innerWidth > 720 || fields.some(k => filter[k]) }, h("summary", "Filters"), h("div.fields", selects, checks, reset));
  return h("form.filter", { role: "search", "aria-label": "Filter", onsubmit: e => e.preventDefault() }, h("div.searchbox", search, h("kbd", { "aria-hidden": "true" }, "/")), more);
}
