// The whole trace, always: how many spans of which service are open at each instant, and where one
// failed. Dragging zooms the views below to what was dragged over.
import { useRef, useState } from "react";
import { useCanvas, useSize } from "../../shared/canvas";
import { serviceColor } from "../../shared/color";
import { formatDuration } from "../../shared/format";
import { token, useTheme } from "../../shared/theme";
import type { TraceColumns } from "../model/columns";
import { change, clampRange, type Range } from "./state";

const kHeight = 46;
const kEdge = 6;

function drawOverview(
  context: CanvasRenderingContext2D,
  columns: TraceColumns,
  width: number,
  colors: string[],
) {
  const { overview } = columns;
  const services = columns.services.length;
  let low = Number.POSITIVE_INFINITY;
  const sums = new Float32Array(overview.bins);
  for (let bin = 0; bin < overview.bins; bin++) {
    for (let s = 0; s < services; s++) sums[bin] += overview.active[bin * services + s];
    if (bin > 0 && bin < overview.bins - 1) low = Math.min(low, sums[bin]);
  }
  const floor = Math.max(0, low - 1);
  const scale = (kHeight - 10) / Math.max(0.5, overview.peak - floor);
  const pixels = Math.floor(width);
  for (let x = 0; x < pixels; x++) {
    const first = Math.floor((x * overview.bins) / pixels);
    const end = Math.max(first + 1, Math.floor(((x + 1) * overview.bins) / pixels));
    let total = 0;
    const parts = new Float32Array(services);
    for (let bin = first; bin < end; bin++)
      for (let s = 0; s < services; s++) parts[s] += overview.active[bin * services + s];
    for (const part of parts) total += part;
    if (total === 0) continue;
    const height = Math.max(1.5, (total / (end - first) - floor) * scale);
    let y = kHeight - 2;
    for (let s = services - 1; s >= 0; s--) {
      const part = (parts[s] / total) * height;
      context.fillStyle = colors[s];
      context.globalAlpha = 0.62;
      context.fillRect(x, y - part, 1, part);
      y -= part;
    }
  }
  context.globalAlpha = 1;
}

function drawErrors(context: CanvasRenderingContext2D, columns: TraceColumns, width: number) {
  context.fillStyle = token("error");
  let lastX = Number.NEGATIVE_INFINITY;
  for (let bin = 0; bin < columns.overview.bins; bin++) {
    if (columns.overview.errors[bin] === 0) continue;
    const x = ((bin + 0.5) / columns.overview.bins) * width;
    if (x - lastX < 4) continue;
    lastX = x;
    context.beginPath();
    context.arc(x, 5, 2.6, 0, 2 * Math.PI);
    context.fill();
  }
}

export function MiniMap({ columns, range }: { columns: TraceColumns; range: Range | null }) {
  const theme = useTheme();
  const [box, size] = useSize<HTMLDivElement>();
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const anchor = useRef(0);
  const base = useCanvas(
    { width: size.width, height: kHeight },
    (context, { width }) => {
      drawOverview(
        context,
        columns,
        width,
        columns.services.map((name) => serviceColor(name, theme)),
      );
      drawErrors(context, columns, width);
    },
    [columns],
  );
  const toNs = (x: number) =>
    (Math.max(0, Math.min(size.width, x)) / Math.max(1, size.width)) * columns.durationNs;
  const toX = (ns: number) => (ns / columns.durationNs) * size.width;

  const shown = drag
    ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) }
    : (range ?? { from: 0, to: columns.durationNs });
  const localX = (event: React.PointerEvent) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;
  const begin = (event: React.PointerEvent) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const x = localX(event);
    // Near an edge of the window it is that edge that moves.
    if (range && Math.abs(x - toX(range.from)) < kEdge) anchor.current = range.to;
    else if (range && Math.abs(x - toX(range.to)) < kEdge) anchor.current = range.from;
    else anchor.current = toNs(x);
    setDrag({ from: anchor.current, to: toNs(x) });
  };
  const move = (event: React.PointerEvent) =>
    drag && setDrag({ from: anchor.current, to: toNs(localX(event)) });
  const finish = () => {
    if (!drag) return;
    if (Math.abs(toX(drag.to) - toX(drag.from)) >= 3)
      change.range(clampRange(columns, shown.from, shown.to));
    setDrag(null);
  };
  const left = toX(shown.from);
  const right = toX(shown.to);
  return (
    <div className="minimap">
      <div
        ref={box}
        className="minimap-canvas"
        style={{ height: kHeight }}
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(null)}
        onDoubleClick={() => change.range(null)}
        title="Drag to zoom, double-click to see all"
      >
        <canvas
          ref={base}
          role="img"
          aria-label={`The whole trace, ${formatDuration(columns.durationNs)}: ${columns.count} spans, ${columns.errorCount} failed`}
        />
        <div className="minimap-shade" style={{ left: 0, width: Math.max(0, left) }} />
        <div className="minimap-shade" style={{ left: right, right: 0 }} />
        <div className="minimap-window" style={{ left, width: Math.max(2, right - left) }} />
      </div>
    </div>
  );
}
