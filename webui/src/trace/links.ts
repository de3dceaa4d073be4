// Addresses inside the trace UI, and of the dashboard beside it.
import { type Condition, formatQuery, type Query } from "./search/query";

export function searchUrl(query: Query, extra: Record<string, string> = {}): string {
  const parameters = new URLSearchParams({ q: formatQuery(query), ...extra });
  return `/search?${parameters}`;
}

export function conditionUrl(condition: Condition): string {
  return searchUrl({ attributes: [condition] });
}

export function traceUrl(traceId: string, spanId?: string): string {
  return `/trace/${traceId}${spanId ? `?span=${spanId}` : ""}`;
}

/** The dashboard is served by the API, whose port keeps its distance to ours under every port offset. */
export function dashboardUrl(view: string): string {
  const kQueryPort = 16686;
  const kApiPort = 8000;
  const port =
    Number(location.port || (location.protocol === "https:" ? 443 : 80)) - kQueryPort + kApiPort;
  return port > 0 ? `${location.protocol}//${location.hostname}:${port}/dash${view}` : "";
}
