// Charts over time on uPlot, in the page's colours: price with marks, equity, drawdown. Charts with one
// `group` share their cursor and their zoom. Behind each stands a table for readers without a screen.
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useSize } from "../shared/canvas";
import { formatMoney, formatTimeTick, momentFormat } from "../shared/format";
import { token, useTheme } from "../shared/theme";
import type { Mark } from "./series";

export interface Line {
  label: string;
  values: (number | null)[];
  color: string; // a token's name
  fill?: boolean;
  width?: number;
}

interface Props {
  title: string;
  height: number;
  times: number[];
  lines: Line[];
  format?: (value: number) => string;
  marks?: Mark[];
  onMark?: (mark: Mark) => void;
  /** The moment a running session has come to. */
  now?: number;
  group: string;
  /** Something to press, beside the title. */
  control?: React.ReactNode;
  from?: number;
  until?: number;
}

const kMarkSize = 5;
const kGutter = 64;
const kTickMargin = 24;

function drawMark(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  side: "buy" | "sell",
  ratio: number,
) {
  const size = kMarkSize * ratio;
  const up = side === "buy";
  const offset = (up ? 9 : -9) * ratio;
  const direction = up ? -1 : 1;
  context.beginPath();
  context.moveTo(x, y + offset + direction * size);
  context.lineTo(x - size, y + offset - direction * size * 0.8);
  context.lineTo(x + size, y + offset - direction * size * 0.8);
  context.closePath();
  context.fill();
}

function marksPlugin(marks: () => Mark[], now: () => number | undefined): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const context = plot.ctx;
        const ratio = devicePixelRatio || 1;
        context.save();
        context.beginPath();
        context.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
        context.clip();
        const [buy, sell] = [token("good"), token("error")];
        for (const mark of marks()) {
          context.fillStyle = mark.side === "buy" ? buy : sell;
          drawMark(
            context,
            plot.valToPos(mark.time, "x", true),
            plot.valToPos(mark.price, "y", true),
            mark.side,
            ratio,
          );
        }
        const at = now();
        if (at !== undefined) {
          context.fillStyle = token("accent");
          context.fillRect(
            Math.round(plot.valToPos(at, "x", true)),
            plot.bbox.top,
            Math.max(1, ratio),
            plot.bbox.height,
          );
        }
        context.restore();
      },
    },
  };
}

function withAlpha(color: string, alpha: number): string {
  return `color-mix(in srgb, ${color} ${alpha * 100}%, transparent)`;
}

interface Reading {
  time: number;
  values: (number | null)[];
  mark: Mark | null;
}

export function Chart({
  title,
  height,
  times,
  lines,
  format = (v) => formatMoney(v, v >= 1000 ? 0 : 2),
  marks = [],
  onMark,
  now,
  group,
  control,
  from,
  until,
}: Props) {
  const theme = useTheme();
  const [box, size] = useSize<HTMLDivElement>();
  const plot = useRef<uPlot | null>(null);
  const live = useRef({ marks, now, onMark, format });
  live.current = { marks, now, onMark, format };
  const [reading, setReading] = useState<Reading | null>(null);
  const shape = lines.map((line) => `${line.label}:${line.color}:${line.fill}`).join("|");
  const width = size.width;

  // The plot is made anew only when its shape changes; data flows through the effect below
  useEffect(() => {
    if (width === 0 || !box.current) return;
    const axis = {
      stroke: token("muted"),
      font: "11px Inter, system-ui, sans-serif",
      ticks: { show: false },
    };
    const options: uPlot.Options = {
      width,
      height,
      padding: [8, 0, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: group, scales: ["x", null] },
        drag: { x: true, y: false, setScale: true },
        points: { size: 6 },
        y: false,
      },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { time: true, range: (_, low, high) => [low, high] } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 26,
          space: 90,
          // A mark whose text would hang over the edge has none.
          values: (self, ticks, _, __, step) =>
            ticks.map((tick) =>
              self.valToPos(tick, "x") < kTickMargin ? "" : formatTimeTick(tick, step),
            ),
        },
        {
          ...axis,
          side: 1,
          size: kGutter,
          space: 42,
          grid: { stroke: token("line"), width: 1 },
          values: (_, ticks) => ticks.map((tick) => live.current.format(tick)),
        },
      ],
      series: [
        {},
        ...lines.map((line) => {
          const color = token(line.color);
          return {
            label: line.label,
            stroke: color,
            width: line.width ?? 1.4,
            fill: line.fill ? withAlpha(color, 0.13) : undefined,
            points: { show: false },
            spanGaps: false,
          } satisfies uPlot.Series;
        }),
      ],
      plugins: [
        marksPlugin(
          () => live.current.marks,
          () => live.current.now,
        ),
      ],
      hooks: {
        setCursor: [
          (self) => {
            const index = self.cursor.idx;
            if (index === null || index === undefined || (self.cursor.left ?? -1) < 0)
              return setReading(null);
            const at = self.data[0][index];
            const near = live.current.marks.filter(
              (mark) => Math.abs(self.valToPos(mark.time, "x") - (self.cursor.left ?? 0)) < 7,
            );
            const mark =
              near.sort((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))[0] ?? null;
            setReading({
              time: at,
              values: self.data.slice(1).map((column) => column[index] ?? null),
              mark,
            });
          },
        ],
      },
    };
    const made = new uPlot(options, [times, ...lines.map((line) => line.values)], box.current);
    plot.current = made;
    const click = () => {
      const left = made.cursor.left ?? -100;
      const near = live.current.marks.filter(
        (mark) => Math.abs(made.valToPos(mark.time, "x") - left) < 7,
      );
      const best = near.sort(
        (a, b) =>
          Math.abs(made.valToPos(a.time, "x") - left) - Math.abs(made.valToPos(b.time, "x") - left),
      )[0];
      if (best) live.current.onMark?.(best);
    };
    made.over.addEventListener("click", click);
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [width, height, theme, shape, group]);

  // New data, marks or bounds redraw
  useEffect(() => {
    const made = plot.current;
    if (!made || times.length === 0) return;
    made.setData([times, ...lines.map((line) => line.values)], false);
    made.setScale("x", { min: from ?? times[0], max: until ?? times[times.length - 1] });
  }, [times, lines, marks, now, from, until, width]);

  const shown = reading ?? null;
  const { moment, range } = useMemo(() => momentFormat(times), [times]);
  return (
    <figure className="chart">
      <figcaption>
        <b>{title}</b>
        {lines.map((line, i) => (
          <span key={line.label} className="chart-key">
            {lines.length > 1 && (
              <span className="chart-line" style={{ background: `var(--${line.color})` }} />
            )}
            <span className="muted">{lines.length > 1 ? line.label : ""}</span>
            {shown && shown.values[i] !== null && (
              <b className="number">{format(shown.values[i]!)}</b>
            )}
          </span>
        ))}
        {marks.length > 0 && (
          <span className="muted chart-key">
            <Triangle side="buy" /> buy <Triangle side="sell" /> sell
          </span>
        )}
        {shown?.mark && (
          <span className={shown.mark.side === "buy" ? "is-good" : "is-error"}>
            {shown.mark.text}, click for its span
          </span>
        )}
        {control}
        <span className="grow" />
        <span className="muted">
          {shown
            ? moment(shown.time)
            : times.length > 0
              ? range(times[0], times[times.length - 1])
              : ""}
        </span>
      </figcaption>
      <div ref={box} style={{ height }} aria-hidden="true" />
      <ChartTable title={title} times={times} lines={lines} format={format} moment={moment} />
    </figure>
  );
}

export function Triangle({ side }: { side: "buy" | "sell" }) {
  return (
    <svg width="9" height="8" viewBox="0 0 9 8" aria-hidden="true">
      <path
        d={side === "buy" ? "M4.5 0 9 8H0z" : "M4.5 8 0 0h9z"}
        fill={side === "buy" ? "var(--good)" : "var(--error)"}
      />
    </svg>
  );
}

const kTableRows = 24;

function ChartTable({
  title,
  times,
  lines,
  format,
  moment,
}: {
  title: string;
  times: number[];
  lines: Line[];
  format: (value: number) => string;
  moment: (seconds: number) => string;
}) {
  if (times.length === 0) return null;
  const step = Math.max(1, Math.floor(times.length / kTableRows));
  const rows = times.map((_, i) => i).filter((i) => i % step === 0 || i === times.length - 1);
  return (
    <table className="visually-hidden">
      <caption>{title}, by time</caption>
      <thead>
        <tr>
          <th>Time</th>
          {lines.map((line) => (
            <th key={line.label}>{line.label}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((i) => (
          <tr key={i}>
            <td>{moment(times[i])}</td>
            {lines.map((line) => (
              <td key={line.label}>{line.values[i] === null ? "" : format(line.values[i]!)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
