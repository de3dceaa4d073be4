// The dashboard and the API reference against the real service.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { ask, dashUrl, until } from "./system.mjs";

const options = { skip: dashUrl ? false : "ALPHASWARM_DASH_URL is not set" };
const api = (path) => ask(path, dashUrl);
let browser;
let page;
let run;
before(async () => {
  if (!dashUrl) return;
  browser = await openBrowser();
  page = browser.page;
  const runs = await api("/paper/runs?limit=200");
  run = runs.find((r) => r.orders_submitted > 0 && r.trace_id);
  assert.ok(run, "no session with orders and a trace is there: run the demo first");
});
after(() => browser?.close());

test("shows a session with its numbers", options, async () => {
  await page.goto(`${dashUrl}/dash?run=${run.id}`);
  await page.locator("h1", { hasText: run.run_name }).waitFor();
  const stats = await page.locator(".stats").innerText();
  assert.ok(stats.includes(run.orders_submitted.toLocaleString("en-US")), stats);
  await page.locator(".chart canvas").nth(2).waitFor();
  assert.equal(await page.locator(".chart figcaption b").first().innerText(), "Price");
});

test("lists the ledger and links each order to its span", options, async () => {
  const detail = await api(`/paper/runs/${run.id}?limit=2000`);
  await page.getByRole("button", { name: /^Orders/ }).click();
  const order = detail.orders[0];
  const link = page.locator(".ledger-line a").first();
  await link.waitFor();
  const href = await link.getAttribute("href");
  assert.ok(href.endsWith(`/trace/${order.trace_id}?span=${order.span_id}`), href);
  await link.click();
  await page
    .locator(".is-selected .span-name", { hasText: "paper.session.submit_order" })
    .waitFor();
  await page.locator(".side-panel dd", { hasText: order.client_order_id }).first().waitFor();
});

test("sends a trace context with what it asks", options, async () => {
  const asked = page.waitForRequest((request) => request.url().includes("/paper/runs?"));
  await page.goto(`${dashUrl}/dash`);
  assert.match(
    (await asked).headers().traceparent ?? "",
    /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9a-f]$/,
  );
});

test("asks again without filling the list of traces", options, async () => {
  await page.goto("about:blank"); // the page of the test before asks no more
  const flags = [];
  const note = (request) => {
    if (request.url().endsWith("/portfolio/kill_switch"))
      flags.push(request.headers().traceparent.slice(-2));
  };
  page.on("request", note);
  await page.goto(`${dashUrl}/dash`);
  await until(
    "two polls",
    async () => flags.length,
    (count) => count >= 3,
  );
  page.off("request", note);
  assert.deepEqual(flags.slice(0, 3), ["03", "02", "02"]); // the page's own load is traced
});

test("shows backtests with their curves", options, async () => {
  const runs = await api("/backtest/runs");
  assert.ok(runs.length > 0, "no backtest is there: run the demo first");
  await page.goto(`${dashUrl}/dash?view=backtests&run=${runs[0].id}`);
  await page.locator("h1", { hasText: runs[0].run_name }).waitFor();
  await page.locator(".chart canvas").nth(1).waitFor();
});

test("says what a start will do, and shows the service's refusal", options, async () => {
  await page.goto(`${dashUrl}/dash`);
  await page.getByRole("button", { name: "Start paper session" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.locator(".form-summary", { hasText: "No real money is involved" }).waitFor();
  await dialog.getByLabel("Lookback").fill("1");
  await dialog.getByRole("button", { name: "Start the session" }).click();
  await dialog.getByRole("alert").waitFor();
  assert.match(await dialog.getByRole("alert").innerText(), /lookback/);
  await dialog.getByRole("button", { name: "Cancel" }).click();
});

test("starts a session and follows it to its end", options, async () => {
  const name = `browser-${Date.now()}`;
  await page.getByRole("button", { name: "Start paper session" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Bars at most").fill("60");
  await dialog.getByRole("button", { name: "Start the session" }).click();
  await page.locator("h1", { hasText: name }).waitFor({ timeout: 20_000 });
  await until(
    "the session",
    async () => (await api("/paper/runs")).find((r) => r.run_name === name)?.status,
    (status) => status === "completed",
  );
  await page.locator(".run-head .chip", { hasText: "completed" }).waitFor();
});

test("engages the kill switch after asking, and releases it", options, async () => {
  await page.getByRole("button", { name: /^Kill switch/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Reason/).fill("browser test");
  await dialog.getByRole("button", { name: "Stop all trading" }).click();
  await page.getByText("Reason: browser test").waitFor();
  assert.deepEqual(await api("/portfolio/kill_switch"), { engaged: true, reason: "browser test" });
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Release" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Release" }).click();
  await page.getByText("The kill switch is engaged.").waitFor({ state: "detached" });
  assert.equal((await api("/portfolio/kill_switch")).engaged, false);
});

test("renders every route of the OpenAPI document", options, async () => {
  const document = await api("/openapi.json");
  const routes = Object.values(document.paths).reduce(
    (sum, methods) =>
      sum +
      Object.keys(methods).filter((m) => ["get", "post", "put", "patch", "delete"].includes(m))
        .length,
    0,
  );
  await page.goto(`${dashUrl}/docs`);
  await page.locator(".route").first().waitFor();
  assert.equal(await page.locator(".route").count(), routes);
});

test("says nothing on the console", options, () => {
  // A browser reports each refused request; the one refusal above was on purpose.
  assert.deepEqual(
    browser.problems.filter((text) => !text.includes("422")),
    [],
  );
});
