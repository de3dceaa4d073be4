// The tree and its timeline: virtual rows of DOM on the left, one Canvas for the bars on the right. The
// Canvas is as tall as the rows that exist just now and scrolls with them, so both always agree.
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { niceStep, useCanvas, useSize } from "../../shared/canvas";
import { serviceColor, shortService } from "../../shared/color";
import { formatCount, formatDuration, formatTick } from "../../shared/format";
import { token, useTheme } from "../../shared/theme";
import { kStatusError, type TraceColumns } from "../model/columns";
import type { CriticalPath } from "../model/critical";
import type { FoldOrder, Row } from "../model/rows";
import { type Spread, spreadOf } from "../model/summary";
import { drawRows, kRowHeight, palette, timeScale } from "./draw";
import { change, clampRange, type Range } from "./state";

export interface WaterfallActions {
  select: (row: Row) => void;
  toggle: (row: Row) => void;
  more: (first: number) => void;
  order: (first: number, order: FoldOrder) => void;
  pin: (span: number) => void;
}

interface Props {
  columns: TraceColumns;
  rows: Row[];
  cursor: string;
  range: Range | null;
  matches: Uint8Array | null;
  path: CriticalPath | null;
  actions: WaterfallActions;
  /** Grows whenever the cursor's row should be brought into sight. */
  scrollRequest: number;
}

function Histogram({ spread, color }: { spread: Spread; color: string }) {
  const peak = Math.max(...spread.bins);
  return (
    <svg className="fold-histogram" width="62" height="16" aria-hidden="true">
      {Array.from(spread.bins, (count, i) => {
        const height = count === 0 ? 0 : Math.max(1, Math.sqrt(count / peak) * 15);
        return (
          <rect key={i} x={i * 3.1} y={16 - height} width="2.4" height={height} fill={color} />
        );
      })}
    </svg>
  );
}

function FoldContent({
  columns,
  row,
  matches,
  color,
}: {
  columns: TraceColumns;
  row: Extract<Row, { kind: "fold" }>;
  matches: Uint8Array | null;
  color: string;
}) {
  const spread = useMemo(() => spreadOf(columns, row.members, 20), [columns, row.members]);
  let found = 0;
  if (matches) for (const span of row.members) found += matches[span];
  return (
    <>
      <span className="span-name">{columns.names[columns.name[row.first]]}</span>
      <span className="span-label is-count">× {formatCount(row.members.length)}</span>
      {row.failed > 0 && (
        <span className="span-label is-error">{formatCount(row.failed)} failed</span>
      )}
      <Histogram spread={spread} color={color} />
      <span className="span-label">p99 {formatDuration(spread.p99)}</span>
      {found > 0 && <span className="span-label found">{formatCount(found)} found</span>}
    </>
  );
}

/** "run/alphaswarm.tasks.paper_tasks.run_paper" → "run/…run_paper": the middle of such names is always the same. */
export function displayName(name: string): string {
  return name.replace(/^(run|apply_async)\/.*\.([^.]+)$/, "$1/…$2");
}

/** What the timeline shows of a row, for those who cannot see it. */
function SpokenPart({ columns, row }: { columns: TraceColumns; row: Row }) {
  if (row.kind === "more") return null;
  const span = row.kind === "span" ? row.span : row.first;
  const service = shortService(columns.services[columns.service[span]]);
  const duration = row.kind === "span" ? `, ${formatDuration(columns.duration[span])}` : "";
  return (
    <span className="visually-hidden">
      , {service}
      {duration}
    </span>
  );
}

const RowView = memo(function RowView({
  columns,
  row,
  top,
  selected,
  matches,
  color,
  actions,
}: {
  columns: TraceColumns;
  row: Row;
  top: number;
  selected: boolean;
  matches: Uint8Array | null;
  color: string;
  actions: WaterfallActions;
}) {
  const span = row.kind === "span" ? row.span : row.first;
  const failed = row.kind === "span" && columns.status[span] === kStatusError;
  const expandable = row.kind === "fold" || (row.kind === "span" && row.expandable);
  const open = row.kind !== "more" && row.open;
  const found = row.kind === "span" && matches?.[span] === 1;
  return (
    <div
      id={`row-${row.key}`}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-expanded={expandable ? open : undefined}
      aria-selected={selected}
      className={`tree-row${selected ? " is-selected" : ""}${failed ? " is-failed" : ""}${row.kind === "fold" ? " is-fold" : ""}`}
      style={{ top, height: kRowHeight }}
      onClick={() => (row.kind === "more" ? actions.more(row.first) : actions.select(row))}
      onDoubleClick={() => expandable && actions.toggle(row)}
    >
      <div
        className="tree-cell"
        style={{ paddingLeft: `calc(12px + ${row.depth} * var(--indent))` }}
      >
        <span
          className={expandable ? "twisty" : "twisty is-leaf"}
          onClick={(event) => {
            if (!expandable) return;
            event.stopPropagation();
            actions.toggle(row);
          }}
        >
          {expandable ? (
            <svg
              width="8"
              height="8"
              viewBox="0 0 8 8"
              aria-hidden="true"
              style={{ transform: open ? "rotate(90deg)" : undefined }}
            >
              <path d="M2 0.5 6.5 4 2 7.5z" fill="currentColor" />
            </svg>
          ) : (
            <span aria-hidden="true">·</span>
          )}
        </span>
        {row.kind === "more" ? (
          <>
            <span className="more">
              Show {formatCount(Math.min(100, row.hidden))} more of {formatCount(row.hidden)}
            </span>
            <button
              type="button"
              tabIndex={-1}
              className="fold-order"
              onClick={(event) => {
                event.stopPropagation();
                actions.order(row.first, row.order === "slowest" ? "time" : "slowest");
              }}
            >
              {row.order === "slowest" ? "in order of time" : "failed and slowest first"}
            </button>
          </>
        ) : (
          <>
            <span className="service-bar" style={{ background: color }} />
            {row.kind === "fold" ? (
              <FoldContent columns={columns} row={row} matches={matches} color={color} />
            ) : (
              <>
                <span className={found ? "span-name found" : "span-name"}>
                  {displayName(columns.names[columns.name[span]])}
                </span>
                {columns.label[span] !== 0 && (
                  <span className="span-label">{columns.labels[columns.label[span]]}</span>
                )}
                {failed && columns.label[span] === 0 && (
                  <span className="span-label is-error">error</span>
                )}
              </>
            )}
          </>
        )}
        <SpokenPart columns={columns} row={row} />
      </div>
    </div>
  );
});

function TimeAxis({ range, width }: { range: Range; width: number }) {
  const step = niceStep(range.to - range.from, Math.max(2, Math.floor(width / 88)));
  const scale = timeScale(range, width);
  const ticks: number[] = [];
  for (
    let at = Math.ceil(range.from / step) * step;
    at <= range.to && ticks.length < 40;
    at += step
  )
    if (scale.x(at) < width - 46) ticks.push(at);
  return (
    <div className="time-axis">
      {ticks.map((at) => (
        <span key={at} style={{ left: scale.x(at) }}>
          {formatTick(at, step, range.to)}
        </span>
      ))}
    </div>
  );
}

export function Waterfall({
  columns,
  rows,
  cursor,
  range,
  matches,
  path,
  actions,
  scrollRequest,
}: Props) {
  const theme = useTheme();
  const scroller = useRef<HTMLDivElement>(null);
  const [timelineBox, timeline] = useSize<HTMLDivElement>();
  const shown = range ?? { from: 0, to: columns.durationNs };
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => kRowHeight,
    overscan: 12,
    initialRect: { width: 1000, height: 800 },
  });
  const items = virtualizer.getVirtualItems();
  const first = items.length > 0 ? items[0].index : 0;
  const last = items.length > 0 ? items[items.length - 1].index : -1;
  // The colours change with the theme
  const colors = useMemo(
    () => palette(columns, (name) => serviceColor(name, theme), theme === "dark"),
    [columns, theme],
  );
  const canvasHeight = (last - first + 1) * kRowHeight;
  const canvas = useCanvas(
    { width: timeline.width, height: canvasHeight },
    (context, { width, height }) => {
      const scale = timeScale(shown, width);
      const step = niceStep(shown.to - shown.from, Math.max(2, Math.floor(width / 88)));
      context.fillStyle = token("line");
      context.globalAlpha = 0.55;
      for (let at = Math.ceil(shown.from / step) * step; at <= shown.to; at += step)
        context.fillRect(Math.round(scale.x(at)), 0, 1, height);
      context.globalAlpha = 1;
      drawRows(
        context,
        columns,
        rows,
        first,
        last,
        scale,
        palette(columns, (name) => serviceColor(name, theme), theme === "dark"),
        path,
      );
    },
    [columns, rows, first, last, shown.from, shown.to, path],
  );

  // Only a request scrolls, not every change of the rows
  useLayoutEffect(() => {
    const index = rows.findIndex((row) => row.key === cursor);
    const element = scroller.current;
    if (index < 0 || !element) return;
    const top = index * kRowHeight;
    const { scrollTop, clientHeight } = element;
    if (top < scrollTop || top + kRowHeight > scrollTop + clientHeight)
      element.scrollTop = Math.max(
        0,
        top -
          (Math.abs(top - scrollTop) < clientHeight + 3 * kRowHeight
            ? top < scrollTop
              ? 0
              : clientHeight - kRowHeight
            : clientHeight / 3),
      );
  }, [scrollRequest]);

  // Ctrl and the wheel zoom around the pointer; a sideways wheel moves. React's wheel listener is passive, hence this one.
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      const box = timelineBox.current?.getBoundingClientRect();
      if (!box || event.clientX < box.left) return;
      const width = shown.to - shown.from;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const at = shown.from + ((event.clientX - box.left) / box.width) * width;
        const factor = Math.exp(event.deltaY * 0.004);
        change.range(
          clampRange(columns, at - (at - shown.from) * factor, at + (shown.to - at) * factor),
          "wheel",
        );
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && range) {
        event.preventDefault();
        const by = (event.deltaX / box.width) * width;
        change.range(clampRange(columns, shown.from + by, shown.to + by), "wheel");
      }
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  });

  // A click on the strip of a fold takes out the member under the pointer.
  const pickInFold = (event: React.MouseEvent) => {
    const box = timelineBox.current!.getBoundingClientRect();
    if (event.clientX < box.left) return;
    const index = Math.floor(
      (event.clientY -
        scroller.current!.getBoundingClientRect().top +
        scroller.current!.scrollTop) /
        kRowHeight,
    );
    const row = rows[index];
    if (row?.kind !== "fold") return;
    const perPixel = (shown.to - shown.from) / Math.max(1, box.width - 16);
    const at = shown.from + (event.clientX - box.left - 8) * perPixel;
    let best = -1;
    for (const span of row.members) {
      const from = columns.start[span] - 2 * perPixel;
      const to = columns.start[span] + columns.duration[span] + 2 * perPixel;
      if (at >= from && at <= to && (best < 0 || columns.duration[span] > columns.duration[best]))
        best = span;
    }
    if (best >= 0) {
      event.stopPropagation();
      actions.pin(best);
    }
  };

  return (
    <div className="waterfall">
      <div className="waterfall-head">
        <div className="tree-column">Operation</div>
        <div className="timeline-column" ref={timelineBox}>
          <TimeAxis range={shown} width={timeline.width} />
        </div>
      </div>
      <div
        ref={scroller}
        className="waterfall-scroller"
        role="tree"
        tabIndex={0}
        aria-label="Spans of the trace"
        aria-activedescendant={cursor ? `row-${cursor}` : undefined}
        onClickCapture={pickInFold}
      >
        <div style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
          {items.map((item) => {
            const row = rows[item.index];
            const span = row.kind === "span" ? row.span : row.first;
            return (
              <RowView
                key={row.key}
                columns={columns}
                row={row}
                top={item.start}
                selected={row.key === cursor}
                matches={matches}
                color={colors.service[columns.service[span]]}
                actions={actions}
              />
            );
          })}
          <canvas
            ref={canvas}
            aria-hidden="true"
            className="timeline-canvas"
            style={{ top: first * kRowHeight, width: timeline.width, height: canvasHeight }}
          />
        </div>
      </div>
    </div>
  );
}
