import { describe, expect, it } from "vitest";
import { completionAt, formatQuery, parseQuery, toParameters, withCondition } from "./query";

function query(text: string) {
  const parsed = parseQuery(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.query;
}

function problem(text: string): string {
  const parsed = parseQuery(text);
  return "problem" in parsed ? parsed.problem : "";
}

describe("query line", () => {
  it("reads and writes the same query", () => {
    const line =
      'service=alphaswarm-api name="POST /paper/start" duration>2ms duration<1.5s status=error market.symbol=AAPL.SIM http.response.status_code!=200';
    expect(formatQuery(query(line))).toBe(line);
    expect(toParameters(query(line))).toEqual({
      service: "alphaswarm-api",
      operation: "POST /paper/start",
      minDuration: "2ms",
      maxDuration: "1.5s",
      q: "market.symbol=AAPL.SIM http.response.status_code!=200 error=true",
    });
  });
  it("keeps quotes and backslashes", () => {
    const odd = { attributes: [{ key: "note", operator: "=" as const, value: 'a "b" \\ c=d' }] };
    expect(query(formatQuery(odd))).toEqual(odd);
  });
  it("allows blanks around operators", () => {
    expect(query("  duration > 2ms   broker.venue = sim ")).toMatchObject({
      minDurationNs: 2e6,
      attributes: [{ key: "broker.venue", value: "sim" }],
    });
  });
  it("says what is wrong in a sentence", () => {
    expect(problem("broker.venue")).toMatch(/“broker.venue” is not a condition: write key=value/);
    expect(problem("duration>fast")).toMatch(/“fast” is not a duration/);
    expect(problem("duration=2ms")).toMatch(/compared with > or </);
    expect(problem("order.quantity>5")).toMatch(/only duration can be compared with >/);
    expect(problem("status=fine")).toMatch(/status=error/);
    expect(problem("duration>2s duration<1s")).toMatch(
      /No span lasts more than 2s and less than 1s/,
    );
    expect(problem('a="unclosed')).toMatch(/is not a condition/);
    expect(problem("service!=x")).toMatch(/only be compared with =/);
  });
  it("adds conditions from a click", () => {
    const one = withCondition(query("a=1"), { key: "a", operator: "=", value: "2" });
    expect(formatQuery(one)).toBe("a=2");
    const two = withCondition(query("a!=1"), { key: "a", operator: "!=", value: "2" });
    expect(formatQuery(two)).toBe("a!=1 a!=2");
  });
});

describe("completion", () => {
  it("offers keys, then values", () => {
    expect(completionAt("market.sy", 9)).toEqual({
      kind: "key",
      key: "",
      prefix: "market.sy",
      from: 0,
    });
    expect(completionAt("a=1 broker.venue=si", 19)).toEqual({
      kind: "value",
      key: "broker.venue",
      prefix: "si",
      from: 17,
    });
    expect(completionAt('a=1 name="POST /pa', 18)).toEqual({
      kind: "value",
      key: "name",
      prefix: "POST /pa",
      from: 9,
    });
    expect(completionAt("a=1 ", 4)).toEqual({ kind: "key", key: "", prefix: "", from: 4 });
  });
});
