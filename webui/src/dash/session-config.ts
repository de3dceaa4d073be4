// What the start form holds, and the document the service is sent for it.
import type { RunConfig, SymbolSummary } from "./api";
import { type FeedKind, isLive, type VenueName } from "./venues";

export interface Form {
  name: string;
  venue: VenueName;
  /** As wished; a live venue has only one (see feedOf). */
  feed: FeedKind;
  /** One of the stored series; "" for the one with most bars. */
  series: string;
  /** Of a live feed, as typed: the stored series may be of what no market knows. */
  symbols: string;
  interval: string;
  mode: "stream" | "poll";
  pollSeconds: string;
  warmup: string;
  strategy: string;
  params: Record<string, string>;
  cash: string;
  start: string;
  end: string;
  maxBars: string;
  speed: string;
  risk: Record<string, string>;
}

/** What `feed` the session will have: at a live venue only bars as they happen make sense. */
export const feedOf = (form: Form): FeedKind => (isLive(form.venue) ? "alpaca" : form.feed);
/** Only minute bars are streamed. */
export const modeOf = (form: Form) => (form.interval === "1m" ? form.mode : "poll");

export function universeOf(form: Form, summary: SymbolSummary | undefined): string[] {
  if (feedOf(form) === "replay") return summary ? [summary.vt_symbol] : [];
  return form.symbols.split(/[\s,;]+/).filter((symbol) => symbol !== "");
}

const number = (text: string) => (text.trim() === "" ? undefined : Number(text));
const numbers = (values: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(values).flatMap(([key, text]) =>
      text.trim() === "" ? [] : [[key, Number(text)]],
    ),
  );

function replayParams(form: Form, interval: string, session: boolean) {
  const speed = number(form.speed);
  return {
    interval,
    ...(form.start ? { start: form.start } : {}),
    ...(form.end ? { end: form.end } : {}),
    ...(session && speed ? { speed } : {}),
  };
}

function liveParams(form: Form) {
  const mode = modeOf(form);
  const warmup = number(form.warmup);
  const seconds = number(form.pollSeconds);
  // A start in the past would play that past at today's prices: at a live venue there is none.
  const start = isLive(form.venue) ? "" : form.start;
  return {
    interval: form.interval,
    mode,
    ...(mode === "poll" && seconds !== undefined ? { poll_seconds: seconds } : {}),
    ...(warmup ? { warmup_bars: warmup } : {}),
    ...(start ? { start } : {}),
  };
}

export function toConfig(
  form: Form,
  summary: SymbolSummary | undefined,
  session: boolean,
): RunConfig {
  const maxBars = number(form.maxBars);
  const live = session && feedOf(form) !== "replay";
  return {
    session: {
      universe: session ? universeOf(form, summary) : summary ? [summary.vt_symbol] : [],
      initial_cash: number(form.cash),
      ...(maxBars ? { max_bars: maxBars } : {}),
    },
    strategy: { name: form.strategy, params: numbers(form.params) },
    ...(session ? { brokerage: { venue: form.venue } } : {}),
    feed: live
      ? { kind: "alpaca", params: liveParams(form) }
      : { kind: "replay", params: replayParams(form, summary?.interval ?? "1d", session) },
    risk: numbers(form.risk),
  };
}
