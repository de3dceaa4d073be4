// Live sessions from the dashboard: the venue Alpaca is our own simulated exchange, and the test is its
// market, which moves one bar when the session has seen the last.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { ask, dashUrl, until, venueUrl } from "./system.mjs";

const options = {
  skip: dashUrl && venueUrl ? false : "ALPHASWARM_DASH_URL or ALPHASWARM_VENUE_URL is not set",
};
const keys = { "APCA-API-KEY-ID": "browser", "APCA-API-SECRET-KEY": "secret" };
const api = (path) => ask(path, dashUrl);
const minute = 60_000;

async function atVenue(path, body) {
  const reply = await fetch(venueUrl + path, {
    method: body ? "POST" : "GET",
    headers: keys,
    body: body ? JSON.stringify(body) : undefined,
  });
  assert.equal(reply.status, 200, `${path} answered ${reply.status}`);
  return reply.json();
}

/** Minute bars from the coming minute on: a session that begins now takes them. */
function market(symbol) {
  const first = (Math.floor(Date.now() / minute) + 1) * minute;
  let index = 0;
  return async (price) => {
    const bar = { t: new Date(first + index * minute).toISOString(), v: 100_000 };
    Object.assign(bar, { o: price, h: price + 1, l: price - 1, c: price });
    await atVenue("/sim/v1/advance", { bar_index: index++, bars: [{ symbol, ...bar }] });
  };
}

let browser;
let page;
let dialog;
before(async () => {
  if (options.skip) return;
  browser = await openBrowser();
  page = browser.page;
  dialog = page.getByRole("dialog");
});
after(() => browser?.close());

async function openForm() {
  await page.goto(`${dashUrl}/dash`);
  await page.getByRole("button", { name: "Start paper session" }).first().click();
  await dialog.waitFor();
}
const radio = (name) => dialog.getByRole("radio", { name, exact: true });

test("offers the venues that are configured, and says why not the others", options, async () => {
  await openForm();
  assert.ok(await radio("Simulated exchange").isChecked());
  assert.ok(await radio("Replay of stored bars").isChecked());
  await dialog.getByText("Set ALPHASWARM_TRADIER_TOKEN").waitFor();
  assert.ok(await radio("Tradier").isDisabled());
  assert.equal(await dialog.getByText("Refused at a live venue").count(), 0);
});

test(
  "by the keyboard: a live venue takes the bars that happen, and says that no replay can be",
  options,
  async () => {
    await radio("Simulated exchange").focus();
    await page.keyboard.press("ArrowDown");
    assert.ok(await radio("Alpaca").isChecked());
    assert.ok(await radio("Replay of stored bars").isDisabled());
    assert.ok(await radio("Alpaca's bars as they happen").isChecked());
    await dialog.getByText("Refused at a live venue: it trades at today's prices").waitFor();
    await page.keyboard.press("ArrowUp");
    assert.ok(await radio("Replay of stored bars").isChecked(), "the earlier choice was lost");
  },
);

test("shows the service's refusal of a replay at a live venue", options, async () => {
  await radio("Alpaca").check();
  await dialog.getByLabel("Symbols").fill("SWING.US");
  await dialog.getByRole("button", { name: "Continue" }).click();
  // A form of another age would send this; the service is asked, not a forgery.
  await page.route("**/paper/start", (route) => {
    const body = route.request().postDataJSON();
    body.config.feed = { kind: "replay", params: { interval: "1d" } };
    return route.continue({ postData: JSON.stringify(body) });
  });
  await dialog.getByRole("button", { name: "Send orders to Alpaca" }).click();
  const alert = dialog.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /feed\.kind: must be alpaca: a live venue trades/);
  await page.unroute("**/paper/start");
  await dialog.getByRole("button", { name: "Back" }).click();
  assert.ok(await radio("Alpaca").isChecked(), "the form was lost");
  assert.equal(await dialog.getByRole("alert").count(), 0);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
});

test("a live session: asks once, trades, shows where, and stops", options, async () => {
  const name = `live-${Date.now()}`;
  const move = market("SWING.US");
  await openForm();
  await dialog.getByLabel("Name").fill(name);
  await radio("Alpaca").check();
  await dialog.getByLabel("Symbols").fill("SWING.US");
  await dialog.getByLabel("Strategy").selectOption("buy_and_hold");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await dialog.getByText("Orders go to Alpaca: account of unknown kind").waitFor();
  assert.equal((await api("/paper/runs")).filter((r) => r.run_name === name).length, 0);
  await dialog.getByRole("button", { name: "Send orders to Alpaca" }).click();

  await page.locator("h1", { hasText: name }).waitFor({ timeout: 20_000 });
  const route = page.locator(".run-route");
  assert.match(await route.innerText(), /Alpaca[\s\S]*Alpaca, 1m bars streamed/);
  const run = async () => (await api("/paper/runs")).find((r) => r.run_name === name);
  const seen = (bars) => until(`bar ${bars}`, run, (r) => r.bars_seen >= bars);
  await until("the session", run, (r) => r?.status === "running");
  await move(100);
  await until("its order", run, (r) => r.orders_submitted === 1);
  await move(101);
  await seen(2);
  await move(102);
  await seen(3);
  await until("the fill", run, (r) => r.fills_count === 1);
  const { id } = await run();
  const [order] = (await api(`/paper/runs/${id}`)).orders;
  const orders = await atVenue("/v2/orders?status=all");
  assert.ok(
    orders.some((o) => o.client_order_id === order.client_order_id && o.status === "filled"),
  );
  const held = await api("/brokers/alpaca/positions");
  assert.deepEqual(
    held.map((position) => position.vt_symbol),
    ["SWING.US"],
  );
  await page.locator(".positions td", { hasText: "SWING.US" }).waitFor();
  await page.locator(".chart canvas").nth(2).waitFor();

  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await dialog.getByText("1 position will be kept, not sold.").waitFor();
  await dialog.getByRole("button", { name: "Stop the session" }).click();
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.locator(".run-head .chip", { hasText: "cancelled" }).waitFor();
  await page.getByText("stopped from the dashboard").first().waitFor();
});

test("a session that is held back says why, and is still under way", options, async () => {
  const reason = "risk: the drawdown is more than 0.15";
  await page.route(/\/paper\/runs/, async (route) => {
    const reply = await route.fetch();
    const halt = (run) => ({ ...run, status: "halted", status_reason: reason, stopped_at: null });
    const body = await reply.json();
    await route.fulfill({ json: Array.isArray(body) ? body.map(halt) : halt(body) });
  });
  try {
    await page.goto(`${dashUrl}/dash`);
    await page.locator(".run-reason", { hasText: `halted: ${reason}` }).waitFor();
    await page.locator(".run-head .chip", { hasText: "halted" }).waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
  } finally {
    await page.unroute(/\/paper\/runs/);
  }
});

test("says nothing on the console", options, () => {
  assert.deepEqual(
    browser.problems.filter((text) => !text.includes("422")),
    [],
  );
});
