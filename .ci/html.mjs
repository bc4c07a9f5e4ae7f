// Drives the HTML report in headless Chromium, as a person would use it.
//
//   node .ci/html.mjs PAGES MODULES [SHOTS]
//
// PAGES is a folder of pages that TestHTMLPages wrote (FNAUDIT_HTML), MODULES a
// node_modules folder with playwright-core and axe-core, SHOTS a folder for
// screenshots. CHROMIUM names the browser (default: chromium on PATH).
//
// What is held: every page loads from file:// without an error on the console,
// without a dialog and without a request to anything but itself; lists filter,
// sort, page, expand and are walked by keyboard; links lead where they say;
// both themes and a width of 360 pixels work and pass axe's WCAG 2 AA rules;
// paper has what folds hide; without scripts the verdicts can be read; hostile
// text is text. At 1,000 functions the first view costs under 1 s and a filter
// under 0.1 s of the page's own thread (its CPU time, best of five).
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import path from "node:path";
import process from "node:process";

const [pages, modules, shots] = process.argv.slice(2).map(p => path.resolve(p));
const require = createRequire(path.join(modules, "x.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const executablePath = process.env.CHROMIUM || execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
if (shots) mkdirSync(shots, { recursive: true });

let passed = 0, failed = 0;
function hold(ok, what, detail = "") {
  if (ok) { passed++; return; }
  failed++;
  console.log("FAIL: " + what + (detail === "" ? "" : ": " + detail));
}
const same = (got, want, what) => hold(got === want, what, `got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const desk = { width: 1366, height: 900 }, phone = { width: 360, height: 740 };

/** open loads a page; whatever it asks for, says or pops up is held against it when it is closed. */
async function open(name, { hash = "", viewport = desk, scheme = "light", scripts = true } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, javaScriptEnabled: scripts });
  const page = await context.newPage(), url = "file://" + path.join(pages, name + ".html"), bad = [];
  await context.route("**", route => {
    if (route.request().url().split("#")[0] === url) return route.continue();
    bad.push("request " + route.request().url());
    return route.abort();
  });
  page.on("console", m => { if (m.type() === "error" || m.type() === "warning") bad.push(m.type() + " " + m.text()); });
  page.on("pageerror", e => bad.push("error " + e.stack));
  page.on("dialog", d => { bad.push("dialog " + d.message()); d.dismiss(); });
  page.on("popup", p => bad.push("popup " + p.url()));
  await page.goto(url + hash);
  if (scripts) await page.waitForSelector("html[data-ready]", { state: "attached", timeout: 60000 });
  page.done = async () => { same(bad.join("\n"), "", name + hash + " is quiet"); await context.close(); };
  page.see = async hash => {
    const before = await page.evaluate(() => document.documentElement.dataset.drawn);
    await page.evaluate(h => { location.hash = h; }, hash);
    await page.waitForFunction(before => document.documentElement.dataset.drawn !== before, before, { timeout: 3000 }).catch(() => {}); // the same view again, or a place in it
    await page.waitForTimeout(60);
  };
  page.shot = async (label, fullPage = false) => { if (shots) await page.screenshot({ path: path.join(shots, label + ".png"), fullPage }); };
  return page;
}
const text = (page, selector) => page.locator(selector).first().innerText();
const rows = page => page.locator("tr.row").count();
async function type(page, words) {
  await page.fill("#search", words);
  await page.waitForTimeout(120);
}

async function accessible(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
  hold(found.violations.length === 0, what + " is accessible", found.violations.map(v => v.id + " " + v.nodes.slice(0, 3).map(n => n.target + " " + n.failureSummary.split("\n")[1]).join("; ")).join(" | "));
}

async function everyPage() {
  for (const name of ["pass", "fail", "incomplete", "unopened", "starter", "several", "many", "hostile", "declared", "reach", "bundled", "empty", "rescanned", "fleet", "fleet-hostile"]) {
    const page = await open(name);
    hold((await text(page, "h1")).length > 0, name + " has a title");
    same(await page.locator("#static").count(), 0, name + " replaced the static table");
    await page.done();
  }
  const deployed = await open("fleet", { hash: "#deployed" });
  const body = await text(deployed, "main");
  for (const want of ["2 of 4", "The gate let it pass, and today it would not", "Nobody ever scanned the deployed bytes", "bump it, fix 14 functions", "foreign account", "updates blocked"]) hold(body.includes(want), "what is deployed says " + want);
  await accessible(deployed, "what is deployed");
  await deployed.done();
}

async function overview() {
  const page = await open("rescanned");
  hold((await text(page, "h1")).includes("3 of 7 functions fail"), "the overview says the verdict");
  const body = await text(page, "main");
  for (const want of ["security/policy.yaml", "KEV", "EPSS", "What changed", "New advisory", "event-strem", "Move minimist to 1.2.6", "waiver w-12 matches nothing", "in 71 days"]) hold(body.includes(want), "the overview says " + want);
  await page.shot("overview", true);
  await accessible(page, "the overview");
  await page.see("changes");
  same(await rows(page), 4, "the changes");
  await page.locator("tr.row").first().click();
  const opened = await text(page, "tr.more");
  for (const want of ["2 functions", "media", "orders", "GHSA-vh95-rmgr-6w4m"]) hold(opened.includes(want), "an opened change says " + want);
  await accessible(page, "the changes");
  await page.shot("changes");
  await page.see("run");
  hold((await text(page, "main")).includes("280,000"), "the run lists its feeds");
  await accessible(page, "the run");
  await page.done();
}

async function lists() {
  const page = await open("many", { hash: "#functions" });
  same(await rows(page), 25, "all functions");
  await page.selectOption("select >> nth=0", "fail");
  same(await rows(page), 3, "functions that fail");
  hold(page.url().endsWith("#functions?verdict=fail"), "the filter is in the address", page.url());
  await page.reload();
  await page.waitForSelector("tr.row");
  same(await rows(page), 3, "the filter comes with the address");
  await page.click("text=Clear filters");
  await type(page, "fn-07");
  same(await rows(page), 1, "functions by name");
  await type(page, "");
  await page.click("th button:has-text('Function')");
  same(await page.locator("th[aria-sort=ascending]").innerText(), "Function", "sorted by name");
  hold((await text(page, "tr.row")).includes("fn-00"), "the first by name");
  await page.click("th button:has-text('Function')");
  hold((await text(page, "tr.row")).includes("fn-24"), "the last by name");
  await page.see("findings");
  const all = await rows(page);
  await page.check("text=Exploited");
  same(await rows(page), 1, "exploited findings of " + all);
  await page.locator("tr.row .expand").click();
  hold((await text(page, "tr.more")).includes("3 functions"), "a finding says where it is");
  await page.shot("findings");
  await accessible(page, "the findings");
  await page.click("tr.more a:has-text('fn-13')");
  await page.locator(".chain").first().waitFor();
  hold(/#f\/fn-13\?at=found&q=GHSA/.test(page.url()) && (await text(page, "#at-found")).includes("node_modules/minimist/package.json"), "a finding leads to its evidence in a function", page.url());
  await page.see("constructor");
  hold((await text(page, "main")).includes("Nothing in this report has the name"), "no view has the name of something of the language");
  await page.see("components");
  await type(page, "lodash");
  hold(await rows(page) >= 1, "packages by name");
  await page.locator("tr.row").first().click({ position: { x: 500, y: 10 } });
  await page.waitForTimeout(100);
  hold(page.url().endsWith("#c/pkg:npm/lodash"), "a package has a link", page.url());
  hold((await text(page, "main")).includes("GHSA-p6mc-m468-83gw"), "a package says its findings");
  await accessible(page, "a package");
  await page.done();
}

async function aFunction() {
  const page = await open("rescanned", { hash: "#f/orders" });
  same((await text(page, "h1")).replace(/\s+/g, " "), "orders fail", "a link to a function");
  same(await page.locator("ol.reasons li").count(), 7, "its reasons");
  hold((await text(page, ".steps")).includes("npm install minimist@1.2.6"), "what to do");
  await page.locator(".steps .copy").first().click();
  await page.waitForTimeout(50);
  same(await page.locator(".steps .copy").first().innerText(), "Copied", "the command is copied");
  const group = page.locator("details.group", { hasText: "minimist" }).first();
  await group.locator("summary").first().click();
  await group.locator(".chain").first().waitFor();
  const chain = await group.innerText();
  for (const want of ["known to be exploited, listed 2026-10-01, to be fixed by 2026-10-22, used by ransomware", "% chance of exploitation", "of 100: ", "node_modules/minimist/package.json", "installed-metadata", "1.2.6", "shadowed"]) hold(chain.includes(want), "the chain says " + want, chain);
  same(await group.locator("a.id").first().getAttribute("href"), "https://osv.dev/vulnerability/GHSA-xvch-5gv4-984h", "the link of the advisory");
  await type(page, "lodash");
  same(await page.locator("details.group").count(), 2, "findings of a function by text");
  await page.click("text=Clear filters");
  await page.waitForTimeout(100);
  await page.see("f/orders?at=checks");
  hold(await page.evaluate(() => document.activeElement.id === "h-checks"), "a link to a section");
  await accessible(page, "a function");
  await page.see("f/orders");
  for (const el of await page.locator("details.group > summary").all()) await el.click();
  await page.shot("function", true);
  await accessible(page, "a function, opened");
  await page.see("f/nobody");
  hold((await text(page, "main")).includes("Nothing in this report has the name of that link"), "a link to nothing says so");
  await page.done();
}

async function keyboard() {
  const page = await open("many", { hash: "#functions" });
  const active = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName + "." + document.activeElement.className);
  await page.keyboard.press("/");
  same(await active(), "search", "/ goes to the search");
  await page.keyboard.type("fn-2");
  await page.waitForTimeout(120);
  same(await rows(page), 5, "what is typed filters");
  await page.keyboard.press("Enter");
  same(await active(), "TR.row at", "Enter goes to the rows");
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("k");
  same(await page.evaluate(() => [...document.querySelectorAll("tr.row")].indexOf(document.activeElement)), 1, "j, down and k walk");
  await page.keyboard.press("Enter");
  await page.waitForTimeout(150);
  hold(/#f\/fn-2\d$/.test(page.url()), "Enter opens the row", page.url());
  await page.keyboard.press("j");
  hold((await active()).startsWith("SUMMARY") || (await active()).includes("row"), "j walks the findings", await active());
  await page.keyboard.press("Escape");
  await page.waitForTimeout(150);
  hold(page.url().endsWith("#functions"), "Esc goes back", page.url());
  await page.keyboard.press("?");
  same(await page.locator("dialog[open]").count(), 1, "? shows the keys");
  await accessible(page, "the help");
  await page.keyboard.press("Escape");
  same(await page.locator("dialog").count(), 0, "Esc closes them");
  await page.keyboard.press("?");
  await page.click("dialog button");
  same(await page.locator("dialog").count(), 0, "and so does its button");
  await page.keyboard.press("3");
  await page.waitForTimeout(100);
  hold(page.url().endsWith("#findings"), "3 is the findings");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.keyboard.press("t");
  const dark = await ground();
  hold(light !== dark, "t changes the theme");
  await page.reload();
  await page.waitForSelector("tr.row");
  same(await ground(), dark, "the theme is kept");
  await page.done();
}

async function dark() {
  const page = await open("rescanned", { scheme: "dark" });
  hold(await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).every(n => n < 60)), "the system's dark theme is followed");
  await page.shot("overview-dark", true);
  for (const hash of ["overview", "functions", "findings", "components", "changes", "run", "f/orders", "c/pkg:npm/lodash"]) {
    await page.see(hash);
    for (const el of (await page.locator("details.group > summary").all()).slice(0, 3)) await el.click();
    await accessible(page, hash + " in the dark");
  }
  await page.see("f/orders");
  await page.shot("function-dark");
  await page.done();
}

async function narrow() {
  const page = await open("rescanned", { viewport: phone });
  for (const hash of ["overview", "functions", "findings", "components", "changes", "run", "f/orders", "f/bundle", "f/declared", "c/pkg:npm/lodash"]) {
    await page.see(hash);
    for (const el of (await page.locator("details.group > summary").all()).slice(0, 3)) await el.click();
    hold(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), hash + " fits a phone", await page.evaluate(() => document.documentElement.scrollWidth));
    await page.shot("phone-" + hash.replace(/\W+/g, "-"), hash !== "components");
  }
  await page.done();
  const odd = await open("hostile", { viewport: phone });
  hold(await odd.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "long hostile names fit a phone");
  await odd.shot("phone-hostile", true);
  await odd.done();
}

async function hostile() {
  const page = await open("hostile");
  for (const hash of ["overview", "functions", "findings", "components", "run"]) {
    await page.see(hash);
    for (const el of (await page.locator(".expand").all()).slice(0, 5)) await el.click();
    await inert(page, hash);
  }
  await page.goto(page.url().split("#")[0]);
  await page.waitForSelector("ol.reasons");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.waitForTimeout(200);
  await inert(page, "a function");
  const body = await page.evaluate(() => document.body.textContent);
  hold(body.includes("<script>alert(1)</script><svg/onload=1><img src=x>"), "markup is shown as text");
  hold(body.includes("\\u{1b}[2J") && body.includes("\\u{202e}gpj") && body.includes("\\u{0}"), "what is not seen is written out");
  await page.shot("hostile");
  await page.done();
}
async function inert(page, what) {
  const bad = await page.evaluate(() => [...document.querySelectorAll("*")].filter(e =>
    /^(IMG|IFRAME|OBJECT|EMBED|LINK|BASE|FORM|VIDEO|AUDIO|foreignObject|use|image|animate|set)$/i.test(e.tagName) && !(e.tagName === "FORM" && e.className === "filter") ||
    [...e.attributes].some(a => /^on|^srcdoc$|^src$|^action$|^xlink/i.test(a.name)) ||
    e.hasAttribute("href") && !/^(#|https:\/\/osv\.dev\/vulnerability\/)/.test(e.getAttribute("href"))).map(e => e.outerHTML.slice(0, 80)).join("\n"));
  same(bad, "", what + " holds nothing that acts");
  same(await page.evaluate(() => document.querySelectorAll("script:not([type])").length), 2, what + " has the page's two scripts");
  hold(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.test(await page.evaluate(() => document.getElementById("app").textContent)), what + " shows no control character");
}

async function paper() {
  const page = await open("rescanned", { hash: "#f/orders" });
  await page.emulateMedia({ media: "print" });
  const file = path.join(shots || pages, "function.pdf");
  await page.pdf({ path: file, format: "A4" });
  const read = file => execFileSync("pdftotext", [file, "-"], { encoding: "utf8" }).replace(/[\s-]+/g, ""); // lines break anywhere, and pdftotext takes a hyphen there for its own
  const printed = read(file);
  for (const want of ["malicious package pkg:npm/event-strem@3.3.6", "npm install lodash@4.17.21", "nodejs/node_modules/minimist/package.json", "input is checked by the gateway", "debug logging is off", "packed by UPX", "2027-03-03", "out of time after 30s"]) hold(printed.includes(want.replace(/[\s-]+/g, "")), "the print says " + want);
  hold(!printed.includes("Anyseverity"), "the print has no filters");
  await page.done();
  const first = await open("rescanned");
  await first.emulateMedia({ media: "print" });
  await first.pdf({ path: path.join(shots || pages, "overview.pdf"), format: "A4" });
  await first.see("functions");
  const listed = path.join(shots || pages, "functions.pdf");
  await first.pdf({ path: listed, format: "A4" });
  hold(read(listed).includes("PYSEC201828"), "the printed list says every reason");
  await first.done();
  const list = await open("thousand", { hash: "#functions" });
  same(await rows(list), 100, "one page of rows is drawn");
  await list.evaluate(() => dispatchEvent(new Event("beforeprint")));
  same(await rows(list), 1000, "all rows are printed");
  await list.evaluate(() => dispatchEvent(new Event("afterprint")));
  same(await rows(list), 100, "and put away again");
  await list.click("text=Next");
  hold((await text(list, ".pager span")).includes("101 to 200"), "the next page of rows");
  await list.done();
}

async function withoutScripts() {
  const page = await open("several", { scripts: false });
  const body = await text(page, "main");
  for (const want of ["4 functions: 1 fail, 2 incomplete, 1 pass", "malicious package pkg:npm/event-strem@3.3.6: MAL-2026-1234", "could not be opened: open broken.zip: not a zip", "Next: remove pkg:npm/event-strem"]) hold(body.includes(want), "without scripts the page says " + want);
  await page.shot("no-scripts", true);
  await page.done();
  const odd = await open("hostile", { scripts: false });
  hold((await text(odd, "main")).includes("alert(1)"), "hostile text without scripts");
  await odd.done();
}

/** large holds the costs at 1,000 functions. CPU time of the page's thread: the machine may be busy. */
async function large() {
  const cost = async (page, act) => {
    const cdp = page.cdp ||= await page.context().newCDPSession(page);
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    const spent = async () => (await cdp.send("Performance.getMetrics")).metrics.find(m => m.name === "TaskDuration").value * 1000;
    const before = await spent(), start = performance.now();
    await act();
    return { cpu: await spent() - before, wall: performance.now() - start };
  };
  const best = list => list.reduce((a, b) => (a.cpu < b.cpu ? a : b));
  const said = (what, list, limit) => {
    const b = best(list);
    console.log(`${what}: ${b.cpu.toFixed(0)} ms of CPU (${Math.min(...list.map(x => x.wall)).toFixed(0)} ms by the clock)`);
    hold(b.cpu < limit, `${what} costs under ${limit} ms`, b.cpu);
  };
  const file = path.join(pages, "thousand.html");
  console.log("1,000 functions: " + (readFileSync(file).length / 1e6).toFixed(1) + " MB");
  const first = [];
  for (let i = 0; i < 5; i++) {
    const context = await browser.newContext({ viewport: desk }), page = await context.newPage();
    await page.goto("about:blank");
    first.push(await cost(page, async () => {
      await page.goto("file://" + file);
      await page.waitForSelector("html[data-ready]", { state: "attached", timeout: 60000 });
    }));
    await context.close();
  }
  said("first view", first, 1000);
  const page = await open("thousand", { hash: "#functions" });
  await page.waitForTimeout(1500);
  for (const [view, texts] of [["functions", ["orders", "orders-c", "team-3", "package-0008", "zzz"]], ["findings", ["GHSA-0", "package-0", "CVE", "0008", "reads"]], ["components", ["package-1", "MIT", "0008", "GHSA", "x"]]]) {
    await page.see(view);
    await page.waitForTimeout(400);
    const costs = [];
    for (const words of texts) {
      const old = await text(page, ".status");
      costs.push(await cost(page, async () => {
        await page.fill("#search", words);
        await page.waitForFunction(old => document.querySelector(".status").textContent !== old, old, { timeout: 10000, polling: 5 }).catch(() => {});
      }));
    }
    said("filter of " + view, costs, 100);
    const sorts = [];
    await page.fill("#search", "");
    await page.waitForTimeout(300);
    for (const i of [0, 1, 2, 1, 0]) sorts.push(await cost(page, () => page.locator("thead button").nth(i).click()));
    said("sort of " + view, sorts, 200);
  }
  await page.see("overview");
  await page.waitForTimeout(300);
  await page.shot("thousand", true);
  await page.see("functions");
  await page.waitForTimeout(300);
  await page.shot("thousand-functions");
  const opened = [];
  for (const name of ["orders-created-0000", "media-resized-0001", "billing-billed-0002"]) opened.push(await cost(page, async () => { await page.see("f/" + name); await page.waitForSelector("ol.reasons, #at-why"); }));
  said("a function's page", opened, 400);
  await page.done();
}

for (const part of [everyPage, overview, lists, aFunction, keyboard, dark, narrow, hostile, paper, withoutScripts, large]) {
  const only = process.env.ONLY;
  if (only && !only.split(",").includes(part.name)) continue;
  if (part === large && !existsSync(path.join(pages, "thousand.html"))) continue;
  try { await part(); } catch (e) { hold(false, part.name, e.stack); }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
