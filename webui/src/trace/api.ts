// The query server's own API, under /api/alphaswarm/v1. 64-bit times are decimal strings.
import { type RequestOptions, requestJson } from "../shared/http";

const kBase = "/api/alphaswarm/v1";

export interface OperationSummary {
  name: string;
  kind: string | number;
  spans: number;
  errors: number;
}
export interface ServiceSummary {
  name: string;
  spans: number;
  errors: number;
  operations: OperationSummary[];
}
export interface TraceSummary {
  traceId: string;
  rootService: string;
  rootName: string;
  startNs: string;
  durationNs: string;
  spanCount: number;
  errorCount: number;
  services: { name: string; spans: number; errors: number }[];
  matched: number;
}
export interface SpanSummary {
  traceId: string;
  spanId: string;
  service: string;
  name: string;
  startNs: string;
  durationNs: string;
  status: number | string;
  kind: number | string;
}
export interface SearchAnswer {
  traces?: TraceSummary[];
  spans?: SpanSummary[];
  complete: boolean;
  /** More match than the limit let through. */
  more?: boolean;
  elapsedNs: string;
  scannedSpans: number;
}
export interface AttributeDetail {
  key: string;
  type: string;
  value: unknown;
}
export interface SpanDetail {
  spanId: string;
  parentSpanId: string;
  service: string;
  resource: Record<string, unknown> | AttributeDetail[];
  scope: { name?: string; version?: string } & Record<string, unknown>;
  name: string;
  kind: number | string;
  status: { code: number | string; message?: string };
  startNs: string;
  durationNs: string;
  traceState?: string;
  attributes: AttributeDetail[];
  events: { name: string; timeNs: string; attributes: AttributeDetail[] }[];
  links: { traceId: string; spanId: string; attributes?: AttributeDetail[] }[];
  dropped?: { attributes?: number; events?: number; links?: number };
}
export interface OperationStats {
  count: number;
  percentile: number;
  buckets: { lowNs: number | string; highNs: number | string; count: number }[];
}

/** The columns of one trace as sent: sorted by start time, parents as indices, -1 for none. */
export interface TraceWire {
  traceId: string;
  startNs: string;
  durationNs: string;
  services: string[];
  names: string[];
  spans: {
    id: string[];
    parent: number[];
    service: number[];
    name: number[];
    kind: number[];
    status: number[];
    start: number[];
    duration: number[];
    label: string[];
    events: number[];
  };
  orphans: number;
  openSpans: number;
  complete: boolean;
}

function query(parameters: Record<string, string | number | undefined>): string {
  const result = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters))
    if (value !== undefined && value !== "") result.set(key, String(value));
  const text = result.toString();
  return text === "" ? "" : `?${text}`;
}

export function tracePath(traceId: string): string {
  return `${kBase}/traces/${encodeURIComponent(traceId)}`;
}

const get = <T>(path: string, options?: RequestOptions) => requestJson<T>(kBase + path, options);

export const api = {
  services: (signal?: AbortSignal) => get<{ services: ServiceSummary[] }>("/services", { signal }),
  search: (parameters: Record<string, string | number | undefined>, signal?: AbortSignal) =>
    get<SearchAnswer>(`/search${query(parameters)}`, { signal }),
  attributeKeys: (prefix: string, signal?: AbortSignal) =>
    get<{ keys: { key: string; count: number }[] }>(`/attributes/keys${query({ prefix })}`, {
      signal,
    }),
  attributeValues: (key: string, prefix: string, signal?: AbortSignal) =>
    get<{ values: { value: string; count: number }[] }>(
      `/attributes/values${query({ key, prefix })}`,
      { signal },
    ),
  span: (traceId: string, spanId: string, signal?: AbortSignal) =>
    requestJson<SpanDetail>(`${tracePath(traceId)}/spans/${spanId}`, { signal }),
  find: (traceId: string, text: string, signal?: AbortSignal) =>
    requestJson<{ spanIds: number[] }>(`${tracePath(traceId)}/search${query({ q: text })}`, {
      signal,
    }),
  pin: (traceId: string) =>
    requestJson<unknown>(`/api/archive/${encodeURIComponent(traceId)}`, { method: "POST" }),
  stats: (service: string, operation: string, spanDurationNs?: number, signal?: AbortSignal) =>
    get<OperationStats>(`/operations/stats${query({ service, operation, spanDurationNs })}`, {
      signal,
    }),
};

const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];

export function kindName(kind: number | string): string {
  return typeof kind === "number"
    ? (kinds[kind] ?? "unspecified")
    : kind.replace(/^SPAN_KIND_/, "").toLowerCase();
}

export function isErrorStatus(status: number | string): boolean {
  return status === 2 || (typeof status === "string" && /error/i.test(status));
}
