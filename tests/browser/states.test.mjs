// Each page when there is nothing, not yet something, something wrong, or nobody there. The answers are
// forged in the browser, so that the pages meet every state whatever the server holds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { dashUrl, traceOfSize, traceUrl, until } from "./system.mjs";

let browser;
let page;
let trace;
before(async () => {
  trace = await traceOfSize(900);
  browser = await openBrowser();
  page = browser.page;
});
after(() => browser.close());

const api = /\/api\/alphaswarm\/v1\//;
async function answering(pattern, handler, body) {
  await browser.context.route(pattern, handler);
  try {
    await body();
  } finally {
    await browser.context.unroute(pattern);
  }
}
const json =
  (body, status = 200) =>
  (route) =>
    route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) });

test("first use: what to do, with the command to copy", async () => {
  const empty = (route) =>
    json(
      route.request().url().includes("/services")
        ? { services: [] }
        : {
            traces: [],
            spans: [],
            keys: [],
            values: [],
            complete: true,
            elapsedNs: "1",
            scannedSpans: 0,
          },
    )(route);
  await answering(api, empty, async () => {
    await page.goto(traceUrl);
    await page.getByText("No traces yet").waitFor();
    await page.getByText("alphaswarm up").waitFor();
    await page.getByRole("button", { name: "Copy alphaswarm up" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "alphaswarm up");
    await page.goto(`${traceUrl}/services`);
    await page.getByText("No services yet").waitFor();
  });
});

test("loading: a skeleton in the final layout", async () => {
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  await answering(
    api,
    async (route) => held.then(() => route.continue()),
    async () => {
      await page.goto(`${traceUrl}/trace/${trace.traceId}`);
      await page.locator(".trace-page[aria-busy=true] .skeleton").first().waitFor();
      await page.goto(`${traceUrl}/search`);
      await page.locator(".result-skeleton").waitFor();
      release();
      await page.locator("a.result-row").first().waitFor();
    },
  );
});

test("not there, and not an id", async () => {
  await page.goto(`${traceUrl}/trace/${"ab".repeat(16)}`);
  await page.getByText("This trace is not here").waitFor();
  await page.goto(`${traceUrl}/trace/nonsense`);
  await page.getByText(/This is no trace id|This trace is not here/).waitFor();
  await page.goto(`${traceUrl}/nowhere/at/all`);
  await page.getByText("There is no such page").waitFor();
});

test("an error: what, and what to do", async () => {
  await answering(
    /\/v1\/search/,
    json({ error: { message: "the index is being rebuilt" } }, 500),
    async () => {
      await page.goto(`${traceUrl}/search`);
      await page.getByText("the index is being rebuilt").waitFor();
      await page.getByRole("button", { name: "Try again" }).waitFor();
    },
  );
});

test("the back end gone: what was there stays, dated, and comes back by itself", async () => {
  await page.goto(traceUrl);
  await page.locator("a.result-row").first().waitFor();
  await answering(
    api,
    (route) => route.abort("connectionrefused"),
    async () => {
      await page.getByRole("button", { name: "Live" }).click();
      await page.getByText("The server is away.").waitFor();
      assert.ok((await page.locator("a.result-row").count()) > 0);
      assert.match(
        await page.locator(".banner").innerText(),
        /What you see is from \d\d:\d\d:\d\d/,
      );
    },
  );
  await page.getByText("The server is away.").waitFor({ state: "detached" });
});

test("the back end gone before the trace was there", async () => {
  await answering(
    api,
    (route) => route.abort("connectionrefused"),
    async () => {
      await page.goto(`${traceUrl}/trace/${trace.traceId}`);
      await page.getByText("The server is away").waitFor();
    },
  );
  await page.locator('[role="treeitem"]').first().waitFor();
});

test("the service of the dashboard gone", { skip: !dashUrl }, async () => {
  await page.goto(`${dashUrl}/dash`);
  await page.locator(".run-item").first().waitFor();
  await answering(
    /\/(paper|portfolio)\//,
    (route) => route.abort("connectionrefused"),
    async () => {
      await page.getByText("The service is away.").first().waitFor();
      assert.ok((await page.locator(".run-item").count()) > 0);
    },
  );
  await page.getByText("The service is away.").waitFor({ state: "detached" });
});

test("the dashboard's first use", { skip: !dashUrl }, async () => {
  await answering(/\/(paper|backtest)\/runs|\/data$/, json([]), async () => {
    await page.goto(`${dashUrl}/dash`);
    await page.getByText("No sessions yet").waitFor();
    await page.goto(`${dashUrl}/dash?view=backtests`);
    await page.getByText("No backtests yet").waitFor();
    await page.goto(`${dashUrl}/dash?view=data`);
    await page.getByText("No bars yet").waitFor();
  });
});

test("a session that is not there is not waited for", { skip: !dashUrl }, async () => {
  await page.goto(`${dashUrl}/dash?run=nonsense`);
  await page.getByText("This session is not here").waitFor();
  await page.goto(`${dashUrl}/dash?view=backtests&run=nonsense`);
  await page.getByText("This backtest is not here").waitFor();
  await page.getByRole("link", { name: "Show the backtests there are" }).click();
  await page.locator(".run-head").waitFor();
});

test("what the dashboard asks is a whole trace, called from outside", {
  skip: !dashUrl,
}, async () => {
  const asked = page.waitForRequest((request) => request.url().includes("/paper/runs?"));
  await page.goto(`${dashUrl}/dash`);
  const [, traceId] = (await asked).headers().traceparent.split("-");
  await until(
    "its trace",
    async () => (await fetch(`${traceUrl}/api/alphaswarm/v1/traces/${traceId}`)).status,
    (status) => status === 200,
  );
  await page.goto(`${traceUrl}/trace/${traceId}`);
  await page.getByText("called from outside").waitFor();
  assert.equal(await page.locator(".banner").count(), 0);
});

test("on a screen of middle width nothing lies on anything else", { skip: !dashUrl }, async () => {
  await page.setViewportSize({ width: 900, height: 800 });
  await page.goto(`${dashUrl}/dash`);
  await page.locator(".chart canvas").first().waitFor();
  const [main, panel] = await Promise.all(
    [".run-main > :last-child", ".run-panel"].map((part) => page.locator(part).boundingBox()),
  );
  assert.ok(main.y + main.height <= panel.y, `${main.y + main.height} is below ${panel.y}`);
  await page.setViewportSize({ width: 1440, height: 900 });
});
