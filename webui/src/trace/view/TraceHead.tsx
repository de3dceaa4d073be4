// Above the views of a trace: what it is, what is missing of it, and its slowest part.
import { useMutation } from "@tanstack/react-query";
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
import { CopyButton, Link } from "../../shared/ui";
import { api } from "../api";
import { searchUrl } from "../links";
import { calledFromOutside, type TraceColumns } from "../model/columns";

function rootOf(columns: TraceColumns): number {
  return columns.children[columns.childOffset[columns.count]];
}

export function Head({ columns, refresh }: { columns: TraceColumns; refresh: () => void }) {
  const theme = useTheme();
  const root = rootOf(columns);
  const outside = calledFromOutside(columns);
  const running = !outside && (columns.openSpans > 0 || columns.orphans > 0 || !columns.complete);
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
        {outside && (
          <span
            className="muted"
            title="Its first span names a parent that is not in the store: the caller reports no spans, or they were dropped."
          >
            called from outside
          </span>
        )}
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

export function Partial({ columns }: { columns: TraceColumns }) {
  if (calledFromOutside(columns)) return null;
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

export function InsightLine({
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
