// Traces and spans as one kind of line, so that scatter and list need not know which they show.

import { isErrorStatus, type SearchAnswer } from "../api";
import { quantile } from "../model/columns";
import type { Sort } from "./useSearch";

export interface Hit {
  key: string;
  traceId: string;
  spanId: string;
  service: string;
  name: string;
  startNs: bigint;
  startMs: number;
  durationNs: number;
  failed: boolean;
  spanCount: number;
  errorCount: number;
  services: { name: string; spans: number; errors: number }[];
}

export function toHits(answer: SearchAnswer | undefined): Hit[] {
  const line = (startNs: string, durationNs: string) => ({
    startNs: BigInt(startNs),
    startMs: Number(BigInt(startNs) / 1000n) / 1000,
    durationNs: Number(durationNs),
  });
  if (answer?.spans)
    return answer.spans.map((s) => ({
      key: s.traceId + s.spanId,
      traceId: s.traceId,
      spanId: s.spanId,
      service: s.service,
      name: s.name,
      ...line(s.startNs, s.durationNs),
      failed: isErrorStatus(s.status),
      spanCount: 1,
      errorCount: isErrorStatus(s.status) ? 1 : 0,
      services: [],
    }));
  return (answer?.traces ?? []).map((t) => ({
    key: t.traceId,
    traceId: t.traceId,
    spanId: "",
    service: t.rootService,
    name: t.rootName,
    ...line(t.startNs, t.durationNs),
    failed: t.errorCount > 0,
    spanCount: t.spanCount,
    errorCount: t.errorCount,
    services: t.services,
  }));
}

export function sortHits(hits: Hit[], sort: Sort): Hit[] {
  const newest = (a: Hit, b: Hit) => (a.startNs === b.startNs ? 0 : a.startNs < b.startNs ? 1 : -1);
  if (sort === "slowest")
    return [...hits].sort((a, b) => b.durationNs - a.durationNs || newest(a, b));
  if (sort === "errors")
    return [...hits].sort((a, b) => b.errorCount - a.errorCount || newest(a, b));
  return [...hits].sort(newest);
}

export function durationFacts(hits: Hit[]): { p50: number; p99: number; max: number } {
  const sorted = hits.map((hit) => hit.durationNs).sort((a, b) => a - b);
  return {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    max: sorted.length > 0 ? sorted[sorted.length - 1] : 0,
  };
}
