// The trace page around its views: head, mini-map, insight, tools, and the panel beside.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { serviceColor, shortService } from "../../shared/color";
import {
  formatCount,
  formatDuration,
  formatInstant,
  formatPercent,
  plural,
  shortId,
} from "../../shared/format";
import { useTheme } from "../../shared/theme";
import { CopyButton, Link, Segmented } from "../../shared/ui";
import { api } from "../api";
import { searchUrl } from "../links";
import { findSpan, kStatusError, spanId, type TraceColumns } from "../model/columns";
import { criticalPath } from "../model/critical";
import {
  buildRows,
  changeFold,
  emptyTree,
  keepWithAncestors,
  kFoldPage,
  type Row,
  reveal,
  setOpen,
  type TreeState,
  toggleFold,
} from "../model/rows";
import { FlameView } from "./FlameView";
import { useTraceKeys } from "./keys";
import { MiniMap } from "./MiniMap";
import { FoldPanel, SpanPanel, TracePanel } from "./SidePanel";
import { change, clampRange, type Show, useTraceState, type View } from "./state";
import { TableView } from "./TableView";
import { Waterfall, type WaterfallActions } from "./Waterfall";

function rootOf(columns: TraceColumns): number {
  return columns.children[columns.childOffset[columns.count]];
}

function Head({ columns, refresh }: { columns: TraceColumns; refresh: () => void }) {
  const theme = useTheme();
  const root = rootOf(columns);
  const running = columns.openSpans > 0 || columns.orphans > 0 || !columns.complete;
  const state = columns.errorCount > 0 ? "with errors" : "completed";
  return (
    <div className="trace-head">
      <div className="trace-title">
        <h1>{columns.names[columns.name[root]]}</h1>
        <span className="chip">
          <span
            className="swatch"
            style={{
              background: running
                ? "var(--warning)"
                : columns.errorCount > 0
                  ? "var(--error)"
                  : "var(--good)",
            }}
          />
          {running ? "still open" : state}
        </span>
        <span className="chip mono">
          {shortId(columns.traceId, 12, 4)}
          <CopyButton text={columns.traceId} />
        </span>
        <span className="grow" />
        {running && (
          <button type="button" className="button" onClick={refresh}>
            Load what came since
          </button>
        )}
        <PinButton traceId={columns.traceId} />
        <a
          className="button wide-only"
          href={`/api/v3/traces/${columns.traceId}`}
          download={`trace-${columns.traceId}.json`}
        >
          Export
        </a>
      </div>
      <div className="trace-facts">
        <span>
          <b>{formatDuration(columns.durationNs)}</b> total
        </span>
        <span>
          <b>{formatCount(columns.count)}</b> {columns.count === 1 ? "span" : "spans"}
        </span>
        <span>
          <b>{columns.services.length}</b> {columns.services.length === 1 ? "service" : "services"}
        </span>
        {columns.errorCount > 0 && (
          <span className="is-error">
            <b>{formatCount(columns.errorCount)}</b> {columns.errorCount === 1 ? "error" : "errors"}
          </span>
        )}
        <b>{formatInstant(BigInt(columns.startNs))}</b>
        <span className="grow" />
        {columns.services.map((name, i) => (
          <Link
            key={name}
            className="chip"
            href={searchUrl({ service: name, attributes: [] })}
            title={name}
          >
            <span className="swatch" style={{ background: serviceColor(name, theme) }} />
            {shortService(name)} {formatCount(columns.servicesSpans[i])}
          </Link>
        ))}
      </div>
    </div>
  );
}

/** Pinned traces stay when the store has to let others go. */
function PinButton({ traceId }: { traceId: string }) {
  const pin = useMutation({ mutationFn: () => api.pin(traceId) });
  return (
    <button
      type="button"
      className="button wide-only"
      disabled={pin.isPending || pin.isSuccess}
      title={pin.error?.message ?? "Keep this trace when the store is full"}
      onClick={() => pin.mutate()}
    >
      {pin.isSuccess ? "Pinned" : pin.error ? "Not pinned, try again" : "Pin"}
    </button>
  );
}

function Partial({ columns }: { columns: TraceColumns }) {
  const parts: string[] = [];
  if (columns.orphans > 0)
    parts.push(
      `${plural(columns.orphans, "span stands", "spans stand")} at the top level because ${columns.orphans === 1 ? "its" : "their"} parent has not arrived: it is still open, on its way, or was dropped`,
    );
  if (columns.openSpans > 0)
    parts.push(
      `${plural(columns.openSpans, "span was", "spans were")} still open when last heard of`,
    );
  if (!columns.complete && parts.length === 0)
    parts.push("some spans may still be on their way, or were dropped on it");
  if (parts.length === 0) return null;
  return (
    <div className="banner" role="status">
      <span className="mark">Partial</span> {parts.join("; ")}.
    </div>
  );
}

function InsightLine({
  columns,
  onShow,
}: {
  columns: TraceColumns;
  onShow: (span: number) => void;
}) {
  const { insight } = columns;
  if (!insight) return null;
  const { span } = insight;
  const own = columns.labels[columns.label[span]];
  let bar = columns.parent[span];
  while (bar >= 0 && !columns.labels[columns.label[bar]].startsWith("bar "))
    bar = columns.parent[bar];
  const waits = insight.selfShare > 0.3;
  return (
    <div className="insight">
      <b>Slowest part:</b> <span className="mono">{columns.names[columns.name[span]]}</span>
      {own !== "" && ` ${own}`}
      {bar >= 0 && ` at ${columns.labels[columns.label[bar]]}`} took{" "}
      <b>{formatDuration(columns.duration[span])}</b>, {formatCount(insight.ratio)} × its usual{" "}
      {formatDuration(insight.medianNs)} (median of {formatCount(insight.likeCount)} here).
      {insight.failedBelow > 0 && ` ${plural(insight.failedBelow, "span")} in it failed.`}
      {waits &&
        ` ${formatDuration(columns.self[span])} of it, ${formatPercent(insight.selfShare, 0)}, is spent in nothing below it: waiting.`}{" "}
      <button type="button" className="text-button" onClick={() => onShow(span)}>
        Show it
      </button>
    </div>
  );
}

/** Spans that match what is looked for: names at once, attributes as soon as the server has answered. */
function useFind(
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

const views: [View, string][] = [
  ["waterfall", "Waterfall"],
  ["flame", "Flame"],
  ["critical", "Critical path"],
  ["table", "Table"],
];

export function TraceView({ columns, refresh }: { columns: TraceColumns; refresh: () => void }) {
  const state = useTraceState();
  const selected = useMemo(
    () => (state.spanId ? findSpan(columns, state.spanId) : -1),
    [columns, state.spanId],
  );
  const [tree, setTree] = useState<TreeState>(() => {
    let first = emptyTree;
    if (columns.insight) first = reveal(columns, first, columns.insight.span);
    return selected >= 0 ? reveal(columns, first, selected) : first;
  });
  const [cursor, setCursor] = useState(selected >= 0 ? `s${selected}` : "");
  const [scrollRequest, setScrollRequest] = useState(selected >= 0 ? 1 : 0);
  const [panelOpen, setPanelOpen] = useState(selected >= 0);
  // The first frame with the trace in it, for those who measure.
  useEffect(() => {
    requestAnimationFrame(() =>
      requestAnimationFrame(() => performance.mark("trace-painted", { detail: columns.count })),
    );
  }, [columns]);
  const findBox = useRef<HTMLInputElement>(null);
  const path = useMemo(
    () => (state.view === "critical" ? criticalPath(columns) : null),
    [columns, state.view],
  );
  const keep = useMemo(() => {
    if (path) return keepWithAncestors(columns, (span) => path.onPath[span] === 1);
    if (state.show === "errors")
      return keepWithAncestors(columns, (span) => columns.status[span] === kStatusError);
    if (state.show === "long")
      return keepWithAncestors(
        columns,
        (span) => columns.duration[span] >= columns.durationNs / 100,
      );
    return null;
  }, [columns, state.show, path]);
  const rows = useMemo(
    () => buildRows(columns, { ...tree, folding: state.folding }, keep),
    [columns, tree, keep, state.folding],
  );
  const find = useFind(columns, state.find);

  const goTo = useCallback(
    (span: number) => {
      setTree((old) => reveal(columns, old, span));
      setCursor(`s${span}`);
      setPanelOpen(true);
      setScrollRequest((n) => n + 1);
      change.span(spanId(columns, span));
    },
    [columns],
  );
  const selectRow = useCallback(
    (row: Row) => {
      setCursor(row.key);
      setScrollRequest((n) => n + 1);
      if (row.kind === "span") change.span(spanId(columns, row.span));
      else change.span(undefined);
    },
    [columns],
  );
  // Back and forward move the selection as well.
  useEffect(() => {
    if (selected < 0) {
      setCursor((old) => (old.startsWith("s") ? "" : old));
      return;
    }
    setTree((old) => reveal(columns, old, selected));
    setCursor((old) => (old === `s${selected}` ? old : `s${selected}`));
  }, [selected, columns]);

  const actions: WaterfallActions = useMemo(
    () => ({
      select: (row) => {
        selectRow(row);
        setPanelOpen(true);
      },
      toggle: (row) =>
        setTree((old) =>
          row.kind === "fold"
            ? toggleFold(old, row.first)
            : row.kind === "span"
              ? setOpen(old, row.span, !row.open)
              : old,
        ),
      more: (first) =>
        setTree((old) =>
          changeFold(old, first, { shown: (old.folds.get(first)?.shown ?? 0) + kFoldPage }),
        ),
      order: (first, order) => setTree((old) => changeFold(old, first, { order })),
      pin: goTo,
    }),
    [selectRow, goTo],
  );

  const stepFind = (by: 1 | -1) => {
    if (find.list.length === 0) return;
    const at = find.list.indexOf(selected);
    const next =
      at >= 0
        ? at + by
        : by > 0
          ? find.list.findIndex((span) => span > selected)
          : find.list.length - 1;
    goTo(find.list[(Math.max(0, next) + (next < 0 ? find.list.length - 1 : 0)) % find.list.length]);
  };
  const zoomTo = (span: number) => {
    const pad = Math.max(50, columns.duration[span] * 0.05);
    change.range(
      clampRange(
        columns,
        columns.start[span] - pad,
        columns.start[span] + columns.duration[span] + pad,
      ),
    );
  };
  const closePanel = () => {
    setPanelOpen(false);
    setCursor("");
    change.span(undefined);
  };
  useTraceKeys({
    columns,
    rows,
    cursor,
    selected,
    state,
    tree,
    setTree,
    selectRow,
    goTo,
    zoomTo,
    closePanel,
    findBox,
  });

  const fold = rows.find(
    (row): row is Extract<Row, { kind: "fold" }> => row.kind === "fold" && row.key === cursor,
  );
  const foundAt = find.list.indexOf(selected);
  return (
    <div className="trace-page">
      <div className="trace-top">
        <Head columns={columns} refresh={refresh} />
        <Partial columns={columns} />
      </div>
      <div className="trace-main">
        <MiniMap columns={columns} range={state.range} />
        <InsightLine columns={columns} onShow={goTo} />
        <div className="trace-tools">
          <div className="find">
            <input
              ref={findBox}
              className="field"
              type="search"
              placeholder="Find in trace: name, key = value…"
              aria-label="Find in trace"
              value={state.find}
              onChange={(event) => change.find(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter") stepFind(event.shiftKey ? -1 : 1);
              }}
            />
            {state.find === "" ? (
              <kbd>/</kbd>
            ) : (
              <span className="find-count" role="status" title={find.problem}>
                {find.list.length === 0
                  ? "none"
                  : `${foundAt >= 0 ? `${formatCount(foundAt + 1)} of ` : ""}${formatCount(find.list.length)}`}
              </span>
            )}
          </div>
          <Segmented label="View" value={state.view} options={views} onChange={change.view} />
          <span className="grow" />
          {state.range && (
            <button type="button" className="button" onClick={() => change.range(null)}>
              {formatDuration(state.range.to - state.range.from)} shown · all
            </button>
          )}
          {(state.view === "waterfall" || state.view === "critical") && (
            <button
              type="button"
              className="chip"
              aria-pressed={state.folding}
              onClick={() => change.folding(!state.folding)}
            >
              {state.folding ? "Siblings folded" : "Every sibling"}
            </button>
          )}
          {state.view === "waterfall" && (
            <Segmented<Show>
              label="Show"
              value={state.show}
              options={[
                ["all", "All"],
                ["errors", `Errors ${formatCount(columns.errorCount)}`],
                ["long", "> 1 % of time"],
              ]}
              onChange={change.show}
            />
          )}
        </div>
        {state.view === "flame" ? (
          <FlameView
            columns={columns}
            onOpen={(span) => {
              change.view("waterfall");
              goTo(span);
            }}
          />
        ) : state.view === "table" ? (
          <TableView
            columns={columns}
            onSelect={(span) => {
              change.view("waterfall");
              goTo(span);
            }}
          />
        ) : rows.length === 0 ? (
          <div className="nothing muted">
            {state.show === "errors"
              ? "No span of this trace failed."
              : "No span takes more than 1 % of the trace."}{" "}
            <button type="button" className="text-button" onClick={() => change.show("all")}>
              Show all spans
            </button>
          </div>
        ) : (
          <Waterfall
            columns={columns}
            rows={rows}
            cursor={cursor}
            range={state.range}
            matches={find.matches}
            path={path}
            actions={actions}
            scrollRequest={scrollRequest}
          />
        )}
      </div>
      <aside
        className={`side-panel${panelOpen && (selected >= 0 || fold) ? " is-open" : ""}`}
        aria-label="Details"
      >
        <button
          type="button"
          className="button is-bare panel-close"
          onClick={closePanel}
          aria-label="Close the details"
        >
          close
        </button>
        <div
          className="panel-scroller"
          tabIndex={0}
          role="region"
          aria-label="Details of the selection"
        >
          {fold ? (
            <FoldPanel columns={columns} members={fold.members} onSelect={goTo} />
          ) : selected >= 0 ? (
            <SpanPanel columns={columns} span={selected} onZoom={() => zoomTo(selected)} />
          ) : (
            <TracePanel columns={columns} onSelect={goTo} />
          )}
        </div>
      </aside>
    </div>
  );
}
