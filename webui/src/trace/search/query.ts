// The query line and the form are two views of one query. The line is what the URL holds:
//   service=alphaswarm-api name="POST /paper/start" duration>2ms status=error market.symbol=AAPL.SIM
// Conditions stand side by side and must all hold. `service`, `name`, `duration` and `status` speak of
// the span itself; any other key is an attribute.
import { parseDuration, toGoDuration } from "../../shared/format";

export interface Condition {
  key: string;
  operator: "=" | "!=";
  value: string;
}

export interface Query {
  service?: string;
  name?: string;
  minDurationNs?: number;
  maxDurationNs?: number;
  failedOnly?: boolean;
  attributes: Condition[];
}

export type Parsed = { query: Query } | { problem: string };

interface Token {
  key: string;
  operator: string;
  value: string;
}

const kToken =
  /\s*(?:(?<key>[^\s=!<>"]+)\s*(?<operator>!=|>=|<=|=|>|<)\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[^\s"]+)))/y;

function tokens(text: string): Token[] | { problem: string } {
  const result: Token[] = [];
  kToken.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== "") {
    kToken.lastIndex = at;
    const match = kToken.exec(text);
    if (!match?.groups)
      return {
        problem: `“${text.slice(at).trim()}” is not a condition: write key=value, as in market.symbol=AAPL.SIM, and put a value with blanks in quotes.`,
      };
    const { key, operator, quoted, bare } = match.groups;
    result.push({
      key,
      operator,
      value: quoted === undefined ? bare : quoted.replace(/\\(.)/g, "$1"),
    });
    at = kToken.lastIndex;
  }
  return result;
}

function applyDuration(query: Query, { operator, value }: Token): string | undefined {
  const ns = parseDuration(value);
  if (ns === undefined)
    return `“${value}” is not a duration: write a number and a unit, as in 1.5ms, 250us or 2s.`;
  if (operator === ">" || operator === ">=") query.minDurationNs = ns;
  else if (operator === "<" || operator === "<=") query.maxDurationNs = ns;
  else return "A duration is compared with > or <, as in duration>2ms.";
  return undefined;
}

export function parseQuery(text: string): Parsed {
  const list = tokens(text);
  if ("problem" in list) return list;
  const query: Query = { attributes: [] };
  for (const token of list) {
    const { key, operator, value } = token;
    if (key === "duration") {
      const problem = applyDuration(query, token);
      if (problem) return { problem };
    } else if (operator !== "=" && operator !== "!=") {
      return {
        problem: `“${key}${operator}${value}”: only duration can be compared with ${operator}; use = or != for ${key}.`,
      };
    } else if (key === "service" && operator === "=") query.service = value;
    else if (key === "name" && operator === "=") query.name = value;
    else if (key === "service" || key === "name")
      return { problem: `“${key}” can only be compared with =.` };
    else if (key === "status") {
      if (value !== "error" || operator !== "=")
        return { problem: "“status” can only be asked as status=error." };
      query.failedOnly = true;
    } else query.attributes.push({ key, operator, value });
  }
  if (
    query.minDurationNs !== undefined &&
    query.maxDurationNs !== undefined &&
    query.minDurationNs > query.maxDurationNs
  )
    return {
      problem: `No span lasts more than ${toGoDuration(query.minDurationNs)} and less than ${toGoDuration(query.maxDurationNs)}.`,
    };
  return { query };
}

function quote(value: string): string {
  return value === "" || /[\s"\\=<>!]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
}

export function formatQuery(query: Query): string {
  const parts: string[] = [];
  if (query.service) parts.push(`service=${quote(query.service)}`);
  if (query.name) parts.push(`name=${quote(query.name)}`);
  if (query.minDurationNs !== undefined)
    parts.push(`duration>${toGoDuration(query.minDurationNs)}`);
  if (query.maxDurationNs !== undefined)
    parts.push(`duration<${toGoDuration(query.maxDurationNs)}`);
  if (query.failedOnly) parts.push("status=error");
  for (const { key, operator, value } of query.attributes)
    parts.push(`${key}${operator}${quote(value)}`);
  return parts.join(" ");
}

/** The parameters of the search API. */
export function toParameters(query: Query): Record<string, string | undefined> {
  const conditions = query.attributes.map(
    ({ key, operator, value }) => `${key}${operator}${quote(value)}`,
  );
  if (query.failedOnly) conditions.push("error=true");
  return {
    service: query.service,
    operation: query.name,
    minDuration: query.minDurationNs === undefined ? undefined : toGoDuration(query.minDurationNs),
    maxDuration: query.maxDurationNs === undefined ? undefined : toGoDuration(query.maxDurationNs),
    q: conditions.length > 0 ? conditions.join(" ") : undefined,
  };
}

/** Adds a condition, or replaces the one with the same key and operator where only one can hold. */
export function withCondition(query: Query, condition: Condition): Query {
  const rest = query.attributes.filter(
    (c) => c.key !== condition.key || (c.operator === "!=" && c.value !== condition.value),
  );
  return { ...query, attributes: [...rest, condition] };
}

/** What completion should offer at the caret: keys, operators are typed, or the values of one key. */
export function completionAt(
  text: string,
  caret: number,
): { kind: "key" | "value"; key: string; prefix: string; from: number } {
  const before = text.slice(0, caret);
  const value = /(?:^|\s)([^\s=!<>"]+)(?:!=|=)("[^"]*|[^\s"]*)$/.exec(before);
  if (value) {
    const raw = value[2];
    return {
      kind: "value",
      key: value[1],
      prefix: raw.startsWith('"') ? raw.slice(1) : raw,
      from: caret - raw.length,
    };
  }
  const key = /[^\s=!<>"]*$/.exec(before)![0];
  return { kind: "key", key: "", prefix: key, from: caret - key.length };
}

export function completedValue(value: string): string {
  return quote(value);
}
