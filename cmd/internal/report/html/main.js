// main: which view the address names, the keyboard, the theme, and printing.

const VIEWS = [["overview", "Overview"], ["functions", "Functions"], ["findings", "Findings"], ["components", "Packages"], ["deployed", "Deployed"], ["changes", "Changes"], ["run", "Run"]];

/** route reads the address: "#findings?sev=critical", "#f/orders", "#c/pkg:npm/lodash". */
function route() {
  const hash = location.hash.slice(1), at = hash.indexOf("?"), path = at < 0 ? hash : hash.slice(0, at), query = at < 0 ? "" : hash.slice(at + 1);
  const f = path.startsWith("f/") && model.byName.get(decode(path.slice(2))), p = path.startsWith("c/") && packageGroups().get(versionless(decode(path.slice(2))));
  if (f) return { view: "functions", title: f.name, at: new URLSearchParams(query).get("at"), query, key: "f/" + f.i, draw: () => functionView(f) };
  if (p) return { view: "components", title: p.name, query, key: "c/" + p.key, draw: () => componentView(p) };
  const views = { overview, functions: functionsView, findings: findingsView, components: componentsView, run: runView, ...(model.run.delta ? { changes: changesView } : {}), ...(model.run.fleet ? { deployed: fleetView } : {}) };
  if (!path && model.functions.length === 1) return { view: "functions", title: model.functions[0].name, query: "", key: "f/0", draw: () => functionView(model.functions[0]) };
  const known = Object.hasOwn(views, path), name = known ? path : "overview", missing = path && !known;
  return { view: name, title: VIEWS.find(v => v[0] === name)[1], query, key: name, draw: () => [missing && h("p.notice", { role: "alert" }, "Nothing in this report has the name of that link."), views[name]()] };
}

let shown = "", drawing = 0;
async function show() {
  const r = route(), turn = ++drawing;
  for (const a of $("nav").querySelectorAll("a")) {
    if (a.hash === "#" + r.view) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
  if (r.key === shown && r.at) return jump(r.at);
  readFilter(r.query);
  const inside = await r.draw();
  if (turn !== drawing) return; // another view was asked for meanwhile
  clear($("app"), inside);
  const first = shown === "";
  shown = r.key;
  document.title = r.title + " - fnaudit";
  document.documentElement.dataset.drawn = turn; // for who drives the page
  if (r.at) return jump(r.at);
  window.scrollTo(0, 0);
  if (!first && $("title")) $("title").focus({ preventScroll: true });
}

function jump(id) {
  const section = $("at-" + id.replace(/\W/g, ""));
  if (!section) return;
  section.scrollIntoView();
  const head = section.querySelector("h2");
  if (head) head.focus({ preventScroll: true });
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("fnaudit-theme", theme); } catch { /* for this visit only, then */ }
  themeName();
}
const isDark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
function themeName() { $("theme").textContent = isDark() ? "Light" : "Dark"; $("theme").setAttribute("aria-label", "Switch to the " + (isDark() ? "light" : "dark") + " theme"); }

const KEYS = [["/", "search"], ["j or ↓", "next row"], ["k or ↑", "previous row"], ["Enter", "open or close the row"], ["Esc", "leave the search, clear it, or go back to the list"], ["1 to 7", "the views"], ["t", "light or dark"], ["?", "this help"]];
function help() {
  if (document.querySelector("dialog")) return;
  const dialog = h("dialog", { "aria-labelledby": "help-title" }, h("h2#help-title", "Keyboard"), h("dl.facts", KEYS.map(([k, what]) => h("div", h("dt", h("kbd", k)), h("dd", what)))), h("div.close", h("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function keys(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  const field = e.target.closest("input, select, textarea"), typing = field && field.type !== "checkbox";
  if (e.key === "Escape") return escape(field);
  if (typing) {
    if ((e.key === "ArrowDown" || e.key === "Enter") && field.type === "search") { e.preventDefault(); walk(1); }
    return;
  }
  const onControl = e.target.closest("a, button, summary, input");
  const act = {
    "/": () => $("search") && $("search").focus(), "?": help, t: () => setTheme(isDark() ? "light" : "dark"),
    j: () => walk(1), ArrowDown: () => walk(1), k: () => walk(-1), ArrowUp: () => walk(-1),
    Enter: !onControl && e.target.closest("tr.row") ? () => e.target.closest("tr.row").act() : null,
  }[e.key] || (/^[1-7]$/.test(e.key) ? () => { const a = $("nav").querySelectorAll("a")[+e.key - 1]; if (a) location.hash = a.hash; } : null);
  if (act) { e.preventDefault(); act(); }
}

function escape(field) {
  if (field) {
    if (field.type === "search" && field.value) { field.value = ""; field.dispatchEvent(new Event("input")); } else field.blur();
    return;
  }
  const back = document.querySelector("#app .back a");
  if (back) location.hash = back.hash;
}

// Paper has no folds and no pages of rows.
let folded = [];
function beforePrint() {
  for (const el of document.querySelectorAll(".listing")) el.printing(true);
  for (let open = 1; open > 0;) { // what a fold makes can hold folds
    open = 0;
    for (const el of document.querySelectorAll("#app details:not([open])")) {
      if (el.make) el.make();
      el.open = true;
      folded.push(el);
      open++;
    }
  }
}
function afterPrint() {
  for (const el of folded) el.open = false;
  folded = [];
  for (const el of document.querySelectorAll(".listing")) el.printing(false);
}

/** failed shows the plain table again, and says why there is no more than that. */
function failed(error) {
  const note = $("static-note");
  if (!note) return clear($("app"), h("p.notice", { role: "alert" }, "This view could not be shown: " + error + ". The JSON report holds everything."));
  document.documentElement.classList.remove("scripted");
  note.after(h("p.notice", { role: "alert" }, "The rest of this page could not be shown: " + error + ". A browser of 2023 or newer can; the JSON report holds everything."));
}

async function main() {
  add($("nav"), h("ul", VIEWS.filter(([name]) => (name !== "changes" || model.run.delta) && (name !== "deployed" || model.run.fleet)).map(([name, title]) => h("li", h("a", { href: "#" + name }, title)))));
  add($("tools"), [h("button#theme", { type: "button", onclick: () => setTheme(isDark() ? "light" : "dark") }), h("button", { type: "button", "aria-label": "Keyboard help", onclick: help }, "?")]);
  themeName();
  $("skip").addEventListener("click", e => { e.preventDefault(); $("main").focus(); });
  document.addEventListener("keydown", keys);
  window.addEventListener("hashchange", () => show().catch(failed));
  window.addEventListener("beforeprint", beforePrint);
  window.addEventListener("afterprint", afterPrint);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeName);
  await show();
  $("static").remove();
  document.documentElement.dataset.ready = "true";
  setTimeout(() => { findingGroups(); packageGroups(); }, 300); // before somebody asks
}

openModel().then(main).catch(failed);
