import { describe, expect, it } from "vitest";
import {
  formatDuration,
  formatDurationExact,
  formatInstant,
  formatOffset,
  formatPercentChange,
  formatShare,
  formatTick,
  formatTimeTick,
  momentFormat,
  parseDuration,
  shortId,
  toGoDuration,
} from "./format";

const thin = (text: string) => text.replaceAll("\u2009", " ");

describe("durations", () => {
  it("keep every nanosecond when asked for exactly", () => {
    expect(thin(formatDurationExact(0))).toBe("0 ns");
    expect(thin(formatDurationExact(999))).toBe("999 ns");
    expect(thin(formatDurationExact(1_000))).toBe("1.000 µs");
    expect(thin(formatDurationExact(412_093_884))).toBe("412.093 884 ms");
    expect(thin(formatDurationExact(12_482_000_001))).toBe("12.482 000 001 s");
    expect(thin(formatDurationExact(4_500_000_000_007))).toBe("4,500.000 000 007 s");
  });
  it("are short in rows", () => {
    expect(thin(formatDuration(310_400))).toBe("310 µs");
    expect(thin(formatDuration(4_300_000))).toBe("4.30 ms");
    expect(thin(formatDuration(12_440_000_000))).toBe("12.440 s");
  });
  it("read back what a query says", () => {
    expect(parseDuration("1.5ms")).toBe(1_500_000);
    expect(parseDuration("2m30s")).toBe(150e9);
    expect(parseDuration("12us")).toBe(12_000);
    expect(parseDuration("fast")).toBeUndefined();
    expect(parseDuration("12")).toBeUndefined();
    for (const ns of [1, 999, 1_500, 2_500_000, 3_000_000_001])
      expect(parseDuration(toGoDuration(ns))).toBe(ns);
  });
});

describe("offsets and ticks", () => {
  it("group by three", () => {
    expect(thin(formatOffset(9_871_204_113))).toBe("+9.871 204 113");
    expect(thin(formatOffset(4_120_000))).toBe("+0.004 120 000");
    expect(thin(formatTick(2_100_000_000, 100_000_000))).toBe("2.1 s");
    expect(thin(formatTick(500_000_000, 500_000_000, 2_000_000_000))).toBe("0.5 s");
    expect(thin(formatTick(9_871_204_000, 1_000))).toBe("9.871 204 s");
  });
  it("do not lose the nanoseconds of an instant", () => {
    expect(thin(formatInstant(1_700_000_000_284_112_903n))).toMatch(/\.284 112 903$/);
  });
});

describe("moments of bars", () => {
  const noon = Date.UTC(2026, 10, 28, 12) / 1000;
  it("are days where bars are of days", () => {
    const { moment, range } = momentFormat([0, 86_400]);
    expect(moment(86_400)).toBe("2 Jan 1970");
    expect(range(0, 86_400)).toBe("1 Jan 1970 – 2 Jan 1970");
  });
  it("have a time where bars are closer", () => {
    const { moment, range } = momentFormat([noon, noon + 60]);
    expect(moment(noon)).toBe("28 Nov 2026 12:00 UTC");
    expect(range(noon, noon + 60)).toBe("28 Nov 2026 12:00 – 12:01 UTC");
    expect(range(noon, noon + 86_460)).toBe("28 Nov 2026 12:00 – 29 Nov 2026 12:01 UTC");
  });
  it("are as coarse on an axis as its step", () => {
    expect(formatTimeTick(noon, 30)).toBe("12:00:00");
    expect(formatTimeTick(noon, 3600)).toBe("12:00");
    expect(formatTimeTick(noon - 43_200, 3600)).toBe("28 Nov");
    expect(formatTimeTick(noon, 30 * 86_400)).toBe("Nov 2026");
    expect(formatTimeTick(noon, 366 * 86_400)).toBe("2026");
  });
});

describe("small things", () => {
  it("is as precise as a share is small", () => {
    expect(formatShare(-0.0263)).toBe("− 2.6 %");
    expect(formatShare(-0.00005)).toBe("− 0.005 %");
    expect(formatShare(-0)).toBe("0 %");
  });
  it("shows the sign of a change", () => {
    expect(formatPercentChange(0.1241)).toBe("+ 12.41 %");
    expect(formatPercentChange(-0.031, 1)).toBe("− 3.1 %");
  });
  it("shortens only what is long", () => {
    expect(shortId("7c1d04be91aa00000000000000e3e3f2")).toBe("7c1d04be…e3f2");
    expect(shortId("7c1d04be91aa0000", 8, 0)).toBe("7c1d04be");
    expect(shortId("short")).toBe("short");
  });
});
