// Paper sessions: the list, and one of them in full.
import { useEffect, useMemo, useState } from "react";
import { formatCount, formatMoney, formatPercentChange, formatShare } from "../shared/format";
import { RequestError } from "../shared/http";
import { useLocation } from "../shared/router";
import { Command, Skeleton, State } from "../shared/ui";
import {
  isQueued,
  kActive,
  type PaperRun,
  type PaperRunDetail,
  useBars,
  useRun,
  useRuns,
} from "./api";
import { Chart, type Line } from "./Chart";
import { StopDialog } from "./dialogs";
import { EquityChart } from "./EquityChart";
import { type Frame, kUnknown, useProgress } from "./live";
import {
  Failed,
  NotHere,
  Progress,
  StaleBanner,
  Stat,
  StatusChip,
  TraceLink,
  tone,
  useSpanUrl,
} from "./parts";
import { RunItem, RunList } from "./RunList";
import { RunPanel } from "./RunPanel";
import { buyAndHold, closes, fillMarks, resample, toSeconds } from "./series";
import { feedText, venueTitle } from "./venues";

const kGrowingMs = 5000;

function useCharts(run: PaperRunDetail, symbol: string) {
  const feed = run.config?.feed?.params ?? {};
  // Bars that happen now come into the database as the session sees them; before the first, the symbol may
  // not be known there at all.
  const live = run.feed !== "replay";
  const start = feed.start ?? (live ? (run.started_at ?? undefined) : undefined);
  const growing = live && kActive.has(run.status);
  const bars = useBars(symbol, feed.interval, start, feed.end, {
    refreshMs: growing && kGrowingMs,
    known: !live || run.bars_seen > 0,
  });
  return useMemo(() => {
    const all = bars.data?.bars ?? [];
    const active = kActive.has(run.status);
    const last = run.equity_curve[run.equity_curve.length - 1];
    const first = run.equity_curve[0];
    const until = last ? toSeconds(last.timestamp) : undefined;
    const price = closes(all, until);
    const equity = {
      times: run.equity_curve.map((p) => toSeconds(p.timestamp)),
      values: run.equity_curve.map((p) => p.equity),
    };
    const drawdown = { times: equity.times, values: run.equity_curve.map((p) => -p.drawdown) };
    const times = price.times.length > 0 ? price.times : equity.times;
    const held = closes(
      all.filter((bar) => !first || toSeconds(bar.timestamp) >= toSeconds(first.timestamp)),
      until,
    );
    const heldLine: Line | null =
      held.times.length > 1
        ? {
            label: "buy and hold",
            values: resample(buyAndHold(held, run.initial_cash), times),
            color: "faint",
            width: 1.1,
          }
        : null;
    const lastBar = all[all.length - 1];
    return {
      loading: bars.isLoading,
      times,
      price: [{ label: "close", values: price.values, color: "text", width: 1.2 }] as Line[],
      hasPrice: price.times.length > 1,
      equity: {
        label: "session",
        values: resample(equity, times),
        color: "accent",
        fill: true,
      } as Line,
      held: heldLine,
      drawdown: [
        {
          label: "drawdown",
          values: resample(drawdown, times),
          color: "error",
          fill: true,
          width: 1,
        },
      ] as Line[],
      marks: fillMarks(run.fills, symbol),
      now: active ? until : undefined,
      until: active && lastBar ? toSeconds(lastBar.timestamp) : undefined,
      totalBars: all.length,
    };
  }, [bars.data, bars.isLoading, run, symbol]);
}

function SessionView({ run, frame }: { run: PaperRunDetail; frame: Frame | null }) {
  const symbols = useMemo(
    () => [
      ...new Set([
        ...(run.config?.session?.universe ?? []),
        ...run.positions.map((p) => p.vt_symbol),
        ...run.orders.map((o) => o.vt_symbol),
      ]),
    ],
    [run],
  );
  const [picked, setPicked] = useState("");
  const [stopping, setStopping] = useState(false);
  const symbol = symbols.includes(picked) ? picked : (symbols[0] ?? "");
  const charts = useCharts(run, symbol);
  const spanUrl = useSpanUrl();
  const active = kActive.has(run.status);
  const last = run.equity_curve[run.equity_curve.length - 1];
  const equity =
    run.equity ?? (active ? null : run.final_equity) ?? last?.equity ?? run.initial_cash;
  const change = equity / run.initial_cash - 1;
  const range = { from: charts.times[0], until: charts.until };
  return (
    <>
      <section className="run-main" aria-label={run.run_name} tabIndex={0}>
        <header className="run-head">
          <div className="run-title">
            <h1>{run.run_name}</h1>
            <p className="row muted">
              <StatusChip status={run.status} />
              {symbols.length > 1 ? (
                <select
                  className="field symbol-select"
                  aria-label="Symbol"
                  value={symbol}
                  onChange={(event) => setPicked(event.target.value)}
                >
                  {symbols.map((s) => (
                    <option key={s}>{s}</option>
                  ))}
                </select>
              ) : (
                <span>{symbol}</span>
              )}
              <span>{run.strategy}</span>
              <TraceLink traceId={run.trace_id} />
              {active && run.task_id && (
                <button
                  type="button"
                  className="button is-danger is-small"
                  onClick={() => setStopping(true)}
                  disabled={run.status === "stopping"}
                >
                  Stop
                </button>
              )}
            </p>
          </div>
          <dl className="stats">
            <Stat label="Equity">{formatMoney(equity)}</Stat>
            <Stat label="Return" tone={tone(change)}>
              {formatPercentChange(change)}
            </Stat>
            <Stat label="Max drawdown">{formatShare(-run.max_drawdown)}</Stat>
            <Stat label="Orders">{formatCount(run.orders_submitted)}</Stat>
            <Stat label="Bars">{formatCount(run.bars_seen)}</Stat>
          </dl>
        </header>
        <dl className="run-route">
          <div>
            <dt>Orders</dt>
            <dd>{venueTitle(run.brokerage)}</dd>
          </div>
          <div>
            <dt>Bars</dt>
            <dd>{feedText(run)}</dd>
          </div>
        </dl>
        {(run.error || (run.status_reason && run.status !== "completed")) && (
          <p className={`run-reason ${run.error ? "is-error" : "is-warning"}`}>
            <b>{run.status.replace("_", " ")}:</b> {run.error ?? run.status_reason}
          </p>
        )}
        {active && <Progress frame={frame} fallback="waiting for the next bar" />}
        {charts.hasPrice ? (
          <Chart
            title="Price"
            height={300}
            times={charts.times}
            lines={charts.price}
            marks={charts.marks}
            now={charts.now}
            group={run.id}
            {...range}
            onMark={(mark) => {
              const url = spanUrl(mark.traceId, mark.spanId);
              if (url) location.assign(url);
            }}
          />
        ) : charts.loading ? (
          <Skeleton width="100%" height={300} />
        ) : null}
        {charts.times.length > 1 && run.equity_curve.length > 1 ? (
          <>
            <EquityChart
              height={170}
              times={charts.times}
              equity={charts.equity}
              held={charts.held}
              now={charts.now}
              group={run.id}
              {...range}
            />
            <Chart
              title="Drawdown"
              height={110}
              times={charts.times}
              lines={charts.drawdown}
              format={formatShare}
              group={run.id}
              {...range}
            />
          </>
        ) : (
          !charts.loading && (
            <p className="muted chart-empty">
              {active
                ? "The curves begin with the first bars."
                : "This session has no equity curve."}
            </p>
          )
        )}
      </section>
      <RunPanel run={run} />
      {stopping && run.task_id && (
        <StopDialog
          taskId={run.task_id}
          name={run.run_name}
          positions={run.positions.length}
          onClose={() => setStopping(false)}
        />
      )}
    </>
  );
}

function Session({ id, listed }: { id: string; listed: PaperRun | undefined }) {
  const active = listed ? kActive.has(listed.status) : true;
  const { data, error, refetch, isPending } = useRun(id, active, listed !== undefined);
  const waiting =
    !data && ((error instanceof RequestError && error.status === 404) || (isQueued(id) && !listed));
  useEffect(() => {
    if (waiting && listed) refetch();
  }, [waiting, listed, refetch]);
  const frame = useProgress(active ? (data?.task_id ?? listed?.task_id ?? id) : null, [
    ["run", id],
    ["runs"],
  ]);
  const message = frame?.message ?? "";
  if (data) return <SessionView run={data} frame={frame} />;
  // A task that was only just queued has no row yet; the list says when it has.
  if (waiting && frame?.stage === kUnknown) return <NotHere what="session" id={id} />;
  if (waiting)
    return (
      <section className="run-main">
        <State
          title={frame?.stage === "error" ? "The session did not start" : "Waiting for a worker"}
        >
          <p className={frame?.stage === "error" ? "is-error" : ""}>
            {message ||
              "The task is queued; the session appears here as soon as a worker takes it."}
          </p>
          <p className="mono faint">{id}</p>
          <button type="button" className="button" onClick={() => refetch()}>
            Look again
          </button>
        </State>
      </section>
    );
  if (error && !isPending)
    return <Failed error={error} retry={() => refetch()} what="The session" />;
  return (
    <section className="run-main" aria-busy="true">
      <Skeleton width={200} height={20} />
      <div style={{ marginTop: 40 }}>
        <Skeleton width="100%" height={300} />
      </div>
      <div style={{ marginTop: 30 }}>
        <Skeleton width="100%" height={150} />
      </div>
    </section>
  );
}

export function SessionsPage({ onStart }: { onStart: () => void }) {
  const { parameters } = useLocation();
  const { data, error, refetch, isPending, dataUpdatedAt } = useRuns();
  const asked = parameters.get("run") ?? "";
  const chosen = asked || data?.find((run) => kActive.has(run.status))?.id || data?.[0]?.id || "";
  const listed = data?.find((run) => run.id === chosen || run.task_id === chosen);
  if (!data && error && !isPending)
    return <Failed error={error} retry={() => refetch()} what="The sessions" />;
  if (data?.length === 0 && asked === "")
    return (
      <State
        title="No sessions yet"
        actions={
          <button type="button" className="button is-primary" onClick={onStart}>
            Start a paper session
          </button>
        }
      >
        <p>
          A paper session trades stored bars, or bars as they happen, at the simulated exchange or
          at a broker. The demo runs one on real market data:
        </p>
        <Command text="alphaswarm up" />
      </State>
    );
  return (
    <>
      <StaleBanner error={error} since={dataUpdatedAt} retry={() => refetch()} />
      <div className="run-page">
        {data ? (
          <RunList
            runs={data}
            chosen={chosen}
            render={(run, isChosen, now) => (
              <RunItem key={run.id} run={run} chosen={isChosen} now={now} />
            )}
          />
        ) : (
          <div className="run-list" aria-busy="true">
            {[0, 1, 2].map((i) => (
              <div key={i} style={{ padding: 16 }}>
                <Skeleton width={150} />
              </div>
            ))}
          </div>
        )}
        {chosen !== "" && <Session key={chosen} id={chosen} listed={listed} />}
      </div>
    </>
  );
}
