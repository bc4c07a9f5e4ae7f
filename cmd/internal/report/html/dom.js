// dom: the only place where elements are made. Text becomes a text node and
// nothing else, and an attribute is one of those that are used below: nothing
// from a report can become markup, a handler or an address that runs.

/** h("p.note#id", {attr: value}, ...children): children are nodes, texts, lists of them, or null for nothing. */
function h(spec, ...rest) { return fill(document.createElement(/^[a-z0-9]+/.exec(spec)[0]), spec, rest); }

const SVG = "http://www.w3.org/2000/svg";
function s(spec, ...rest) { return fill(document.createElementNS(SVG, /^[a-zA-Z]+/.exec(spec)[0]), spec, rest); }

function fill(el, spec, rest) {
  const classes = spec.match(/\.[\w-]+/g), id = /#([\w-]+)/.exec(spec);
  if (classes) el.setAttribute("class", classes.map(c => c.slice(1)).join(" "));
  if (id) el.id = id[1];
  for (const part of rest) {
    if (part && typeof part === "object" && !Array.isArray(part) && !(part instanceof Node)) attributes(el, part);
    else add(el, part);
  }
  return el;
}

function attributes(el, set) {
  for (const [name, value] of Object.entries(set)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (name === "href" && !/^(#|https:\/\/)/.test(value)) continue;
    else if (Object.hasOwn(DIRECT, name)) el[name] = value;
    else el.setAttribute(name, value === true ? "" : String(value));
  }
}
const DIRECT = { value: 1, checked: 1, disabled: 1, hidden: 1, open: 1 };

function add(el, child) {
  if (child === null || child === undefined || child === false) return;
  if (Array.isArray(child)) for (const c of child) add(el, c);
  else el.append(child instanceof Node ? child : String(child));
}

function clear(el, ...children) {
  el.textContent = "";
  for (const c of children) add(el, c);
  return el;
}

const $ = id => document.getElementById(id);

// Words.
const number = n => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
const count = (n, one, many = one + "s") => (n === 1 ? "1 " + one : number(n) + " " + many);
// The last day before a moment: a waiver ends with the day that its author wrote.
const dayBefore = t => { const ms = Date.parse(day(t) && t); return Number.isNaN(ms) ? "" : new Date(ms - 1).toISOString().slice(0, 10); };
const day = t => (typeof t === "string" && !t.startsWith("0001-") ? t.slice(0, 10) : "");
const dated = t => /^\d{4}-\d\d-\d\d/.test(t);
const DAY = 86400000;
const daysBetween = (from, to) => Math.floor((Date.parse(to) - Date.parse(from)) / DAY);
function bytes(n) {
  if (n < 1000) return count(n, "byte");
  const [unit, by] = n < 1e6 ? [" KB", 1e3] : n < 1e9 ? [" MB", 1e6] : [" GB", 1e9];
  return (n / by).toPrecision(3).replace(/\.?0+$/, "") + unit;
}
function percent(part, all) {
  const p = 100 * part / Math.max(all, 1);
  return p > 0 && p < 1 ? "under 1 %" : p < 100 && p > 99 ? "over 99 %" : Math.round(p) + " %";
}
const shortDigest = d => (/^[a-z0-9]+:[0-9a-f]{20,}$/.test(d) ? d.slice(0, d.indexOf(":") + 13) + "…" : d);
const capital = t => t.charAt(0).toUpperCase() + t.slice(1);

/** later runs fn when no further call came for ms milliseconds. */
function later(fn, ms) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(fn, ms); };
}

/** copyButton copies text, which is shown beside it. */
function copyButton(text) {
  const button = h("button.copy", { type: "button", "aria-label": "Copy " + text, onclick: async () => {
    let done = true;
    try { await navigator.clipboard.writeText(text); } catch { done = copyByHand(text); }
    button.textContent = done ? "Copied" : "Select and copy";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } }, "Copy");
  return button;
}
// A page from a file may not have the clipboard.
function copyByHand(text) {
  const area = h("textarea.offscreen", { value: text, "aria-hidden": "true" });
  document.body.append(area);
  area.select();
  let done = false;
  try { done = document.execCommand("copy"); } catch { /* said by the result */ }
  area.remove();
  return done;
}

const command = text => h("div.command", h("code", text), copyButton(text));

/** fold is a <details> whose inside is made when it is opened for the first time. */
function fold(summary, inside, { open = false, cls = "" } = {}) {
  const el = h("details" + (cls ? "." + cls : ""), h("summary", summary));
  let made = false;
  el.make = () => { if (!made) { made = true; add(el, inside()); } };
  el.addEventListener("toggle", () => { if (el.open) el.make(); });
  if (open) { el.make(); el.open = true; }
  return el;
}

// The pictures that stand beside words; they never stand alone.
const SHAPES = {
  __proto__: null,
  fail: "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
  incomplete: "M8 1l7 13.5H1z",
  pass: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z",
};
const MARKS = { __proto__: null, fail: "M5.5 5.5l5 5m0-5l-5 5", incomplete: "M8 6v4m0 1.6v.8", pass: "M4.8 8.4l2.2 2.2 4.2-4.8" };
function verdictIcon(d) {
  return s("svg.icon", { viewBox: "0 0 16 16", "aria-hidden": "true", width: 16, height: 16 }, s("path.shape", { d: SHAPES[d] }), s("path.mark", { d: MARKS[d] }));
}
const verdict = d => h("span.verdict." + word(d, ["pass", "fail"], "incomplete"), verdictIcon(word(d, ["pass", "fail"], "incomplete")), d);
const severity = v => h("span.sev." + word(v, SEVERITIES, "unknown"), v);
const chip = (text, cls = "") => h("span.chip" + (cls && "." + cls), text);
/** word is v when it is one of words: what becomes a class is never a report's own text. */
const word = (v, words, other) => (words.includes(v) ? v : other);
const SEVERITIES = ["critical", "high", "unknown", "medium", "low", "none"];

/** advisoryLink leads to the public page of an id; what is no id stays text. */
function advisoryLink(id) {
  if (!/^(GHSA|CVE|GO|RUSTSEC|PYSEC|MAL|OSV|DSA|DLA|DEBIAN|ALPINE|USN|UBUNTU|RHSA|ALSA|RLSA|BIT|CGA|ASB|GSD|HSEC|MGASA|SUSE|openSUSE|PSF|EEF|JLSEC|ECHO|MINI|AZL|BELL)-[\w:.-]+$/.test(id)) return h("span.id", id);
  return h("a.id", { href: "https://osv.dev/vulnerability/" + encodeURIComponent(id), target: "_blank", rel: "noopener noreferrer", title: "Opens the public page of this advisory" }, id);
}
/** functionLink leads to a function, and there to a finding when id is given. */
const functionLink = (i, id) => h("a", { href: functionHash(i) + (id ? "?at=found&q=" + encodeURIComponent(id) : "") }, model.functions[i].name);
const componentLink = (purl, text) => h("a", { href: "#c/" + encodeHash(versionless(purl)) }, text);
// "/", "@" and ":" stay readable in a link; everything else that could end one does not.
const encodeHash = text => encodeURIComponent(text).replace(/%2F/g, "/").replace(/%3A/g, ":").replace(/%40/g, "@");
