// Drawing of the timeline's rows on a Canvas. All times are nanoseconds since the trace's start.
import { fillBar } from "../../shared/canvas";
import { formatDuration } from "../../shared/format";
import { token } from "../../shared/theme";
import { childrenOf, kStatusError, type TraceColumns } from "../model/columns";
import type { CriticalPath } from "../model/critical";
import type { Row } from "../model/rows";
import type { Range } from "./state";

export const kRowHeight = 26;
const kBarHeight = 11;
const kPad = 8;

export interface Palette {
  service: string[];
  error: string;
  text: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
  dark: boolean;
}

export function palette(
  columns: TraceColumns,
  colorOf: (service: string) => string,
  dark: boolean,
): Palette {
  return {
    service: columns.services.map(colorOf),
    error: token("error"),
    text: token("text"),
    muted: token("muted"),
    line: token("line"),
    surface: token("surface"),
    accent: token("accent"),
    dark,
  };
}

export interface Scale {
  x: (ns: number) => number;
  width: number;
}

export function timeScale(range: Range, width: number): Scale {
  const usable = Math.max(1, width - 2 * kPad);
  const perNs = usable / Math.max(1, range.to - range.from);
  return { x: (ns) => kPad + (ns - range.from) * perNs, width };
}

/** Slanted lines over a stretch that nothing below accounts for. */
function hatch(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  color: string,
) {
  if (width < 4) return;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = x - height - (x % 5); at < x + width; at += 5) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

function drawSelfTime(
  context: CanvasRenderingContext2D,
  columns: TraceColumns,
  span: number,
  scale: Scale,
  y: number,
  color: string,
) {
  const end = columns.start[span] + columns.duration[span];
  let reached = columns.start[span];
  const gap = (from: number, to: number) => {
    const x0 = Math.max(0, scale.x(from));
    const x1 = Math.min(scale.width, scale.x(to));
    hatch(context, x0, y, x1 - x0, kBarHeight, color);
  };
  for (const child of childrenOf(columns, span)) {
    if (columns.start[child] > reached) gap(reached, Math.min(columns.start[child], end));
    reached = Math.max(reached, columns.start[child] + columns.duration[child]);
    if (reached >= end) return;
  }
  gap(reached, end);
}

function drawLabel(
  context: CanvasRenderingContext2D,
  text: string,
  x0: number,
  x1: number,
  y: number,
  scale: Scale,
  colors: Palette,
  striped = false,
) {
  const width = context.measureText(text).width;
  context.textBaseline = "middle";
  if (x1 + 8 + width < scale.width - 4) {
    context.fillStyle = colors.muted;
    context.fillText(text, Math.max(x1, -4) + 8, y);
  } else if (x0 - 8 - width > 4) {
    context.fillStyle = colors.muted;
    context.fillText(text, Math.min(x0, scale.width) - 8 - width, y);
  } else {
    const right = Math.min(x1, scale.width) - 8;
    if (striped) {
      context.fillStyle = colors.surface;
      context.globalAlpha = 0.85;
      context.fillRect(right - width - 5, y - 8, width + 10, 15);
      context.globalAlpha = 1;
    }
    context.fillStyle = colors.text;
    context.fillText(text, right - width, y);
  }
}

function drawSpan(
  context: CanvasRenderingContext2D,
  columns: TraceColumns,
  span: number,
  y: number,
  scale: Scale,
  colors: Palette,
  path: CriticalPath | null,
) {
  const x0 = scale.x(columns.start[span]);
  const x1 = Math.max(scale.x(columns.start[span] + columns.duration[span]), x0 + 1.5);
  const top = y + (kRowHeight - kBarHeight) / 2;
  const failed = columns.status[span] === kStatusError;
  const color = failed ? colors.error : colors.service[columns.service[span]];
  if (x1 >= 0 && x0 <= scale.width) {
    const left = Math.max(x0, -6);
    const width = Math.min(x1, scale.width + 6) - left;
    const parent = columns.childOffset[span + 1] > columns.childOffset[span];
    context.fillStyle = color;
    context.globalAlpha = parent && width > 6 ? (colors.dark ? 0.52 : 0.5) : 1;
    fillBar(context, left, top, width, kBarHeight);
    context.globalAlpha = 1;
    if (parent) drawSelfTime(context, columns, span, scale, top, color);
    if (path && path.share[span] > 0) {
      context.fillStyle = colors.text;
      for (const at of stretchesOf(path, span)) {
        const from = Math.max(0, scale.x(path.from[at]));
        context.fillRect(
          from,
          top + kBarHeight + 1,
          Math.max(1, Math.min(scale.width, scale.x(path.to[at])) - from),
          2,
        );
      }
    }
  }
  drawLabel(
    context,
    formatDuration(columns.duration[span]),
    x0,
    x1,
    y + kRowHeight / 2 + 0.5,
    scale,
    colors,
  );
}

const stretchIndex = new WeakMap<CriticalPath, Map<number, number[]>>();

function stretchesOf(path: CriticalPath, span: number): number[] {
  let index = stretchIndex.get(path);
  if (!index) {
    index = new Map();
    for (let at = 0; at < path.span.length; at++) {
      const list = index.get(path.span[at]);
      if (list) list.push(at);
      else index.set(path.span[at], [at]);
    }
    stretchIndex.set(path, index);
  }
  return index.get(span) ?? [];
}

/** All members of a fold in one strip: each pixel as dense as the members on it. */
function drawFold(
  context: CanvasRenderingContext2D,
  columns: TraceColumns,
  members: Uint32Array,
  y: number,
  scale: Scale,
  colors: Palette,
) {
  const width = Math.ceil(scale.width);
  const cover = new Float32Array(width + 1);
  const failed = new Uint8Array(width + 1);
  let last = 0;
  let total = 0;
  for (const span of members) {
    total += columns.duration[span];
    const x0 = scale.x(columns.start[span]);
    const x1 = scale.x(columns.start[span] + columns.duration[span]);
    if (x1 > last) last = x1;
    if (x1 < 0 || x0 >= width) continue;
    const from = Math.max(0, Math.floor(x0));
    const to = Math.min(width, Math.floor(x1));
    if (from === to) cover[from] += Math.max(0.25, x1 - x0);
    else {
      cover[from] += from + 1 - Math.max(0, x0);
      for (let x = from + 1; x < to; x++) cover[x] += 1;
      cover[to] += x1 - to;
    }
    if (columns.subtreeErrors[span] > 0) failed[from] = 1;
  }
  const top = y + (kRowHeight - kBarHeight) / 2;
  context.fillStyle = colors.service[columns.service[members[0]]];
  for (let x = 0; x < width; x++) {
    if (cover[x] === 0) continue;
    context.globalAlpha = 0.25 + 0.65 * Math.min(1, cover[x]);
    context.fillRect(x, top, 1, kBarHeight);
  }
  context.globalAlpha = 1;
  context.fillStyle = colors.error;
  for (let x = 0; x < width; x++) if (failed[x]) context.fillRect(x - 1, top - 3, 3, 2);
  drawLabel(
    context,
    `Σ ${formatDuration(total)}`,
    scale.x(columns.start[members[0]]),
    last,
    y + kRowHeight / 2 + 0.5,
    scale,
    colors,
    true,
  );
}

export function drawRows(
  context: CanvasRenderingContext2D,
  columns: TraceColumns,
  rows: Row[],
  first: number,
  last: number,
  scale: Scale,
  colors: Palette,
  path: CriticalPath | null,
) {
  context.font = '11px "Inter", system-ui, sans-serif';
  for (let i = first; i <= last; i++) {
    const row = rows[i];
    const y = (i - first) * kRowHeight;
    if (row.kind === "span") drawSpan(context, columns, row.span, y, scale, colors, path);
    else if (row.kind === "fold") drawFold(context, columns, row.members, y, scale, colors);
  }
}
