// list: a table that sorts, pages and can be walked with the keyboard. Only
// one page of rows is in the document, however many there are.

const PAGE = 100;

/**
 * list makes a table of rows. A column is {key, label, value(row) for sorting,
 * cell(row), desc: the first order, num, cls}. open(row) is what Enter does;
 * more(row), when given, is shown under a row that is opened.
 */
function list({ id, caption, columns, rows, initial, sort, open, more, empty, note }) {
  let key = sort.key, desc = sort.desc, page = 0, shown = initial || rows, all = false;
  const status = h("p.status", { role: "status", "aria-live": "polite" });
  const heads = columns.map(c => {
    const th = h("th" + (c.num ? ".num" : "") + (c.cls ? "." + c.cls.replace(" ", ".") : ""), { scope: "col" });
    if (c.value) add(th, h("button", { type: "button", onclick: () => { [key, desc] = [c.key, c.key === key ? !desc : !!c.desc]; page = 0; draw(); } }, c.label, h("span.arrow", { "aria-hidden": "true" })));
    else add(th, c.label);
    return th;
  });
  const body = h("tbody"), pager = h("nav.pager", { "aria-label": "Pages" });
  const table = h("table.list#" + id, h("caption.offscreen", caption), h("thead", h("tr", heads)), body);
  const el = h("div.listing", status, h("div.scroll", table), pager);

  function sorted() {
    const c = columns.find(c => c.key === key);
    const keyed = shown.map((row, i) => ({ row, i, v: c.value(row) }));
    keyed.sort((a, b) => (a.v < b.v ? -1 : a.v > b.v ? 1 : 0) * (desc ? -1 : 1) || a.i - b.i);
    return keyed.map(x => x.row);
  }
  let order = [];
  function draw() {
    columns.forEach((c, i) => { if (c.value) heads[i].setAttribute("aria-sort", c.key !== key ? "none" : desc ? "descending" : "ascending"); });
    order = sorted();
    drawPage();
  }
  function drawPage() {
    const size = all ? order.length : PAGE, from = page * size, part = order.slice(from, from + size);
    clear(body, part.length ? part.map(line) : h("tr", h("td.empty", { colspan: columns.length }, empty || "Nothing matches.")));
    const last = Math.max(Math.ceil(order.length / Math.max(size, 1)) - 1, 0);
    status.textContent = note(order.length, rows.length);
    clear(pager, last > 0 && [
      step("Previous", page > 0, page - 1), h("span", number(from + 1) + " to " + number(from + part.length) + " of " + number(order.length)), step("Next", page < last, page + 1),
    ]);
  }
  function step(label, can, to) {
    return h("button", { type: "button", disabled: !can, onclick: () => { page = to; drawPage(); el.scrollIntoView(); focusRow(body.firstElementChild); } }, label);
  }
  function line(row) {
    const tr = h("tr.row", { tabindex: "-1" }, columns.map((c, i) => h((i === (columns.head ?? 1) ? "th" : "td") + (c.num ? ".num" : "") + (c.cls ? "." + c.cls.replace(" ", ".") : ""),
      { "data-label": c.label, scope: i === (columns.head ?? 1) ? "row" : null }, c.cell(row))));
    let under = null;
    tr.act = () => {
      if (!more) return open(row);
      if (under) { under.remove(); under = null; } else tr.after(under = h("tr.more", h("td", { colspan: columns.length }, more(row))));
      tr.classList.toggle("opened", !!under);
      const button = tr.querySelector(".expand");
      if (button) button.setAttribute("aria-expanded", String(!!under));
    };
    tr.addEventListener("click", e => { if (!e.target.closest("a, button, input, summary, select") && !String(getSelection())) tr.act(); });
    const button = tr.querySelector(".expand");
    if (button) button.addEventListener("click", () => tr.act());
    return tr;
  }
  /** show replaces what is shown; all rows when a page is printed. */
  el.show = next => { shown = next; page = 0; draw(); };
  el.printing = on => { all = on; page = 0; drawPage(); };
  draw();
  return el;
}

function focusRow(row) {
  if (!row) return;
  for (const r of document.querySelectorAll("tr.row.at")) r.classList.remove("at");
  row.classList.add("at");
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** walk moves to the next or previous row that can be seen; by is 1 or -1. */
function walk(by) {
  const rows = [...document.querySelectorAll("#app tr.row, #app details.group > summary, #app details.finding > summary")].filter(r => r.offsetParent !== null);
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement.closest("tr.row, summary"));
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
  if (next.matches("tr")) focusRow(next);
  else { next.focus({ preventScroll: true }); next.scrollIntoView({ block: "nearest" }); }
}
