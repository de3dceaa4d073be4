// Attributes by what they speak of. A key belongs to the first group whose prefix it has.
import type { AttributeDetail } from "../api";

export interface AttributeGroup {
  title: string;
  attributes: AttributeDetail[];
}

const groups: [title: string, prefixes: string[]][] = [
  ["Order", ["order.", "fill."]],
  ["Market", ["market.", "paper.", "strategy."]],
  ["Risk", ["risk.", "kill_switch."]],
  ["Broker", ["broker.", "retry."]],
  ["HTTP", ["http.", "url.", "server.", "client.", "network.", "user_agent."]],
  ["SQL", ["db."]],
  ["Task", ["celery.", "messaging."]],
  ["Session", ["alphaswarm."]],
  ["Backtest", ["backtest."]],
  ["Ingestion", ["ingest."]],
  ["Error", ["error.", "exception."]],
];

export function groupAttributes(attributes: AttributeDetail[]): AttributeGroup[] {
  const redis = attributes.some((a) => a.key === "db.system.name" && a.value === "redis");
  const byTitle = new Map<string, AttributeDetail[]>(groups.map(([title]) => [title, []]));
  byTitle.set("Others", []);
  for (const attribute of attributes) {
    const group = groups.find(([, prefixes]) =>
      prefixes.some((prefix) => attribute.key.startsWith(prefix)),
    );
    byTitle.get(group?.[0] ?? "Others")!.push(attribute);
  }
  const result: AttributeGroup[] = [];
  for (const [title, list] of byTitle)
    if (list.length > 0)
      result.push({ title: title === "SQL" && redis ? "Redis" : title, attributes: list });
  return result;
}

/** As text: strings plainly, all else as JSON. */
export function attributeText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? "[ ]" : value.map(attributeText).join(", ");
  return JSON.stringify(value) ?? "";
}

export function toList(
  values: Record<string, unknown> | AttributeDetail[] | undefined,
): AttributeDetail[] {
  if (!values) return [];
  return Array.isArray(values)
    ? values
    : Object.entries(values).map(([key, value]) => ({ key, type: typeof value, value }));
}
