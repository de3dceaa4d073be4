// The list of runs beside one of them, the running first.
import { formatAgo, formatCount, formatPercentChange, plural } from "../shared/format";
import { setParameters } from "../shared/router";
import { useNow } from "../shared/ui";
import { kActive, type PaperRun } from "./api";
import { StatusChip, tone } from "./parts";

function barsTotal(run: PaperRun): number | null {
  return run.config?.session?.max_bars ?? null;
}

/** Why a session is not simply running or done; the chip beside its name says most states already. */
function why(run: PaperRun): string | null {
  if (run.status === "cancelled")
    return ["cancelled", run.status_reason].filter(Boolean).join(": ");
  return run.status === "completed" ? null : run.status_reason || null;
}

export function RunItem({ run, chosen, now }: { run: PaperRun; chosen: boolean; now: number }) {
  const active = kActive.has(run.status);
  const when = run.stopped_at ?? run.started_at;
  const total = barsTotal(run);
  return (
    <li>
      <button
        type="button"
        className="run-item"
        aria-pressed={chosen}
        onClick={() => setParameters({ view: undefined, run: run.id })}
      >
        <span className="row">
          <b className="ellipsis grow">{run.run_name}</b>
          {active || run.status === "error" || run.status === "stale" ? (
            <StatusChip status={run.status} />
          ) : (
            run.total_return !== null && (
              <span className={`number ${tone(run.total_return)}`}>
                {formatPercentChange(run.total_return, 1)}
              </span>
            )
          )}
        </span>
        <span className="row muted">
          <span className="ellipsis grow">
            {run.strategy} · {why(run) || run.brokerage}
          </span>
          <span className="number">
            {active ? (
              <span className="mono">
                {total
                  ? `${formatCount(run.bars_seen)} / ${formatCount(total)}`
                  : plural(run.bars_seen, "bar")}
              </span>
            ) : (
              when && formatAgo(Date.parse(when), now)
            )}
          </span>
        </span>
        {active && total && (
          <span className="share-bar">
            <span style={{ width: `${Math.min(100, (100 * run.bars_seen) / total)}%` }} />
          </span>
        )}
      </button>
    </li>
  );
}

export function RunList<
  T extends { id: string; task_id: string | null; status: PaperRun["status"] },
>({
  runs,
  chosen,
  render,
}: {
  runs: T[];
  chosen: string;
  render: (run: T, chosen: boolean, now: number) => React.ReactNode;
}) {
  const now = useNow(10_000);
  const running = runs.filter((run) => kActive.has(run.status));
  const done = runs.filter((run) => !kActive.has(run.status));
  const list = (title: string, items: T[]) =>
    items.length > 0 && (
      <section>
        <h2 className="label run-list-title">
          {title} <span className="grow" /> {formatCount(items.length)}
        </h2>
        <ul>{items.map((run) => render(run, run.id === chosen || run.task_id === chosen, now))}</ul>
      </section>
    );
  return (
    <nav className="run-list" aria-label="Runs" tabIndex={0}>
      {list("Running", running)}
      {list("Done", done)}
    </nav>
  );
}
