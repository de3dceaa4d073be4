// The search page's state, all of it in the URL: q, mode, range (or start and end), sort.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { RequestError } from "../../shared/http";
import { setParameters, useLocation } from "../../shared/router";
import { api, type SearchAnswer } from "../api";
import { formatQuery, type Parsed, parseQuery, type Query, toParameters } from "./query";

export type Mode = "traces" | "spans";
export type Sort = "newest" | "slowest" | "errors";

export const kRanges = {
  "": "Any time",
  "5m": "Last 5 minutes",
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "6h": "Last 6 hours",
  "24h": "Last day",
} as const;
const rangeMs: Record<string, number> = {
  "5m": 3e5,
  "15m": 9e5,
  "1h": 36e5,
  "6h": 216e5,
  "24h": 864e5,
};
const kTraceLimit = 200;
const kSpanLimit = 1000;

export interface SearchState {
  text: string;
  parsed: Parsed;
  mode: Mode;
  sort: Sort;
  range: string;
  /** Unix nanoseconds, as text; both or none. */
  start: string;
  end: string;
}

export function useSearchState(): SearchState {
  const { parameters } = useLocation();
  const text = parameters.get("q") ?? "";
  const sort = parameters.get("sort");
  const [start, end] = [parameters.get("start") ?? "", parameters.get("end") ?? ""];
  const both = /^\d+$/.test(start) && /^\d+$/.test(end);
  return {
    text,
    parsed: useMemo(() => parseQuery(text), [text]),
    mode: parameters.get("mode") === "spans" ? "spans" : "traces",
    sort: sort === "slowest" || sort === "errors" ? sort : "newest",
    range: parameters.get("range") ?? "",
    start: both ? start : "",
    end: both ? end : "",
  };
}

export const changeSearch = {
  text: (q: string) => setParameters({ q }),
  query: (query: Query) => setParameters({ q: formatQuery(query) }),
  mode: (mode: Mode) => setParameters({ mode: mode === "traces" ? undefined : mode }),
  sort: (sort: Sort) => setParameters({ sort: sort === "newest" ? undefined : sort }),
  range: (range: string) => setParameters({ range, start: undefined, end: undefined }),
  box: (query: Query, start: bigint, end: bigint) =>
    setParameters({
      q: formatQuery(query),
      range: undefined,
      start: String(start),
      end: String(end),
    }),
};

export function limitOf(mode: Mode): number {
  return mode === "spans" ? kSpanLimit : kTraceLimit;
}

/** The request for a query; a range that moves with the clock is fixed at the moment of asking. */
export function runSearch(
  query: Query,
  state: Pick<SearchState, "mode" | "range" | "start" | "end">,
  limit: number,
  signal?: AbortSignal,
): Promise<SearchAnswer> {
  const moving = rangeMs[state.range];
  const start = state.start || (moving ? `${Date.now() - moving}000000` : undefined);
  return api.search(
    { ...toParameters(query), start, end: state.end || undefined, mode: state.mode, limit },
    signal,
  );
}

export function useSearch(state: SearchState, live: boolean) {
  const query = "query" in state.parsed ? state.parsed.query : null;
  return useQuery({
    queryKey: [
      "search",
      query && formatQuery(query),
      state.mode,
      state.range,
      state.start,
      state.end,
    ],
    queryFn: ({ signal }) => runSearch(query!, state, limitOf(state.mode), signal),
    enabled: query !== null,
    placeholderData: keepPreviousData,
    retry: false,
    refetchInterval: (q) =>
      q.state.error instanceof RequestError && q.state.error.gone ? 3000 : live ? 2000 : false,
  });
}
