// What the address of a trace page says: /trace/{id}?span=&view=&from=&to=&q=&show=&fold=
import { setParameters, useLocation } from "../../shared/router";
import type { TraceColumns } from "../model/columns";

export type View = "waterfall" | "flame" | "critical" | "table";
export type Show = "all" | "errors" | "long";

export interface Range {
  from: number;
  to: number;
}

export interface TraceState {
  spanId: string;
  view: View;
  show: Show;
  find: string;
  folding: boolean;
  /** Nanoseconds since the trace's start; null: all of it. */
  range: Range | null;
}

function oneOf<T extends string>(value: string | null, options: readonly T[]): T {
  return options.find((option) => option === value) ?? options[0];
}

export function useTraceState(): TraceState {
  const { parameters } = useLocation();
  const from = Number(parameters.get("from") ?? Number.NaN);
  const to = Number(parameters.get("to") ?? Number.NaN);
  return {
    spanId: parameters.get("span") ?? "",
    view: oneOf(parameters.get("view"), ["waterfall", "flame", "critical", "table"] as const),
    show: oneOf(parameters.get("show"), ["all", "errors", "long"] as const),
    find: parameters.get("q") ?? "",
    folding: parameters.get("fold") !== "0",
    range: from >= 0 && to > from ? { from, to } : null,
  };
}

export const change = {
  span: (spanId: string | undefined) => setParameters({ span: spanId }, { kind: "span" }),
  view: (view: View) => setParameters({ view: view === "waterfall" ? undefined : view }),
  show: (show: Show) => setParameters({ show: show === "all" ? undefined : show }),
  find: (q: string) => setParameters({ q }, { kind: "find" }),
  folding: (on: boolean) => setParameters({ fold: on ? undefined : "0" }),
  range: (range: Range | null, kind?: string) =>
    setParameters(
      {
        from: range ? String(Math.round(range.from)) : undefined,
        to: range ? String(Math.round(range.to)) : undefined,
      },
      { kind },
    ),
};

const kMinimumRangeNs = 100;

/** A range inside the trace, never narrower than can be told apart; null where it is all of it. */
export function clampRange(columns: TraceColumns, from: number, to: number): Range | null {
  const width = Math.min(Math.max(to - from, kMinimumRangeNs), columns.durationNs);
  const begin = Math.max(0, Math.min(from, columns.durationNs - width));
  if (width >= columns.durationNs) return null;
  return { from: begin, to: begin + width };
}
