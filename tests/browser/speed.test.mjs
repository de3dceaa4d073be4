// How long until a trace is painted, from the start of navigation, with an empty cache; and whether
// scrolling keeps up. Prints what it measures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { columnsOf, traceOfSize, traceUrl } from "./system.mjs";

const limits = [
  [10, 1000],
  [50_000, 1000],
  [200_000, 3000],
];
const kTries = 5;

for (const [size, limitMs] of limits)
  test(`a trace of ${size.toLocaleString("en-US")} spans is painted within ${limitMs} ms`, async () => {
    const { traceId, spanCount } = await traceOfSize(size);
    await columnsOf(traceId); // the page is measured, not the server's first answer
    const times = [];
    for (let i = 0; i < kTries; i++) {
      const browser = await openBrowser();
      try {
        await browser.page.goto(`${traceUrl}/trace/${traceId}`, { waitUntil: "commit" });
        await browser.page.waitForFunction(
          () => performance.getEntriesByName("trace-painted").length > 0,
          null,
          { polling: 20 },
        );
        const mark = await browser.page.evaluate(() => ({
          at: performance.getEntriesByName("trace-painted")[0].startTime,
          spans: performance.getEntriesByName("trace-painted")[0].detail,
        }));
        assert.equal(mark.spans, spanCount);
        times.push(Math.round(mark.at));
      } finally {
        await browser.close();
      }
    }
    times.sort((a, b) => a - b);
    console.log(`# ${spanCount} spans: painted after ${times.join(", ")} ms`);
    // The best of some tries: what the page needs, not what else the machine is doing.
    assert.ok(times[0] <= limitMs, `${times[0]} ms`);
  });

test("scrolling through every span of a large trace draws each step in a frame or two", async () => {
  const { traceId, spanCount } = await traceOfSize(50_000);
  const browser = await openBrowser();
  try {
    await browser.page.goto(`${traceUrl}/trace/${traceId}?fold=0`);
    await browser.page.locator('[role="treeitem"]').first().waitFor();
    const { work, rows } = await browser.page.evaluate(async () => {
      const scroller = document.querySelector(".waterfall-scroller");
      const work = [];
      for (let i = 0; i < 60; i++) {
        const began = performance.now();
        scroller.scrollTop += 37 * 26;
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        work.push(performance.now() - began);
      }
      return {
        work: work.sort((a, b) => a - b),
        rows: scroller.firstElementChild.clientHeight / 26,
      };
    });
    assert.equal(rows, spanCount);
    console.log(
      `# a screenful of scrolling: median ${work[30].toFixed(1)} ms, slowest ${work[59].toFixed(1)} ms`,
    );
    // The quicker quarter, for the same reason as above.
    assert.ok(work[15] < 50, `${work[15]} ms`);
  } finally {
    await browser.close();
  }
});
