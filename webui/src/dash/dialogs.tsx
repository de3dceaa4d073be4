// What acts on money: each dialog says what will happen, asks once, and shows what came of it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { formatMoney, formatPercent, plural } from "../shared/format";
import { navigate } from "../shared/router";
import { Dialog } from "../shared/ui";
import {
  call,
  type KillSwitchState,
  markQueued,
  type RunConfig,
  seriesKey,
  type TaskAccepted,
  useSymbols,
} from "./api";
import { kStrategies } from "./strategies";

function Outcome({ error, children }: { error: Error | null; children?: ReactNode }) {
  if (error)
    return (
      <p className="is-error" role="alert">
        {error.message}
      </p>
    );
  return children ? <p role="status">{children}</p> : null;
}

export function KillSwitchDialog({
  state,
  onClose,
}: {
  state: KillSwitchState;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const engage = !state.engaged;
  const send = useMutation({
    mutationFn: () =>
      call<KillSwitchState>("/portfolio/kill_switch", {
        method: "POST",
        body: {
          engage,
          reason:
            reason.trim() ||
            (engage ? "engaged from the dashboard" : "released from the dashboard"),
        },
      }),
    onSuccess: (next) => {
      client.setQueryData(["kill"], next);
      client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
  return (
    <Dialog
      title={
        send.isSuccess
          ? engage
            ? "The kill switch is engaged"
            : "The kill switch is released"
          : engage
            ? "Engage the kill switch"
            : "Release the kill switch"
      }
      onClose={onClose}
    >
      {send.isSuccess ? (
        <p role="status">
          {engage
            ? "No new order is sent from now on, and open orders are being cancelled."
            : "Orders may be sent again."}
        </p>
      ) : engage ? (
        <p>
          Every session stops sending orders at once and cancels its open ones. Positions are kept.
          It stays engaged until someone releases it.
        </p>
      ) : (
        <p>
          It was engaged for: <b>{state.reason || "no reason given"}</b>. Releasing lets sessions
          that wait, and new ones, send orders again.
        </p>
      )}
      {!send.isSuccess && (
        <label>
          <span className="muted">Reason, shown wherever the switch is</span>
          <input
            className="field"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            placeholder={engage ? "e.g. wrong data" : "e.g. data corrected"}
          />
        </label>
      )}
      <Outcome error={send.error} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {send.isSuccess ? "Close" : "Cancel"}
        </button>
        {!send.isSuccess && (
          <button
            type="button"
            className={`button ${engage ? "is-danger is-filled" : "is-primary"}`}
            disabled={send.isPending}
            onClick={() => send.mutate()}
          >
            {engage ? "Stop all trading" : "Release"}
          </button>
        )}
      </div>
    </Dialog>
  );
}

export function StopDialog({
  taskId,
  name,
  positions,
  onClose,
}: {
  taskId: string;
  name: string;
  positions: number;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const send = useMutation({
    mutationFn: () =>
      call<{ ok: boolean; reason: string }>(
        `/paper/stop/${encodeURIComponent(taskId)}?${new URLSearchParams({ reason: reason.trim() || "stopped from the dashboard" })}`,
        { method: "POST" },
      ),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <Dialog title={`Stop ${name}`} onClose={onClose}>
      {send.data ? (
        <p role="status">
          {send.data.ok
            ? "The session was asked to stop; it ends after the bar it is at."
            : "The session had already ended."}
        </p>
      ) : (
        <>
          <p>
            The session ends after the bar it is at.{" "}
            {positions > 0
              ? `${plural(positions, "position")} will be kept, not sold.`
              : "It holds nothing."}{" "}
            Its results stay.
          </p>
          <label>
            <span className="muted">Reason</span>
            <input
              className="field"
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              placeholder="optional"
            />
          </label>
        </>
      )}
      <Outcome error={send.error} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {send.data ? "Close" : "Cancel"}
        </button>
        {!send.data && (
          <button
            type="button"
            className="button is-danger"
            disabled={send.isPending}
            onClick={() => send.mutate()}
          >
            Stop the session
          </button>
        )}
      </div>
    </Dialog>
  );
}

interface Form {
  name: string;
  symbol: string;
  strategy: string;
  params: Record<string, string>;
  cash: string;
  start: string;
  end: string;
  maxBars: string;
  speed: string;
  risk: Record<string, string>;
}

const riskFields: [key: string, label: string, initial: string][] = [
  ["max_position_pct", "Largest position", "0.20"],
  ["max_daily_loss_pct", "Loss in a day", "0.03"],
  ["max_drawdown_pct", "Drawdown", "0.15"],
  ["max_gross_exposure", "Gross exposure", "1.0"],
];

function toConfig(form: Form, interval: string, session: boolean): RunConfig {
  const number = (text: string) => (text.trim() === "" ? undefined : Number(text));
  const numbers = (values: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([key, text]) =>
        text.trim() === "" ? [] : [[key, Number(text)]],
      ),
    );
  const speed = number(form.speed);
  return {
    session: {
      universe: [form.symbol],
      initial_cash: number(form.cash),
      ...(number(form.maxBars) ? { max_bars: number(form.maxBars) } : {}),
    },
    strategy: { name: form.strategy, params: numbers(form.params) },
    ...(session ? { brokerage: { venue: "sim" } } : {}),
    feed: {
      kind: "replay",
      params: {
        interval,
        ...(form.start ? { start: form.start } : {}),
        ...(form.end ? { end: form.end } : {}),
        ...(session && speed ? { speed } : {}),
      },
    },
    risk: numbers(form.risk),
  };
}

function Field({ label, about, children }: { label: string; about?: string; children: ReactNode }) {
  return (
    <label className="form-field">
      <span>
        {label} {about && <span className="muted">{about}</span>}
      </span>
      {children}
    </label>
  );
}

export function StartDialog({
  kind,
  onClose,
}: {
  kind: "session" | "backtest";
  onClose: () => void;
}) {
  const session = kind === "session";
  const symbols = useSymbols();
  const client = useQueryClient();
  const list = symbols.data ?? [];
  const [form, setForm] = useState<Form>({
    name: session ? "paper-adhoc" : "backtest-adhoc",
    symbol: "",
    strategy: kStrategies[0].name,
    params: Object.fromEntries(kStrategies[0].settings.map((s) => [s.key, String(s.initial)])),
    cash: "100000",
    start: "",
    end: "",
    maxBars: "",
    speed: "",
    risk: Object.fromEntries(riskFields.map(([key, , initial]) => [key, initial])),
  });
  // A symbol may be there at several intervals; the one with most bars is offered first.
  const summary =
    list.find((s) => seriesKey(s) === form.symbol) ?? list.toSorted((a, b) => b.count - a.count)[0];
  const symbol = summary?.vt_symbol ?? "";
  const strategy = kStrategies.find((s) => s.name === form.strategy)!;
  const config = toConfig({ ...form, symbol }, summary?.interval ?? "1d", session);
  const set = (change: Partial<Form>) => setForm({ ...form, ...change });
  const send = useMutation({
    mutationFn: () =>
      call<TaskAccepted>(session ? "/paper/start" : "/backtest/run", {
        method: "POST",
        body: { config, run_name: form.name },
      }),
    onSuccess: ({ task_id }) => {
      markQueued(task_id);
      client.invalidateQueries({ queryKey: [session ? "runs" : "backtests"] });
      onClose();
      navigate(
        `/dash?${new URLSearchParams({ ...(session ? {} : { view: "backtests" }), run: task_id })}`,
      );
    },
  });
  const input = (
    value: string,
    change: (text: string) => void,
    extra: React.InputHTMLAttributes<HTMLInputElement> = {},
  ) => (
    <input
      className="field"
      value={value}
      onChange={(event) => change(event.target.value)}
      {...extra}
    />
  );
  return (
    <Dialog title={session ? "Start a paper session" : "Run a backtest"} onClose={onClose} wide>
      <form
        className="start-form"
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <Field label="Name">{input(form.name, (name) => set({ name }), { required: true })}</Field>
        <Field
          label="Symbol"
          about={
            summary
              ? `${summary.count.toLocaleString("en-US")} bars, ${summary.first.slice(0, 4)} – ${summary.last.slice(0, 4)}`
              : undefined
          }
        >
          <select
            className="field"
            value={summary ? seriesKey(summary) : ""}
            onChange={(event) => set({ symbol: event.target.value })}
            required
          >
            {list.map((s) => (
              <option key={seriesKey(s)} value={seriesKey(s)}>
                {s.vt_symbol}, {s.interval}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Strategy" about={strategy.about}>
          <select
            className="field"
            value={form.strategy}
            onChange={(event) =>
              set({
                strategy: event.target.value,
                params: Object.fromEntries(
                  kStrategies
                    .find((s) => s.name === event.target.value)!
                    .settings.map((s) => [s.key, String(s.initial)]),
                ),
              })
            }
          >
            {kStrategies.map((s) => (
              <option key={s.name} value={s.name}>
                {s.title}
              </option>
            ))}
          </select>
        </Field>
        <div className="form-row">
          {strategy.settings.map((s) => (
            <Field key={s.key} label={s.label} about={s.about}>
              {input(
                form.params[s.key] ?? "",
                (text) => set({ params: { ...form.params, [s.key]: text } }),
                { type: "number", step: "any" },
              )}
            </Field>
          ))}
        </div>
        <div className="form-row">
          <Field label="Cash">
            {input(form.cash, (cash) => set({ cash }), { type: "number", step: "any", min: 1 })}
          </Field>
          <Field label="From">
            {input(form.start, (start) => set({ start }), { type: "date" })}
          </Field>
          <Field label="To">{input(form.end, (end) => set({ end }), { type: "date" })}</Field>
          <Field label="Bars at most">
            {input(form.maxBars, (maxBars) => set({ maxBars }), {
              type: "number",
              min: 1,
              placeholder: "all",
            })}
          </Field>
          {session && (
            <Field label="Bars a second">
              {input(form.speed, (speed) => set({ speed }), {
                type: "number",
                min: 0,
                step: "any",
                placeholder: "fastest",
              })}
            </Field>
          )}
        </div>
        <details>
          <summary className="label">Risk limits</summary>
          <div className="form-row">
            {riskFields.map(([key, label]) => (
              <Field key={key} label={label}>
                {input(
                  form.risk[key] ?? "",
                  (text) => set({ risk: { ...form.risk, [key]: text } }),
                  { type: "number", step: "any", min: 0 },
                )}
              </Field>
            ))}
          </div>
        </details>
        {list.length === 0 && !symbols.isPending && (
          <p className="is-warning" role="status">
            There are no bars yet. Ingest a file first, on the page Data.
          </p>
        )}
        <p className="form-summary">
          {session ? "Trades" : "Replays"} <b>{symbol || "…"}</b>{" "}
          {session ? "on the simulated exchange " : ""}with {strategy.title.toLowerCase()}, starting
          from <b>{formatMoney(Number(form.cash) || 0, 0)}</b>; no position above{" "}
          {formatPercent(Number(form.risk.max_position_pct) || 0, 0)} of equity, halted at a
          drawdown of {formatPercent(Number(form.risk.max_drawdown_pct) || 0, 0)}.{" "}
          {session && "No real money is involved."}
        </p>
        <Outcome error={send.error} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className="button is-primary"
            disabled={send.isPending || symbol === ""}
          >
            {session ? "Start the session" : "Run the backtest"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function IngestDialog({
  onClose,
  onAccepted,
}: {
  onClose: () => void;
  onAccepted: (taskId: string) => void;
}) {
  const [path, setPath] = useState("");
  const [glob, setGlob] = useState("*.csv");
  const [overwrite, setOverwrite] = useState(false);
  const send = useMutation({
    mutationFn: () =>
      call<TaskAccepted>("/data/ingest", {
        method: "POST",
        body: { path: path.trim(), format: "csv", glob, overwrite },
      }),
    onSuccess: ({ task_id }) => {
      onAccepted(task_id);
      onClose();
    },
  });
  return (
    <Dialog title="Ingest bars" onClose={onClose}>
      <form
        className="start-form"
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <p>
          Reads CSV files on the server's machine: a column for the time, and open, high, low,
          close, volume in any order. Rows that cannot be read are reported, the others are kept.
        </p>
        <Field label="File or folder">
          <input
            className="field"
            required
            value={path}
            onChange={(event) => setPath(event.target.value)}
            placeholder="/data/bars"
          />
        </Field>
        <Field label="Files in a folder">
          <input className="field" value={glob} onChange={(event) => setGlob(event.target.value)} />
        </Field>
        <label className="row">
          <input
            type="checkbox"
            checked={overwrite}
            onChange={(event) => setOverwrite(event.target.checked)}
          />{" "}
          Replace bars that are there already
        </label>
        <Outcome error={send.error} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button is-primary" disabled={send.isPending}>
            Ingest
          </button>
        </div>
      </form>
    </Dialog>
  );
}
