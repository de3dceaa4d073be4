// Numbers as people read them: digits in groups of three, a unit that follows the size, and never
// more or fewer digits than were measured.

const kThin = "\u2009"; // between groups of digits, and before a unit

/** Digits after the point in groups of three: "093884" → "093 884". */
function groupFraction(digits: string): string {
  return digits.replace(/(\d{3})(?=\d)/g, `$1${kThin}`);
}

/** 51204 → "51,204". */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

const units: [limit: number, digits: number, unit: string][] = [
  [1e3, 0, "ns"],
  [1e6, 3, "µs"],
  [1e9, 6, "ms"],
  [Number.POSITIVE_INFINITY, 9, "s"],
];

/** Every nanosecond: 412093884 → "412.093 884 ms". `ns` is a whole number, below 2^53. */
export function formatDurationExact(ns: number): string {
  const [, digits, unit] = units.find(([limit]) => Math.abs(ns) < limit)!;
  if (digits === 0) return `${ns}${kThin}${unit}`;
  const sign = ns < 0 ? "−" : "";
  const text = Math.abs(ns)
    .toString()
    .padStart(digits + 1, "0");
  const whole = Number(text.slice(0, -digits)).toLocaleString("en-US");
  return `${sign}${whole}.${groupFraction(text.slice(-digits))}${kThin}${unit}`;
}

/** For rows and axes, about four digits: "412.1 ms", "12.440 s", "310 µs". */
export function formatDuration(ns: number): string {
  if (!Number.isFinite(ns)) return "–";
  if (ns === 0) return `0${kThin}ns`;
  const [limit, , unit] = units.find(([l]) => Math.abs(ns) < l) ?? units[3];
  const scaled = ns / (unit === "s" ? 1e9 : limit / 1e3);
  if (unit === "ns") return `${Math.round(ns)}${kThin}ns`;
  if (unit === "s" && scaled >= 600) return `${formatCount(scaled)}${kThin}s`;
  const digits = unit === "s" ? (scaled < 100 ? 3 : 1) : scaled < 10 ? 2 : scaled < 100 ? 1 : 0;
  return `${scaled.toFixed(digits)}${kThin}${unit}`;
}

/** An offset inside a trace, always in seconds: 4120000 → "+0.004 120 000". */
export function formatOffset(ns: number): string {
  const sign = ns < 0 ? "−" : "+";
  const text = Math.abs(Math.round(ns)).toString().padStart(10, "0");
  return `${sign}${text.slice(0, -9)}.${groupFraction(text.slice(-9))}`;
}

/** An axis label with the digits its step needs. `largestNs` of the axis decides the unit of all its labels. */
export function formatTick(ns: number, stepNs: number, largestNs = ns): string {
  const largest = Math.max(Math.abs(largestNs), stepNs);
  const [limit, , unit] = units.find(([l]) => largest < l) ?? units[3];
  const scale = unit === "s" ? 1e9 : limit / 1e3;
  const digits = Math.max(0, Math.min(9, Math.ceil(-Math.log10(stepNs / scale) - 1e-9)));
  const [whole, fraction] = (ns / scale).toFixed(digits).split(".");
  return `${whole}${fraction ? `.${groupFraction(fraction)}` : ""}${kThin}${unit}`;
}

/** A wall-clock instant of nanoseconds since 1970, in the reader's zone: "22 Nov 2026 14:03:11.284 112 903". */
export function formatInstant(unixNs: bigint): string {
  const date = new Date(Number(unixNs / 1_000_000n));
  const fraction = (unixNs % 1_000_000_000n).toString().padStart(9, "0");
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  return `${day} ${date.toLocaleTimeString("en-GB")}.${groupFraction(fraction)}`;
}

export function formatClock(unixMs: number): string {
  return new Date(unixMs).toLocaleTimeString("en-GB");
}

export function formatDay(unixMs: number): string {
  return new Date(unixMs).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
}

/** "12 s ago", "4 min ago", "3 h ago", "2 d ago". */
export function formatAgo(unixMs: number, nowMs: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((nowMs - unixMs) / 1000));
  if (seconds < 2) return "now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

/** Money and prices: "112,408.16". */
export function formatMoney(value: number, digits = 2): string {
  const text = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return value < 0 ? `−${text}` : text;
}

/** A change, with its sign: "+ 12.41 %", "− 3.1 %". `ratio` is 0.1241 for 12.41 %. */
export function formatPercentChange(ratio: number, digits = 2): string {
  const sign = ratio < 0 ? "− " : "+ ";
  return `${sign}${(Math.abs(ratio) * 100).toFixed(digits)} %`;
}

export function formatPercent(ratio: number, digits = 2): string {
  return `${(ratio * 100).toFixed(digits)} %`;
}

/** A small fraction with its sign, as precise as it is small: "− 2.6 %", "− 0.005 %", "0 %". */
export function formatShare(ratio: number): string {
  const percent = Math.abs(ratio) * 100;
  const text = percent.toFixed(percent < 0.1 ? 3 : 1);
  return Number(text) === 0 ? "0 %" : `${ratio < 0 ? "− " : ""}${text} %`;
}

/** Moments of bars in UTC: days, or times of day where bars are closer. `times` in seconds. */
export function momentFormat(times: readonly number[]) {
  const daily = times.every((time) => time % 86_400 === 0);
  const day = (seconds: number) => formatDay(seconds * 1000);
  const clock = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 16);
  const moment = (seconds: number) =>
    daily ? day(seconds) : `${day(seconds)} ${clock(seconds)} UTC`;
  const range = (from: number, until: number) => {
    if (daily) return `${day(from)} – ${day(until)}`;
    const end = day(from) === day(until) ? clock(until) : `${day(until)} ${clock(until)}`;
    return `${day(from)} ${clock(from)} – ${end} UTC`;
  };
  return { moment, range };
}

/** A mark on an axis of time in UTC, `step` seconds from the next. */
export function formatTimeTick(seconds: number, step: number): string {
  const at = new Date(seconds * 1000);
  if (step >= 360 * 86_400) return String(at.getUTCFullYear());
  const date = (options: Intl.DateTimeFormatOptions) =>
    at.toLocaleDateString("en-GB", { ...options, timeZone: "UTC" });
  if (step >= 28 * 86_400) return date({ month: "short", year: "numeric" });
  if (step >= 86_400 || seconds % 86_400 === 0) return date({ day: "numeric", month: "short" });
  return at.toISOString().slice(11, step < 60 ? 19 : 16);
}

/** "7c1d04be91aa…e3f2" for a long id; short ones are left whole. */
export function shortId(id: string, head = 8, tail = 4): string {
  if (id.length <= head + tail + 1) return id;
  return tail === 0 ? id.slice(0, head) : `${id.slice(0, head)}…${id.slice(-tail)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A Go duration ("1.5ms", "2m30s", "12us") in nanoseconds; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  const scale: Record<string, number> = {
    ns: 1,
    us: 1e3,
    µs: 1e3,
    ms: 1e6,
    s: 1e9,
    m: 60e9,
    h: 3600e9,
  };
  const whole = text.trim();
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(whole)) return undefined;
  let sum = 0;
  for (const [, number, , unit] of whole.matchAll(/(\d+(\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * scale[unit];
  return Math.round(sum);
}

/** The shortest Go duration for whole nanoseconds: 2500000 → "2.5ms". */
export function toGoDuration(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)}ns`;
  if (ns < 1e6) return `${Number((ns / 1e3).toFixed(3))}us`;
  if (ns < 1e9) return `${Number((ns / 1e6).toFixed(6))}ms`;
  return `${Number((ns / 1e9).toFixed(9))}s`;
}
