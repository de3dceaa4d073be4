// Duration over time, one point for each result, both axes as wide as the results. Points open what they
// stand for; dragging a box narrows the query to it.
import { useMemo, useRef, useState } from "react";
import { niceStep, useCanvas, useSize } from "../../shared/canvas";
import { serviceColor, shortService } from "../../shared/color";
import { formatClock, formatDuration, plural } from "../../shared/format";
import { token, useTheme } from "../../shared/theme";
import type { Hit } from "./results";

const kHeight = 210;
const margin = { left: 64, right: 14, top: 10, bottom: 24 };

interface Axes {
  x: (ms: number) => number;
  y: (ns: number) => number;
  toMs: (x: number) => number;
  toNs: (y: number) => number;
  fromMs: number;
  untilMs: number;
  lowExponent: number;
  highExponent: number;
}

function makeAxes(hits: Hit[], width: number): Axes {
  const times = hits.map((h) => h.startMs);
  let fromMs = Math.min(...times);
  let untilMs = Math.max(...times);
  const room = Math.max(500, (untilMs - fromMs) * 0.03);
  fromMs -= room;
  untilMs += room;
  const durations = hits.map((h) => Math.max(1, h.durationNs));
  const lowExponent = Math.floor(Math.log10(Math.min(...durations)) - 0.05);
  const highExponent = Math.max(
    lowExponent + 1,
    Math.ceil(Math.log10(Math.max(...durations)) + 0.05),
  );
  const plotWidth = Math.max(1, width - margin.left - margin.right);
  const plotHeight = kHeight - margin.top - margin.bottom;
  return {
    x: (ms) => margin.left + ((ms - fromMs) / (untilMs - fromMs)) * plotWidth,
    y: (ns) =>
      margin.top +
      (1 - (Math.log10(Math.max(1, ns)) - lowExponent) / (highExponent - lowExponent)) * plotHeight,
    toMs: (x) => fromMs + ((x - margin.left) / plotWidth) * (untilMs - fromMs),
    toNs: (y) =>
      10 ** (lowExponent + (1 - (y - margin.top) / plotHeight) * (highExponent - lowExponent)),
    fromMs,
    untilMs,
    lowExponent,
    highExponent,
  };
}

function formatTimeTick(ms: number, step: number): string {
  const date = new Date(ms);
  if (step >= 86_400_000)
    return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const clock = date.toLocaleTimeString("en-GB");
  return step >= 60_000
    ? clock.slice(0, 5)
    : step >= 1000
      ? clock
      : `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

const timeSteps = [
  100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5,
  432e5, 864e5,
];

function drawAxes(context: CanvasRenderingContext2D, axes: Axes, width: number) {
  context.font = '11px "Inter", system-ui, sans-serif';
  context.textBaseline = "middle";
  for (let exponent = axes.lowExponent; exponent <= axes.highExponent; exponent++) {
    const y = Math.round(axes.y(10 ** exponent)) + 0.5;
    context.fillStyle = token("line");
    context.fillRect(margin.left, y, width - margin.left - margin.right, 1);
    context.fillStyle = token("muted");
    context.textAlign = "left";
    const text = formatDuration(10 ** exponent).replace(/\.0+/, "");
    context.fillText(text, 16, y);
  }
  const wanted = (axes.untilMs - axes.fromMs) / Math.max(2, width / 130);
  const step =
    timeSteps.find((s) => s >= wanted) ?? niceStep(axes.untilMs - axes.fromMs, width / 130);
  const offset = new Date(axes.fromMs).getTimezoneOffset() * 60_000;
  context.textAlign = "center";
  for (
    let at = Math.ceil((axes.fromMs - offset) / step) * step + offset;
    at < axes.untilMs;
    at += step
  ) {
    const x = axes.x(at);
    if (x < margin.left + 24 || x > width - 30) continue;
    context.fillText(formatTimeTick(at, step), x, kHeight - 10);
  }
  context.textAlign = "left";
}

export function Scatter({
  hits,
  onOpen,
  onBox,
}: {
  hits: Hit[];
  onOpen: (hit: Hit) => void;
  onBox: (fromMs: number, untilMs: number, lowNs: number, highNs: number) => void;
}) {
  const theme = useTheme();
  const [box, size] = useSize<HTMLDivElement>();
  const axes = useMemo(() => makeAxes(hits, size.width), [hits, size.width]);
  const [hover, setHover] = useState<{ hit: Hit; x: number; y: number } | null>(null);
  const [drag, setDrag] = useState<{ x0: number; y0: number; x1: number; y1: number } | null>(null);
  const moved = useRef(false);
  const canvas = useCanvas(
    { width: size.width, height: kHeight },
    (context, { width }) => {
      drawAxes(context, axes, width);
      const error = token("error");
      const large = hits.length < 400;
      for (const hit of hits) {
        context.beginPath();
        context.arc(axes.x(hit.startMs), axes.y(hit.durationNs), large ? 4 : 2.5, 0, 2 * Math.PI);
        context.fillStyle = serviceColor(hit.service, theme);
        context.globalAlpha = large ? 0.75 : 0.5;
        context.fill();
        context.globalAlpha = 1;
        if (!hit.failed) continue;
        context.strokeStyle = error;
        context.lineWidth = 1.6;
        context.beginPath();
        context.arc(axes.x(hit.startMs), axes.y(hit.durationNs), large ? 6 : 4, 0, 2 * Math.PI);
        context.stroke();
      }
    },
    [hits, axes],
  );
  const local = (event: React.PointerEvent) => {
    const area = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - area.left, y: event.clientY - area.top };
  };
  const nearest = (x: number, y: number): Hit | null => {
    let best: Hit | null = null;
    let bestDistance = 14 * 14;
    for (const hit of hits) {
      const distance = (axes.x(hit.startMs) - x) ** 2 + (axes.y(hit.durationNs) - y) ** 2;
      if (distance < bestDistance) {
        best = hit;
        bestDistance = distance;
      }
    }
    return best;
  };
  const finish = (event: React.PointerEvent) => {
    const { x, y } = local(event);
    if (drag && moved.current && Math.abs(drag.x1 - drag.x0) > 4 && Math.abs(drag.y1 - drag.y0) > 4)
      onBox(
        axes.toMs(Math.min(drag.x0, drag.x1)),
        axes.toMs(Math.max(drag.x0, drag.x1)),
        axes.toNs(Math.max(drag.y0, drag.y1)),
        axes.toNs(Math.min(drag.y0, drag.y1)),
      );
    else if (drag) {
      const hit = nearest(x, y);
      if (hit) onOpen(hit);
    }
    setDrag(null);
  };
  return (
    <div
      ref={box}
      className="scatter"
      style={{ height: kHeight, cursor: hover ? "pointer" : "crosshair" }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const { x, y } = local(event);
        moved.current = false;
        setDrag({ x0: x, y0: y, x1: x, y1: y });
      }}
      onPointerMove={(event) => {
        const { x, y } = local(event);
        if (drag) {
          if (Math.hypot(x - drag.x0, y - drag.y0) > 4) moved.current = true;
          setDrag({ ...drag, x1: x, y1: y });
          setHover(null);
        } else {
          const hit = nearest(x, y);
          setHover(hit && { hit, x: event.clientX, y: event.clientY });
        }
      }}
      onPointerUp={finish}
      onPointerLeave={() => setHover(null)}
    >
      <canvas
        ref={canvas}
        style={{ width: size.width, height: kHeight }}
        role="img"
        aria-label={`Durations over time of ${plural(hits.length, "result")}; the list below has the same`}
      />
      {drag && moved.current && (
        <div
          className="scatter-box"
          style={{
            left: Math.min(drag.x0, drag.x1),
            top: Math.min(drag.y0, drag.y1),
            width: Math.abs(drag.x1 - drag.x0),
            height: Math.abs(drag.y1 - drag.y0),
          }}
        />
      )}
      {hover && !drag && (
        <div
          className="tooltip"
          style={{ left: Math.min(hover.x + 14, window.innerWidth - 320), top: hover.y + 14 }}
        >
          <b className="mono">{hover.hit.name}</b>
          <div>
            {formatDuration(hover.hit.durationNs)} · {shortService(hover.hit.service)}
          </div>
          <div className="muted">
            {formatClock(hover.hit.startMs)}
            {hover.hit.spanId === "" && ` · ${plural(hover.hit.spanCount, "span")}`}
            {hover.hit.errorCount > 0 && (
              <span className="is-error"> · {plural(hover.hit.errorCount, "error")}</span>
            )}
          </div>
        </div>
      )}
    </div>
  );
}
