// The trace page around its views: head, mini-map, insight, tools, and the panel beside.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { formatCount, formatDuration } from "../../shared/format";
import { Segmented } from "../../shared/ui";
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
import { useFind } from "./find";
import { useTraceKeys } from "./keys";
import { MiniMap } from "./MiniMap";
import { SpanPanel } from "./SpanPanel";
import { change, clampRange, type Show, useTraceState, type View } from "./state";
import { TableView } from "./TableView";
import { Head, InsightLine, Partial } from "./TraceHead";
import { FoldPanel, TracePanel } from "./TracePanel";
import { Waterfall, type WaterfallActions } from "./Waterfall";

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
