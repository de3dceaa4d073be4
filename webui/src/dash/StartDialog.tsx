// The form that starts a session or a backtest: says what it will do, and shows the service's answer.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { formatMoney, formatPercent } from "../shared/format";
import { navigate } from "../shared/router";
import { Dialog } from "../shared/ui";
import { call, markQueued, type RunConfig, seriesKey, type TaskAccepted, useSymbols } from "./api";
import { Field, Outcome } from "./form-parts";
import { kStrategies } from "./strategies";

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
