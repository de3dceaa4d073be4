// The search and services pages against the real query server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { ask, traceOfSize, traceUrl } from "./system.mjs";

let browser;
let page;
before(async () => {
  await traceOfSize(900);
  browser = await openBrowser();
  page = browser.page;
});
after(() => browser.close());

test("lists what the server finds", async () => {
  await page.goto(traceUrl);
  await page.locator("a.result-row").first().waitFor();
  const { traces } = await ask("/search?limit=200&mode=traces");
  assert.match(
    await page.locator(".found-facts").innerText(),
    new RegExp(`^${traces.length} traces?`),
  );
});

test("has one query in two views", async () => {
  const { services } = await ask("/services");
  const service = services.find((s) => s.name.endsWith("paper-trader")) ?? services[0];
  await page
    .locator(".facet-choice", { hasText: service.name.replace(/^alphaswarm-/, "") })
    .first()
    .click();
  await page.waitForURL(new RegExp(`service%3D${service.name}`));
  assert.equal(
    await page.getByLabel("Query", { exact: true }).inputValue(),
    `service=${service.name}`,
  );
  await page.getByLabel("Query", { exact: true }).fill(`service=${service.name} duration>1us`);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".duration-field input")].some((input) => input.value === "1us"),
  );
  await page.goBack();
  await page.goBack();
  await page.waitForFunction(
    () => document.querySelector('input[aria-label="Query"]').value === "",
  );
});

test("completes keys and values", async () => {
  await page.goto(traceUrl);
  const line = page.getByLabel("Query", { exact: true });
  await line.click();
  await line.pressSequentially("market.sy");
  await page.locator(".offers li", { hasText: "market.symbol" }).click();
  assert.equal(await line.inputValue(), "market.symbol=");
  const { values } = await ask("/attributes/values?key=market.symbol&prefix=");
  await page.locator(".offers li", { hasText: String(values[0].value) }).click();
  assert.equal(await line.inputValue(), `market.symbol=${values[0].value} `);
  await page.keyboard.press("Enter");
  await page.locator("a.result-row").first().waitFor();
});

test("says what is wrong with a query, and which condition excludes everything", async () => {
  await page.goto(`${traceUrl}/search?q=${encodeURIComponent("duration>fast")}`);
  await page.locator("#query-problem", { hasText: "“fast” is not a duration" }).waitFor();
  await page.goto(
    `${traceUrl}/search?q=${encodeURIComponent("service=alphaswarm-api order.side=sideways")}`,
  );
  await page.getByRole("button", { name: /Drop order\.side=sideways/ }).click();
  await page.locator("a.result-row").first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get("q"), "service=alphaswarm-api");
});

test("finds spans and opens the one that is clicked", async () => {
  await page.goto(
    `${traceUrl}/search?mode=spans&q=${encodeURIComponent("name=paper.session.submit_order")}`,
  );
  const first = page.locator("a.result-row").first();
  await first.waitFor();
  const span = new URL(await first.getAttribute("href"), traceUrl).searchParams.get("span");
  await first.click();
  await page.waitForURL(new RegExp(span));
  await page
    .locator(".is-selected .span-name", { hasText: "paper.session.submit_order" })
    .waitFor();
});

test("goes to anything", async () => {
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Go to" }).waitFor();
  await page.keyboard.type("risk.check_pretrade");
  await page.locator(".palette-list li", { hasText: "risk.check_pretrade" }).first().click();
  await page.waitForURL(/risk\.check_pretrade/);
});

test("lists services and operations with their counts", async () => {
  await page.goto(`${traceUrl}/services`);
  const { services } = await ask("/services");
  await page
    .locator(".service")
    .nth(services.length - 1)
    .waitFor();
  assert.equal(await page.locator(".service").count(), services.length);
  for (const service of services) {
    const head = await page
      .locator(`.service[aria-label="${service.name}"] .service-head`)
      .innerText();
    assert.ok(
      head.includes(`${service.spans.toLocaleString("en-US")} span`),
      `${service.name}: ${head}`,
    );
  }
});

test("says nothing on the console", () => assert.deepEqual(browser.problems, []));
