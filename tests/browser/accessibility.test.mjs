// axe on every page, in both themes and on a narrow screen.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { dashUrl, traceOfSize, traceUrl } from "./system.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const trace = await traceOfSize(900);
const pages = [
  [`${traceUrl}/search`, "a.result-row"],
  [`${traceUrl}/search?q=${encodeURIComponent("order.side=sideways")}`, ".state"],
  [`${traceUrl}/services`, ".service"],
  [`${traceUrl}/trace/${trace.traceId}`, '[role="treeitem"]'],
  [`${traceUrl}/trace/${trace.traceId}?view=table`, ".table-view tr"],
  [`${traceUrl}/trace/${trace.traceId}?view=flame`, ".flame canvas"],
  [`${traceUrl}/trace/${"ab".repeat(16)}`, ".state"],
];
if (dashUrl)
  pages.push(
    [`${dashUrl}/dash`, ".run-item"],
    [`${dashUrl}/dash?view=backtests`, ".run-item"],
    [`${dashUrl}/dash?view=data`, ".list-table"],
    [`${dashUrl}/dash?view=brokers`, ".venue"],
    [`${dashUrl}/docs`, ".route"],
  );

async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"] }),
  );
  return found.violations.map(
    (v) =>
      `${v.id}: ${v.nodes
        .map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? ""}`)
        .slice(0, 4)
        .join("; ")}`,
  );
}

const screens = [
  ["light", 1440],
  ["dark", 1440],
  ["light", 900],
  ["light", 390],
];
for (const [theme, width] of screens)
  test(`axe finds nothing, ${theme}, ${width} pixels wide`, async () => {
    const browser = await openBrowser({ theme, width });
    try {
      const found = {};
      for (const [url, ready] of pages) {
        await browser.page.goto(url);
        await browser.page.locator(ready).first().waitFor({ state: "attached" });
        await browser.page.waitForLoadState("networkidle").catch(() => {});
        const list = await violations(browser.page);
        if (list.length > 0) found[url] = list;
        assert.ok(
          await browser.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
          `${url} is wider than the screen`,
        );
      }
      assert.deepEqual(found, {});
    } finally {
      await browser.close();
    }
  });

for (const [theme, width] of screens)
  test(`axe finds nothing in the dialogs, ${theme}, ${width} pixels wide`, {
    skip: !dashUrl,
  }, async () => {
    const browser = await openBrowser({ theme, width });
    const { page } = browser;
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    try {
      await page.goto(`${dashUrl}/dash`);
      await page
        .getByRole("button", { name: /^Start( paper session)?$/ })
        .first()
        .click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      assert.deepEqual(await violations(page), []);
      const alpaca = dialog.getByRole("radio", { name: "Alpaca", exact: true });
      if (await alpaca.isEnabled()) {
        await alpaca.check();
        assert.deepEqual(await violations(page), []);
        assert.ok(await fits(), "the form is wider than the screen");
        await dialog.getByLabel("Symbols").fill("AAPL.NASDAQ");
        await dialog.getByRole("button", { name: "Continue" }).click();
        await dialog.getByRole("button", { name: "Send orders to Alpaca" }).waitFor();
        assert.deepEqual(await violations(page), []);
        assert.ok(await fits(), "the confirmation is wider than the screen");
      }
      await page.goto(`${traceUrl}/search`);
      await page.locator("a.result-row").first().waitFor();
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").waitFor();
      assert.deepEqual(await violations(page), []);
    } finally {
      await browser.close();
    }
  });
