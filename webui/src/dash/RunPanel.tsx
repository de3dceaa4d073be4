// Beside a session's charts: what it holds, how near its limits it is, and what it did, line by line.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { serviceColor } from "../shared/color";
import {
  formatClock,
  formatCount,
  formatDuration,
  formatMoney,
  formatPercent,
} from "../shared/format";
import { useTheme } from "../shared/theme";
import { Segmented } from "../shared/ui";
import type { Fill, LedgerEntry, Order, PaperRunDetail, Position, RiskLimits } from "./api";
import { ledgerText, riskUse } from "./facts";
import { orderLatencies, summarise } from "./latency";
import { TraceLink, tone } from "./parts";

const kLine = 26;
type Tab = "ledger" | "orders" | "fills";

function Positions({ positions }: { positions: Position[] }) {
  return (
    <section className="panel-section">
      <h2 className="label">Position</h2>
      {positions.length === 0 ? (
        <p className="muted">Nothing is held.</p>
      ) : (
        <table className="positions">
          <thead>
            <tr>
              <th>Symbol</th>
              <th className="number">Qty</th>
              <th className="number">Average</th>
              <th className="number">P&amp;L</th>
            </tr>
          </thead>
          <tbody>
            {positions.map((p) => (
              <tr key={p.vt_symbol}>
                <td className="mono">{p.vt_symbol}</td>
                <td className="number">{p.quantity}</td>
                <td className="number">{formatMoney(p.average_cost)}</td>
                <td className={`number ${tone(p.unrealised_pnl)}`}>
                  {p.unrealised_pnl > 0 ? "+ " : ""}
                  {formatMoney(p.unrealised_pnl)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Limit({
  title,
  used,
  limit,
}: {
  title: string;
  used: number | undefined;
  limit: number | string | undefined;
}) {
  if (limit === undefined || used === undefined) return null;
  const most = Number(limit); // decimals come as text
  const share = Math.min(1, used / Math.max(1e-9, most));
  return (
    <div className="limit">
      <span>{title}</span>
      <span className="number muted">
        {(used * 100).toFixed(1)} of {formatPercent(most, 0)}
      </span>
      <meter
        className="visually-hidden"
        value={share}
        aria-label={`${title}, share of its limit`}
      />
      <span className="share-bar" aria-hidden="true">
        <span
          style={{
            width: `${share * 100}%`,
            background:
              share > 0.9 ? "var(--error)" : share > 0.7 ? "var(--warning)" : "var(--accent)",
          }}
        />
      </span>
    </div>
  );
}

function Risk({ run, limits }: { run: PaperRunDetail; limits: RiskLimits }) {
  const use = riskUse(run);
  return (
    <section className="panel-section">
      <h2 className="label">Risk</h2>
      <Limit title="Largest position" used={use.position} limit={limits.max_position_pct} />
      <Limit title="Daily loss" used={use.dailyLoss} limit={limits.max_daily_loss_pct} />
      <Limit title="Drawdown" used={use.drawdown} limit={limits.max_drawdown_pct} />
      <Limit title="Gross exposure" used={use.exposure} limit={limits.max_gross_exposure} />
    </section>
  );
}

function Latency({ orders, ledger }: { orders: Order[]; ledger: LedgerEntry[] }) {
  const theme = useTheme();
  const summary = useMemo(() => summarise(orderLatencies(orders, ledger)), [orders, ledger]);
  if (!summary) return null;
  const { worst } = summary;
  const stages = [
    ["risk and submit", summary.submitNs, serviceColor("alphaswarm-paper-trader", theme)],
    ["venue to fill", summary.fillNs, serviceColor("alphaswarm-exchange", theme)],
  ] as const;
  return (
    <section className="panel-section latency">
      <h2 className="label">Latency, signal to fill</h2>
      <div className="latency-bar" aria-hidden="true">
        {stages.map(([name, ns, color]) => (
          <span key={name} style={{ flexGrow: Math.max(1, ns), background: color }} />
        ))}
      </div>
      <dl>
        {stages.map(([name, ns, color]) => (
          <div key={name}>
            <dt>
              <span className="swatch" style={{ background: color }} />
              {name}
            </dt>
            <dd className="number muted">{formatDuration(ns)}</dd>
          </div>
        ))}
      </dl>
      <p className="muted" title={`Medians over ${formatCount(summary.count)} filled orders`}>
        p50 <b>{formatDuration(summary.p50Ns)}</b> · p99 <b>{formatDuration(summary.p99Ns)}</b> ·
        worst{" "}
        <TraceLink traceId={worst.order.trace_id} spanId={worst.order.span_id}>
          {formatDuration(worst.wholeNs)} →
        </TraceLink>
      </p>
    </section>
  );
}

const typeTone: Record<string, string> = {
  FILL: "good",
  ORDER: "accent",
  RISK: "warning",
  SIGNAL: "signal",
  META: "muted",
};

function LedgerLine({ entry, oneSymbol }: { entry: LedgerEntry; oneSymbol: boolean }) {
  return (
    <>
      <span className="mono faint">
        {entry.created_at ? formatClock(Date.parse(entry.created_at)) : ""}
      </span>
      <span
        className="entry-type"
        style={{ color: `var(--${typeTone[entry.entry_type] ?? "muted"})` }}
      >
        {entry.entry_type}
      </span>
      <span
        className={`ellipsis grow${entry.level === "error" ? " is-error" : entry.level === "warning" ? " is-warning" : ""}`}
        title={entry.message}
      >
        {ledgerText(entry, oneSymbol)}
      </span>
      {entry.trace_id && (
        <TraceLink traceId={entry.trace_id} spanId={entry.span_id}>
          span
        </TraceLink>
      )}
    </>
  );
}

function OrderLine({ order }: { order: Order }) {
  const price = order.average_price ?? order.limit_price ?? order.stop_price;
  return (
    <>
      <span className="mono faint">
        {order.created_at ? formatClock(Date.parse(order.created_at)) : ""}
      </span>
      <span className={order.side === "buy" ? "entry-type is-good" : "entry-type is-error"}>
        {order.side}
      </span>
      <span
        className="ellipsis grow"
        title={`${order.client_order_id}${order.status_reason ? `: ${order.status_reason}` : ""}`}
      >
        {order.quantity} {order.order_type}
        {price !== null && ` @ ${formatMoney(price)}`}{" "}
        <span className={order.status === "rejected" ? "is-error" : "muted"}>{order.status}</span>
      </span>
      <TraceLink traceId={order.trace_id} spanId={order.span_id}>
        span
      </TraceLink>
    </>
  );
}

function FillLine({ fill }: { fill: Fill }) {
  return (
    <>
      <span className="mono faint">{fill.filled_at.slice(0, 10)}</span>
      <span className={fill.side === "buy" ? "entry-type is-good" : "entry-type is-error"}>
        {fill.side}
      </span>
      <span className="ellipsis grow">
        {fill.quantity} @ {formatMoney(fill.price)}{" "}
        <span className="muted">commission {formatMoney(fill.commission)}</span>
      </span>
      <TraceLink traceId={fill.trace_id} spanId={fill.span_id}>
        span
      </TraceLink>
    </>
  );
}

function Lines<T extends object>({
  items,
  keyOf,
  render,
  empty,
}: {
  items: T[];
  keyOf: (item: T) => string;
  render: (item: T) => React.ReactNode;
  empty: string;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => kLine,
    overscan: 10,
    initialRect: { width: 340, height: 500 },
  });
  if (items.length === 0) return <p className="muted panel-empty">{empty}</p>;
  return (
    <div ref={scroller} className="ledger" tabIndex={0} role="region" aria-label="Entries">
      <ul style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
        {virtualizer.getVirtualItems().map((item) => (
          <li
            key={keyOf(items[item.index])}
            className="ledger-line"
            style={{ position: "absolute", top: item.start, left: 0, right: 0, height: kLine }}
          >
            {render(items[item.index])}
          </li>
        ))}
      </ul>
    </div>
  );
}

export function RunPanel({ run }: { run: PaperRunDetail }) {
  const [tab, setTab] = useState<Tab>("ledger");
  const oneSymbol = new Set(run.orders.map((order) => order.vt_symbol)).size <= 1;
  return (
    <aside className="run-panel" aria-label="Positions, risk and ledger">
      <Positions positions={run.positions} />
      {run.config?.risk && <Risk run={run} limits={run.config.risk} />}
      <Latency orders={run.orders} ledger={run.ledger} />
      <div className="panel-tabs">
        <Segmented<Tab>
          label="Entries"
          value={tab}
          options={[
            ["ledger", `Ledger ${formatCount(run.ledger.length)}`],
            ["orders", `Orders ${formatCount(run.orders.length)}`],
            ["fills", `Fills ${formatCount(run.fills.length)}`],
          ]}
          onChange={setTab}
        />
      </div>
      {tab === "ledger" && (
        <Lines
          items={run.ledger}
          keyOf={(e) => e.id}
          render={(e) => <LedgerLine entry={e} oneSymbol={oneSymbol} />}
          empty="The ledger is empty so far."
        />
      )}
      {tab === "orders" && (
        <Lines
          items={run.orders}
          keyOf={(o) => o.client_order_id}
          render={(o) => <OrderLine order={o} />}
          empty="No order has been sent so far."
        />
      )}
      {tab === "fills" && (
        <Lines
          items={run.fills}
          keyOf={(f) => f.id}
          render={(f) => <FillLine fill={f} />}
          empty="Nothing has been filled so far."
        />
      )}
    </aside>
  );
}
