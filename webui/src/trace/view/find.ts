// Finding inside a trace.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api } from "../api";
import { findSpan, type TraceColumns } from "../model/columns";

/** Spans that match what is looked for: names at once, attributes as soon as the server has answered. */
export function useFind(
  columns: TraceColumns,
  text: string,
): { matches: Uint8Array | null; list: number[]; problem: string } {
  const wanted = text.trim().toLowerCase();
  const [settled, setSettled] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(wanted), 250);
    return () => clearTimeout(timer);
  }, [wanted]);
  const { data, error } = useQuery({
    queryKey: ["find", columns.traceId, settled],
    queryFn: ({ signal }) => api.find(columns.traceId, settled, signal),
    enabled: settled !== "",
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  return useMemo(() => {
    if (wanted === "") return { matches: null, list: [], problem: "" };
    const matches = new Uint8Array(columns.count);
    const nameHit = columns.names.map((name) => name.toLowerCase().includes(wanted));
    const labelHit = columns.labels.map(
      (label) => label !== "" && label.toLowerCase().includes(wanted),
    );
    for (let span = 0; span < columns.count; span++)
      if (nameHit[columns.name[span]] || labelHit[columns.label[span]]) matches[span] = 1;
    if (settled === wanted && data)
      for (const span of data.spanIds) if (span >= 0 && span < columns.count) matches[span] = 1;
    const byId = findSpan(columns, wanted);
    if (byId >= 0) matches[byId] = 1;
    const list: number[] = [];
    for (let span = 0; span < columns.count; span++) if (matches[span]) list.push(span);
    return { matches, list, problem: error ? "only names are searched: the server is away" : "" };
  }, [columns, wanted, settled, data, error]);
}
