// Backtests: the list, and one of them with its curves and measures.
import { useEffect, useMemo } from "react";
import {
  formatAgo,
  formatCount,
  formatDay,
  formatMoney,
  formatPercent,
  formatPercentChange,
  formatShare,
} from "../shared/format";
import { RequestError } from "../shared/http";
import { setParameters, useLocation } from "../shared/router";
import { CopyButton, Skeleton, State } from "../shared/ui";
import {
  type BacktestRun,
  isQueued,
  kActive,
  useBacktest,
  useBacktests,
  useBars,
  useCurve,
} from "./api";
import { Chart, type Line } from "./Chart";
import { EquityChart } from "./EquityChart";
import { type Frame, kUnknown, useProgress } from "./live";
import { Failed, NotHere, Progress, StaleBanner, Stat, StatusChip, TraceLink, tone } from "./parts";
import { RunList } from "./RunList";
import { buyAndHold, closes, resample, toSeconds } from "./series";

function Item({ run, chosen, now }: { run: BacktestRun; chosen: boolean; now: number }) {
  const when = run.finished_at ?? run.created_at;
  return (
    <li>
      <button
        type="button"
        className="run-item"
        aria-pressed={chosen}
        onClick={() => setParameters({ view: "backtests", run: run.id })}
      >
        <span className="row">
          <b className="ellipsis grow">{run.run_name}</b>
          {run.status !== "completed" ? (
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
          <span className="ellipsis grow">{run.strategy}</span>
          <span className="number">{when && formatAgo(Date.parse(when), now)}</span>
        </span>
      </button>
    </li>
  );
}

const ratio = (value: number | null) => (value === null ? "–" : value.toFixed(2));

function Facts({ run }: { run: BacktestRun }) {
  const facts: [string, React.ReactNode][] = [
    ["sortino", ratio(run.sortino)],
    ["calmar", ratio(run.calmar)],
    [
      "annual volatility",
      run.annual_volatility === null ? "–" : formatPercent(run.annual_volatility, 1),
    ],
    ["turnover", ratio(run.turnover)],
    ["bars", formatCount(run.bars_count)],
    ["orders", formatCount(run.orders_count)],
    ["fills", formatCount(run.fills_count)],
    ["initial cash", formatMoney(run.initial_cash)],
    [
      "range",
      run.start && run.end
        ? `${formatDay(Date.parse(run.start))} – ${formatDay(Date.parse(run.end))}`
        : "–",
    ],
    ["engine", run.engine],
  ];
  return (
    <aside className="run-panel" aria-label="Measures">
      <section className="panel-section">
        <h2 className="label">Measures</h2>
        <dl className="attributes">
          {facts.map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd className="number">{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {run.dataset_hash && (
        <section className="panel-section">
          <h2 className="label">Data used, SHA-256</h2>
          <p className="mono hash">
            {run.dataset_hash} <CopyButton text={run.dataset_hash} />
          </p>
        </section>
      )}
      <details className="panel-section config-json">
        <summary className="label">Configuration</summary>
        <pre className="mono" tabIndex={0}>
          {JSON.stringify(run.config, null, 2)}
        </pre>
      </details>
    </aside>
  );
}

function BacktestView({ run, frame }: { run: BacktestRun; frame: Frame | null }) {
  const ready = run.status === "completed";
  const equity = useCurve(run.id, "equity", ready);
  const drawdown = useCurve(run.id, "drawdown", ready);
  const universe = run.config?.session?.universe ?? [];
  const feed = run.config?.feed?.params ?? {};
  const bars = useBars(
    universe.length === 1 ? universe[0] : "",
    feed.interval,
    feed.start,
    feed.end,
  );
  const charts = useMemo(() => {
    const points = equity.data?.points ?? [];
    const times = points.map((p) => toSeconds(p.timestamp));
    const line: Line = {
      label: "backtest",
      values: points.map((p) => p.value),
      color: "accent",
      fill: true,
    };
    const held = closes(bars.data?.bars ?? []);
    const heldLine: Line | null =
      held.times.length > 1
        ? {
            label: "buy and hold",
            values: resample(buyAndHold(held, run.initial_cash), times),
            color: "faint",
            width: 1.1,
          }
        : null;
    const down = drawdown.data?.points ?? [];
    return {
      times,
      line,
      heldLine,
      downTimes: down.map((p) => toSeconds(p.timestamp)),
      down: [
        {
          label: "drawdown",
          values: down.map((p) => -p.value),
          color: "error",
          fill: true,
          width: 1,
        },
      ] as Line[],
    };
  }, [equity.data, drawdown.data, bars.data, run.initial_cash]);
  return (
    <>
      <section className="run-main" aria-label={run.run_name} tabIndex={0}>
        <header className="run-head">
          <div className="run-title">
            <h1>{run.run_name}</h1>
            <p className="row muted">
              <StatusChip status={run.status} />
              <span>
                {universe.join(", ")} {run.strategy}
              </span>
              <TraceLink traceId={run.trace_id} />
            </p>
          </div>
          <dl className="stats">
            <Stat label="Equity">
              {run.final_equity === null ? "–" : formatMoney(run.final_equity)}
            </Stat>
            <Stat label="Return" tone={tone(run.total_return)}>
              {run.total_return === null ? "–" : formatPercentChange(run.total_return)}
            </Stat>
            <Stat label="Sharpe">{ratio(run.sharpe)}</Stat>
            <Stat label="Max drawdown">
              {run.max_drawdown === null
                ? "–"
                : run.max_drawdown === 0
                  ? "0 %"
                  : formatShare(-run.max_drawdown)}
            </Stat>
            <Stat label="Orders">{formatCount(run.orders_count)}</Stat>
          </dl>
        </header>
        {run.error && (
          <p className="run-reason is-error">
            <b>{run.status}:</b> {run.error}
          </p>
        )}
        {kActive.has(run.status) && <Progress frame={frame} fallback="working" />}
        {charts.times.length > 1 ? (
          <>
            <EquityChart
              height={340}
              times={charts.times}
              equity={charts.line}
              held={charts.heldLine}
              group={run.id}
            />
            <Chart
              title="Drawdown"
              height={150}
              times={charts.downTimes}
              lines={charts.down}
              format={formatShare}
              group={run.id}
            />
          </>
        ) : ready && equity.isPending ? (
          <Skeleton width="100%" height={340} />
        ) : (
          <p className="muted chart-empty">
            {equity.error ? equity.error.message : "There are no curves yet."}
          </p>
        )}
      </section>
      <Facts run={run} />
    </>
  );
}

function Backtest({ id, listed }: { id: string; listed: BacktestRun | undefined }) {
  const active = listed ? kActive.has(listed.status) : true;
  const { data, error, refetch, isPending } = useBacktest(id, active, listed !== undefined);
  const waiting =
    !data && ((error instanceof RequestError && error.status === 404) || (isQueued(id) && !listed));
  useEffect(() => {
    if (waiting && listed) refetch();
  }, [waiting, listed, refetch]);
  const frame = useProgress(active ? (listed?.task_id ?? id) : null, [
    ["backtest", id],
    ["backtests"],
  ]);
  const message = frame?.message ?? "";
  if (data) return <BacktestView run={data} frame={frame} />;
  if (waiting && frame?.stage === kUnknown) return <NotHere what="backtest" id={id} />;
  if (waiting)
    return (
      <section className="run-main">
        <State
          title={frame?.stage === "error" ? "The backtest did not start" : "Waiting for a worker"}
        >
          <p className={frame?.stage === "error" ? "is-error" : ""}>
            {message ||
              "The task is queued; the backtest appears here as soon as a worker takes it."}
          </p>
        </State>
      </section>
    );
  if (error && !isPending)
    return <Failed error={error} retry={() => refetch()} what="The backtest" />;
  return (
    <section className="run-main" aria-busy="true">
      <Skeleton width={200} height={20} />
      <div style={{ marginTop: 40 }}>
        <Skeleton width="100%" height={340} />
      </div>
    </section>
  );
}

export function BacktestsPage({ onStart }: { onStart: () => void }) {
  const { parameters } = useLocation();
  const { data, error, refetch, isPending, dataUpdatedAt } = useBacktests();
  const asked = parameters.get("run") ?? "";
  const chosen = asked || data?.[0]?.id || "";
  if (!data && error && !isPending)
    return <Failed error={error} retry={() => refetch()} what="The backtests" />;
  if (data?.length === 0 && asked === "")
    return (
      <State
        title="No backtests yet"
        actions={
          <button type="button" className="button is-primary" onClick={onStart}>
            Run a backtest
          </button>
        }
      >
        <p>
          A backtest runs a strategy over bars you have, with the same fills as a paper session over
          them.
        </p>
      </State>
    );
  return (
    <>
      <StaleBanner error={error} since={dataUpdatedAt} retry={() => refetch()} />
      <div className="run-page">
        <RunList
          runs={data ?? []}
          chosen={chosen}
          render={(run, isChosen, now) => (
            <Item key={run.id} run={run} chosen={isChosen} now={now} />
          )}
        />
        {chosen !== "" && (
          <Backtest
            key={chosen}
            id={chosen}
            listed={data?.find((run) => run.id === chosen || run.task_id === chosen)}
          />
        )}
      </div>
    </>
  );
}
