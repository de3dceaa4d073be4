import { expect, test } from "vitest";
import type { PaperRun, Venue } from "./api";
import { accountText, feedChoices, feedText, kReplayRule, venueChoices } from "./venues";

const venue = (name: string, more: Partial<Venue> = {}): Venue => ({
  venue: name,
  configured: true,
  note: null,
  host: null,
  account: null,
  ...more,
});
const alpaca = venue("alpaca", { host: "paper-api.alpaca.markets", account: "paper" });
const away = (name: string) => venue(name, { configured: false, note: `Set ${name}'s token.` });

test("a venue that is not configured cannot be chosen, and says why", () => {
  const [sim, second, third] = venueChoices([venue("sim"), away("alpaca"), away("tradier")]);
  expect(sim.refused).toBe(false);
  expect(second).toMatchObject({ refused: true, about: "Not configured. Set alpaca's token." });
  expect(third).toMatchObject({ refused: true, about: "Not configured. Set tradier's token." });
  const feeds = feedChoices("sim", [venue("sim"), away("alpaca")]);
  expect(feeds.map((f) => f.refused)).toEqual([false, true]);
});

test("a venue without bars of its own needs Alpaca's", () => {
  const choices = venueChoices([venue("sim"), away("alpaca"), venue("tradier")]);
  expect(choices[2]).toMatchObject({
    refused: true,
    about: "It needs Alpaca's bars. Not configured. Set alpaca's token.",
  });
  expect(venueChoices([alpaca, venue("tradier")])[2].refused).toBe(false);
});

test("while nobody has answered only the simulated exchange can be chosen", () => {
  expect(venueChoices(undefined).map((c) => c.refused)).toEqual([false, true, true]);
  expect(venueChoices(undefined, "It is away.")[1].about).toContain("It is away.");
});

test("a replay is refused at a live venue, in words", () => {
  expect(feedChoices("alpaca", [alpaca])).toMatchObject([
    { value: "replay", refused: true, about: kReplayRule },
    { value: "alpaca", refused: false },
  ]);
});

test("says whose money it is only where the service knows", () => {
  expect(accountText(alpaca)).toBe("paper account, no real money, paper-api.alpaca.markets");
  expect(accountText(venue("alpaca", { host: "api.alpaca.markets", account: "live" }))).toBe(
    "live account, real money, api.alpaca.markets",
  );
  expect(accountText(venue("alpaca", { host: "127.0.0.1:8100" }))).toBe(
    "account of unknown kind, 127.0.0.1:8100",
  );
});

test("a session's bars in words", () => {
  const run = (feed: string, params: object) =>
    feedText({ feed, config: { feed: { params } } } as PaperRun);
  expect(run("replay", { interval: "1d" })).toBe("replay of stored 1d bars");
  expect(run("alpaca", { interval: "1m" })).toBe("Alpaca, 1m bars streamed");
  expect(run("alpaca", { interval: "1h", mode: "poll", poll_seconds: 30 })).toBe(
    "Alpaca, 1h bars asked for every 30 s",
  );
});
