// All spans of the trace merged by operation and drawn as an icicle: wide is where the time is. A click
// zooms into a node, a double click shows its slowest span in the waterfall.
import { useMemo, useState } from "react";
import { useCanvas, useSize } from "../../shared/canvas";
import { serviceColor, shortService } from "../../shared/color";
import { formatCount, formatDuration, plural } from "../../shared/format";
import { token, useTheme } from "../../shared/theme";
import type { TraceColumns } from "../model/columns";
import { buildFlame, type FlameNode } from "../model/flame";
import { displayName } from "./Waterfall";

const kLevel = 24;

interface Hover {
  node: FlameNode;
  x: number;
  y: number;
}

export function FlameView({
  columns,
  onOpen,
}: {
  columns: TraceColumns;
  onOpen: (span: number) => void;
}) {
  const theme = useTheme();
  const [box, size] = useSize<HTMLDivElement>();
  const nodes = useMemo(() => buildFlame(columns), [columns]);
  const [focus, setFocus] = useState(-1);
  const [hover, setHover] = useState<Hover | null>(null);
  const view = focus >= 0 ? nodes[focus] : { x0: 0, x1: 1 };
  const levels = Math.max(1, ...nodes.map((node) => node.depth + 1));
  const height = levels * kLevel + 8;
  const toX = (fraction: number) => ((fraction - view.x0) / (view.x1 - view.x0)) * size.width;

  const canvas = useCanvas(
    { width: size.width, height },
    (context, { width }) => {
      const colors = columns.services.map((name) => serviceColor(name, theme));
      const [text, surface, error] = [token("text"), token("surface"), token("error")];
      context.font = '12px "JetBrains Mono", monospace';
      context.textBaseline = "middle";
      for (const node of nodes) {
        const x0 = Math.max(0, toX(node.x0));
        const x1 = Math.min(width, toX(node.x1));
        if (x1 - x0 < 0.4) continue;
        const y = node.depth * kLevel;
        context.fillStyle = colors[columns.service[node.span]];
        context.globalAlpha = theme === "dark" ? 0.42 : 0.36;
        context.fillRect(x0, y, Math.max(0.6, x1 - x0 - 1), kLevel - 1);
        context.globalAlpha = 1;
        if (node.failed > 0) {
          context.fillStyle = error;
          context.fillRect(x0, y + kLevel - 3, Math.max(1, x1 - x0 - 1), 2);
        }
        if (x1 - x0 < 44) continue;
        context.save();
        context.beginPath();
        context.rect(x0, y, x1 - x0 - 4, kLevel);
        context.clip();
        context.fillStyle = text;
        const count = node.count > 1 ? ` × ${formatCount(node.count)}` : "";
        context.fillText(
          `${displayName(columns.names[columns.name[node.span]])}${count}  ${formatDuration(node.total)}`,
          x0 + 6,
          y + kLevel / 2,
        );
        context.restore();
      }
      context.fillStyle = surface;
    },
    [nodes, view.x0, view.x1],
  );

  const nodeAt = (event: React.MouseEvent): number => {
    const area = event.currentTarget.getBoundingClientRect();
    const depth = Math.floor((event.clientY - area.top) / kLevel);
    const fraction = view.x0 + ((event.clientX - area.left) / area.width) * (view.x1 - view.x0);
    return nodes.findIndex(
      (node) => node.depth === depth && fraction >= node.x0 && fraction < node.x1,
    );
  };
  return (
    <section className="flame" tabIndex={0} aria-label="Flame view">
      <div className="flame-note muted">
        Spans merged by operation; width is the time spent there.{" "}
        {focus >= 0 && (
          <button type="button" className="button is-bare" onClick={() => setFocus(-1)}>
            show all
          </button>
        )}
      </div>
      <div
        ref={box}
        style={{ height }}
        onClick={(event) => {
          const at = nodeAt(event);
          setFocus(at === focus ? -1 : at);
        }}
        onDoubleClick={(event) => {
          const at = nodeAt(event);
          if (at >= 0) onOpen(nodes[at].span);
        }}
        onMouseMove={(event) => {
          const at = nodeAt(event);
          setHover(at < 0 ? null : { node: nodes[at], x: event.clientX, y: event.clientY });
        }}
        onMouseLeave={() => setHover(null)}
      >
        <canvas
          ref={canvas}
          style={{ width: size.width, height }}
          role="img"
          aria-label={`Flame view of ${plural(nodes.length, "operation")}; the table view has the same numbers`}
        />
      </div>
      {hover && (
        <div
          className="tooltip"
          style={{ left: Math.min(hover.x + 12, window.innerWidth - 350), top: hover.y + 16 }}
        >
          <b className="mono">{columns.names[columns.name[hover.node.span]]}</b>
          <div className="muted">
            {shortService(columns.services[columns.service[hover.node.span]])}
          </div>
          {plural(hover.node.count, "span")}, {formatDuration(hover.node.total)} together,{" "}
          {formatDuration(hover.node.self)} of it their own
          {hover.node.failed > 0 && (
            <div className="is-error">{formatCount(hover.node.failed)} failed</div>
          )}
          <div className="faint">click zooms, double click shows the slowest</div>
        </div>
      )}
    </section>
  );
}
