// Parts several pages of the dashboard share.
import { type ReactNode, useEffect, useState } from "react";
import { formatClock, formatCount, shortId } from "../shared/format";
import { RequestError } from "../shared/http";
import { Link, State } from "../shared/ui";
import { type RunStatus, useConfig } from "./api";
import { type Frame, progressOf } from "./live";

const statusColor: Partial<Record<RunStatus, string>> = {
  running: "good",
  warming_up: "good",
  bootstrapping: "good",
  pending: "faint",
  stopping: "warning",
  halted: "warning",
  stale: "warning",
  error: "error",
  completed: "accent",
  cancelled: "faint",
};

export function StatusChip({ status }: { status: RunStatus }) {
  return (
    <span className="chip">
      <span className="swatch" style={{ background: `var(--${statusColor[status] ?? "faint"})` }} />
      {status.replace("_", " ")}
    </span>
  );
}

export function useSpanUrl(): (
  traceId: string | null,
  spanId?: string | null,
) => string | undefined {
  const { data } = useConfig();
  return (traceId, spanId) =>
    data?.traceUiUrl && traceId
      ? `${data.traceUiUrl.replace(/\/$/, "")}/trace/${traceId}${spanId ? `?span=${spanId}` : ""}`
      : undefined;
}

export function TraceLink({
  traceId,
  spanId,
  children,
}: {
  traceId: string | null;
  spanId?: string | null;
  children?: ReactNode;
}) {
  const url = useSpanUrl()(traceId, spanId);
  if (!traceId) return <span className="faint">not traced</span>;
  const text = children ?? <span className="mono">trace {shortId(traceId, 8, 0)} →</span>;
  return url ? <a href={url}>{text}</a> : <span className="mono">{traceId}</span>;
}

export function Stat({
  label,
  children,
  tone = "",
}: {
  label: string;
  children: ReactNode;
  tone?: string;
}) {
  return (
    <div className="stat">
      <dt>{label}</dt>
      <dd className={tone}>{children}</dd>
    </div>
  );
}

/** Above what is old: what is wrong, from when the data are, and a way to ask again. */
export function StaleBanner({
  error,
  since,
  retry,
}: {
  error: Error | null;
  since: number;
  retry: () => void;
}) {
  if (!error) return null;
  return (
    <div className="banner is-error-banner" role="alert">
      <span className="mark">
        {error instanceof RequestError && error.gone
          ? "The service is away."
          : "The last request failed."}
      </span>
      <span className="grow">
        {error.message} {since > 0 && `What you see is from ${formatClock(since)}.`} It is asked
        again every few seconds.
      </span>
      <button type="button" className="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

export function Failed({ error, retry, what }: { error: Error; retry: () => void; what: string }) {
  const gone = error instanceof RequestError && error.gone;
  return (
    <State
      title={gone ? "The service is away" : `${what} could not be loaded`}
      actions={
        <button type="button" className="button is-primary" onClick={retry}>
          Try again
        </button>
      }
    >
      <p>
        {error.message} {gone && "This page keeps trying every few seconds."}
      </p>
    </State>
  );
}

/** A run that is neither in the list nor a task that could become one. */
export function NotHere({ what, id }: { what: "session" | "backtest"; id: string }) {
  const view = what === "session" ? "/dash" : "/dash?view=backtests";
  return (
    <section className="run-main">
      <State
        title={`This ${what} is not here`}
        actions={
          <Link className="button" href={view}>
            Show the {what}s there are
          </Link>
        }
      >
        <p>
          No {what} and no task has the id <span className="mono">{id}</span>. It may have run on
          another database.
        </p>
      </State>
    </section>
  );
}

export const tone = (value: number | null | undefined) =>
  value === null || value === undefined || value === 0 ? "" : value > 0 ? "is-good" : "is-error";

/** A task's last frame as a line and, where it is known, as a bar. */
export function Progress({ frame, fallback }: { frame: Frame | null; fallback: string }) {
  const [kept, setKept] = useState<{ done: number; total: number } | undefined>();
  const now = progressOf(frame);
  // Frames about orders and fills say nothing of the bars; the last that did stands.
  useEffect(() => {
    if (now) setKept((old) => (old?.done === now.done && old.total === now.total ? old : now));
  }, [now]);
  const shown = now ?? kept;
  return (
    <div className="run-progress">
      <p className="muted" role="status">
        {frame?.message || fallback}
      </p>
      {shown && (
        <progress value={shown.done} max={shown.total} aria-label="Progress">
          {formatCount(shown.done)} of {formatCount(shown.total)}
        </progress>
      )}
    </div>
  );
}
