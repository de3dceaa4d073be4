// Where a session's orders go and where its bars come from: what can be chosen, in words. The service
// checks again when a session is started.
import type { PaperRun, Venue } from "./api";

export type VenueName = "sim" | "alpaca" | "tradier";
export type FeedKind = "replay" | "alpaca";

/** One choice of a form: why it cannot be taken, or what it is. */
export interface Choice<T extends string> {
  value: T;
  title: string;
  about: string;
  refused: boolean;
}

const titles: Record<string, string> = {
  sim: "Simulated exchange",
  alpaca: "Alpaca",
  tradier: "Tradier",
};
export const venueTitle = (venue: string) => titles[venue] ?? venue;
export const isLive = (venue: string) => venue !== "sim";

/** Whose money a venue trades with, and where it is, as far as the service knows. */
export function accountText(venue: Venue | undefined): string {
  const at = venue?.host ? `, ${venue.host}` : "";
  switch (venue?.account) {
    case "simulated":
      return "no real money";
    case "paper":
      return `paper account, no real money${at}`;
    case "live":
      return `live account, real money${at}`;
    default:
      return `account of unknown kind${at}`;
  }
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
export const accountSentence = (venue: Venue) => `${sentence(accountText(venue))}.`;

export const kReplayRule =
  "Refused at a live venue: it trades at today's prices, not at replayed ones.";

/** `venues`: undefined while nobody has answered yet. */
export function venueChoices(venues: Venue[] | undefined, problem?: string): Choice<VenueName>[] {
  const known = (name: string) => venues?.find((v) => v.venue === name);
  const why = (name: string): string | undefined => {
    if (problem) return `The service did not say whether it is configured. ${problem}`;
    if (!venues) return "Asking whether it is configured …";
    const venue = known(name);
    return venue?.configured
      ? undefined
      : ["Not configured.", venue?.note].filter(Boolean).join(" ");
  };
  // Bars as they happen come from Alpaca, wherever the orders go.
  const alpaca = why("alpaca");
  const tradier =
    why("tradier") ?? (alpaca === undefined ? undefined : `It needs Alpaca's bars. ${alpaca}`);
  const live = (value: VenueName, refusal: string | undefined): Choice<VenueName> => ({
    value,
    title: venueTitle(value),
    about: sentence(refusal ?? `${accountText(known(value))}.`),
    refused: refusal !== undefined,
  });
  return [
    { value: "sim", title: venueTitle("sim"), about: "No real money.", refused: false },
    live("alpaca", alpaca),
    live("tradier", tradier),
  ];
}

export function feedChoices(
  venue: string,
  venues: Venue[] | undefined,
  problem?: string,
): Choice<FeedKind>[] {
  const alpaca = venueChoices(venues, problem).find((choice) => choice.value === "alpaca");
  return [
    {
      value: "replay",
      title: "Replay of stored bars",
      about: isLive(venue) ? kReplayRule : "Bars of the database, at any pace.",
      refused: isLive(venue),
    },
    {
      value: "alpaca",
      title: "Alpaca's bars as they happen",
      about: alpaca?.refused ? alpaca.about : "Streamed, or asked for every few seconds.",
      refused: alpaca?.refused ?? true,
    },
  ];
}

/** How a session came or comes by its bars. */
export function feedText(run: PaperRun): string {
  const { interval, mode, poll_seconds } = run.config?.feed?.params ?? {};
  const bars = interval ? `${interval} bars` : "bars";
  if (run.feed === "replay") return `replay of stored ${bars}`;
  const how =
    mode === "poll"
      ? `asked for every ${poll_seconds ?? 5} s`
      : mode === "stream" || interval === "1m"
        ? "streamed"
        : "asked for";
  return `${venueTitle(run.feed)}, ${bars} ${how}`;
}
