// The trace page against the real query server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { columnsOf, traceOfSize, traceUrl } from "./system.mjs";

let browser;
let page;
let trace;
let columns;
const rows = () => page.locator('[role="treeitem"]');
const row = (name) =>
  page.locator('[role="treeitem"]').filter({
    has: page.locator(".span-name", {
      hasText: new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")}$`),
    }),
  });
const shownRows = () =>
  page.evaluate(() => document.querySelector(".waterfall-scroller > div").clientHeight / 26);

before(async () => {
  trace = await traceOfSize(900);
  columns = await columnsOf(trace.traceId);
  browser = await openBrowser();
  page = browser.page;
});
after(() => browser.close());

test("shows the trace's facts as the server has them", async () => {
  await page.goto(`${traceUrl}/trace/${trace.traceId}`);
  await rows().first().waitFor();
  const facts = await page.locator(".trace-facts").innerText();
  assert.match(facts, new RegExp(`${columns.spans.id.length.toLocaleString("en-US")}\\s*spans`));
  assert.match(facts, new RegExp(`${columns.services.length} services`));
  for (const service of columns.services)
    assert.ok(
      facts.includes(service.replace(/^alphaswarm-/, "")),
      `${service} is missing in: ${facts}`,
    );
  const root = columns.names[columns.spans.name[columns.spans.parent.indexOf(-1)]];
  assert.equal(await page.locator("h1").innerText(), root);
});

test("puts a child one level below its parent", async () => {
  const run = row("paper.session.run").first();
  const level = Number(await run.getAttribute("aria-level"));
  const child = row("INSERT paper_trading_runs").first();
  assert.equal(Number(await child.getAttribute("aria-level")), level + 1);
});

test("folds equal siblings, and shows every span without folding", async () => {
  const folded = await shownRows();
  assert.ok(
    folded < columns.spans.id.length / 3,
    `${folded} rows for ${columns.spans.id.length} spans`,
  );
  await page.getByRole("button", { name: "Siblings folded" }).click();
  await page.waitForURL(/fold=0/);
  await page.waitForFunction(
    (n) => document.querySelector(".waterfall-scroller > div").clientHeight / 26 === n,
    columns.spans.id.length,
  );
  await page.goBack();
  await page.waitForFunction(
    (n) => document.querySelector(".waterfall-scroller > div").clientHeight / 26 === n,
    folded,
  );
});

test("opens a fold with its failed, then its slowest members first", async () => {
  const fold = page.locator('[role="treeitem"].is-fold').first();
  const name = await fold.locator(".span-name").innerText();
  const depth = Number(await fold.getAttribute("aria-level"));
  await fold.dblclick({ position: { x: 60, y: 12 } });
  await page.locator(".more").first().waitFor();
  const durations = await page.evaluate(
    ([wanted, level]) =>
      [...document.querySelectorAll(`[role="treeitem"][aria-level="${level}"]`)]
        .filter((element) => element.querySelector(".span-name")?.textContent === wanted)
        .sort((a, b) => Number.parseInt(a.style.top) - Number.parseInt(b.style.top))
        .map((element) => Number(element.id.replace("row-s", ""))),
    [name, depth + 1],
  );
  assert.ok(durations.length >= 5, `${durations.length} members of ${name} are shown`);
  const failedBelow = (span) =>
    columns.spans.status.some((status, i) => {
      if (status !== 2) return false;
      let at = i;
      while (at >= 0 && at !== span) at = columns.spans.parent[at];
      return at === span;
    });
  const sound = durations
    .filter((span) => !failedBelow(span))
    .map((span) => columns.spans.duration[span]);
  assert.deepEqual(
    sound,
    [...sound].sort((a, b) => b - a),
  );
  await fold.dblclick({ position: { x: 60, y: 12 } });
  await page.locator(".more").first().waitFor({ state: "detached" });
});

test("keeps selection, zoom and view in the address", async () => {
  await row("paper.session.run").first().click();
  await page.waitForURL(/span=[0-9a-f]{16}/);
  await page.locator(".side-panel .panel-name", { hasText: "paper.session.run" }).waitFor();
  const box = await page.locator(".minimap-canvas").boundingBox();
  await page.mouse.move(box.x + box.width * 0.2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/from=\d+&to=\d+/);
  const address = page.url();
  await page.reload();
  await page.locator(".is-selected .span-name", { hasText: "paper.session.run" }).waitFor();
  assert.equal(page.url(), address);
  await page.goBack();
  await page.waitForURL((url) => !url.searchParams.has("from"));
});

test("shows a span's details to the nanosecond, and leads to the query", async () => {
  const index = columns.spans.name.findIndex(
    (n) => columns.names[n] === "paper.session.submit_order",
  );
  assert.ok(index >= 0, "the trace has no order");
  await page.goto(`${traceUrl}/trace/${trace.traceId}?span=${columns.spans.id[index]}`);
  const panel = page.locator(".side-panel");
  await panel.locator("dt", { hasText: "order.client_id" }).waitFor();
  const digits = (await panel.locator(".panel-times b").innerText()).replace(/\D/g, "");
  assert.equal(Number(digits), columns.spans.duration[index]);
  await panel.locator("dt", { hasText: "order.client_id" }).hover();
  await panel.getByRole("link", { name: /Search for order\.client_id = / }).click();
  await page.waitForURL(/\/search\?q=order\.client_id/);
  await page.locator("a.result-row").first().waitFor();
  await page.goBack();
  await panel.locator("dt", { hasText: "order.client_id" }).waitFor();
});

test("finds names at once and attributes by the server", async () => {
  await page.goto(`${traceUrl}/trace/${trace.traceId}`);
  await rows().first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("paper.session.submit_order");
  const orders = columns.spans.name.filter(
    (n) => columns.names[n] === "paper.session.submit_order",
  ).length;
  await page
    .locator(".find-count", { hasText: new RegExp(`(^|of )${orders.toLocaleString("en-US")}$`) })
    .waitFor();
  await page.keyboard.press("Enter");
  await page
    .locator(".is-selected .span-name", { hasText: "paper.session.submit_order" })
    .waitFor();
  await page.getByLabel("Find in trace").fill("order.client_id");
  await page.waitForFunction(() =>
    /^(\d+ of )?[1-9]/.test(document.querySelector(".find-count")?.textContent ?? ""),
  );
});

test("obeys the keyboard", async () => {
  await page.goto(`${traceUrl}/trace/${trace.traceId}`);
  await rows().first().waitFor();
  await page.locator(".waterfall-scroller").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const second = await page.locator(".is-selected").getAttribute("id");
  await page.keyboard.press("k");
  assert.notEqual(await page.locator(".is-selected").getAttribute("id"), second);
  const before = await shownRows();
  await page.keyboard.press("h");
  await page.waitForFunction(
    (n) => document.querySelector(".waterfall-scroller > div").clientHeight / 26 < n,
    before,
  );
  await page.keyboard.press("l");
  await page.waitForFunction(
    (n) => document.querySelector(".waterfall-scroller > div").clientHeight / 26 === n,
    before,
  );
  for (const [key, view] of [
    ["t", "table"],
    ["f", "flame"],
    ["c", "critical"],
  ]) {
    await page.keyboard.press(key);
    await page.waitForURL(new RegExp(`view=${view}`));
  }
  await page.keyboard.press("w");
  await page.waitForURL((url) => !url.searchParams.has("view"));
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("adds up in the table", async () => {
  await page.goto(`${traceUrl}/trace/${trace.traceId}?view=table`);
  await page.locator(".table-view tbody tr").first().waitFor();
  const counts = await page.locator(".table-view tbody tr td:nth-child(2)").allInnerTexts();
  assert.equal(
    counts.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0),
    columns.spans.id.length,
  );
});

test("says nothing on the console", () => assert.deepEqual(browser.problems, []));
