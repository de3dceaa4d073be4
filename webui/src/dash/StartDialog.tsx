// The form that starts a session or a backtest: says what it will do, and shows the service's answer. One
// that sends orders to a live venue is confirmed in a second step.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { formatMoney, formatPercent } from "../shared/format";
import { navigate } from "../shared/router";
import { Dialog } from "../shared/ui";
import { call, markQueued, seriesKey, type TaskAccepted, useSymbols, useVenues } from "./api";
import { ConfirmLive } from "./ConfirmLive";
import { Field, Outcome } from "./form-parts";
import { type Form, feedOf, modeOf, toConfig, universeOf } from "./session-config";
import { kStrategies } from "./strategies";
import { Choices, LiveFeedFields } from "./VenueFields";
import { accountText, feedChoices, isLive, venueChoices, venueTitle } from "./venues";

const riskFields: [key: string, label: string, initial: string][] = [
  ["max_position_pct", "Largest position", "0.20"],
  ["max_daily_loss_pct", "Loss in a day", "0.03"],
  ["max_drawdown_pct", "Drawdown", "0.15"],
  ["max_gross_exposure", "Gross exposure", "1.0"],
];

const initialForm = (session: boolean): Form => ({
  name: session ? "paper-adhoc" : "backtest-adhoc",
  venue: "sim",
  feed: "replay",
  series: "",
  symbols: "",
  interval: "1m",
  mode: "stream",
  pollSeconds: "5",
  warmup: "",
  strategy: kStrategies[0].name,
  params: Object.fromEntries(kStrategies[0].settings.map((s) => [s.key, String(s.initial)])),
  cash: "100000",
  start: "",
  end: "",
  maxBars: "",
  speed: "",
  risk: Object.fromEntries(riskFields.map(([key, , initial]) => [key, initial])),
});

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
  const venues = useVenues();
  const [form, setForm] = useState<Form>(() => initialForm(session));
  const [step, setStep] = useState<"form" | "confirm" | "back">("form");
  // A symbol may be there at several intervals; the one with most bars is offered first.
  const summary =
    list.find((s) => seriesKey(s) === form.series) ?? list.toSorted((a, b) => b.count - a.count)[0];
  const strategy = kStrategies.find((s) => s.name === form.strategy)!;
  const config = toConfig(form, summary, session);
  const universe = session ? universeOf(form, summary) : summary ? [summary.vt_symbol] : [];
  const liveFeed = session && feedOf(form) !== "replay";
  const liveVenue = session && isLive(form.venue);
  const venueProblem = venues.data ? undefined : venues.error?.message;
  const described = venues.data?.find((v) => v.venue === form.venue);
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
  const bars = liveFeed
    ? `Alpaca's ${form.interval} bars, ${modeOf(form) === "stream" ? "streamed" : `asked for every ${form.pollSeconds} s`}`
    : "";
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
  if (step === "confirm")
    return (
      <Dialog title={`Send orders to ${venueTitle(form.venue)}?`} onClose={onClose}>
        <ConfirmLive
          venue={form.venue}
          described={described}
          config={config}
          strategy={strategy.title}
          bars={bars}
          error={send.error}
          pending={send.isPending}
          onBack={() => {
            send.reset();
            setStep("back");
          }}
          onStart={() => send.mutate()}
        />
      </Dialog>
    );
  return (
    <Dialog title={session ? "Start a paper session" : "Run a backtest"} onClose={onClose} wide>
      <form
        className="start-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (liveVenue) setStep("confirm");
          else send.mutate();
        }}
      >
        <Field label="Name">{input(form.name, (name) => set({ name }), { required: true })}</Field>
        {session && (
          <div className="form-row is-top">
            <Choices
              legend="Orders go to"
              value={form.venue}
              choices={venueChoices(venues.data, venueProblem)}
              onChange={(venue) => set({ venue })}
            />
            <Choices
              legend="Bars come from"
              value={feedOf(form)}
              choices={feedChoices(form.venue, venues.data, venueProblem)}
              onChange={(feed) => set({ feed })}
            />
          </div>
        )}
        {liveFeed ? (
          <Field label="Symbols" about="TICKER.EXCHANGE, one or more">
            {input(form.symbols, (symbols) => set({ symbols }), {
              required: true,
              pattern: "\\s*[^\\s,;.]+\\.[^\\s,;]+.*",
              title: "a ticker, a point and an exchange: AAPL.NASDAQ",
              placeholder: "AAPL.NASDAQ",
            })}
          </Field>
        ) : (
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
              onChange={(event) => set({ series: event.target.value })}
              required
            >
              {list.map((s) => (
                <option key={seriesKey(s)} value={seriesKey(s)}>
                  {s.vt_symbol}, {s.interval}
                </option>
              ))}
            </select>
          </Field>
        )}
        {session && <LiveFeedFields form={form} set={set} />}
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
          {!liveVenue && (
            <Field label="From" about={liveFeed ? "else from now" : undefined}>
              {input(form.start, (start) => set({ start }), { type: "date" })}
            </Field>
          )}
          {!liveFeed && (
            <Field label="To">{input(form.end, (end) => set({ end }), { type: "date" })}</Field>
          )}
          <Field label="Bars at most">
            {input(form.maxBars, (maxBars) => set({ maxBars }), {
              type: "number",
              min: 1,
              placeholder: liveFeed ? "until stopped" : "all",
            })}
          </Field>
          {session && !liveFeed && (
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
        {!liveFeed && list.length === 0 && !symbols.isPending && (
          <p className="is-warning" role="status">
            There are no bars yet. Ingest a file first, on the page Data.
          </p>
        )}
        <p className="form-summary">
          {session ? "Trades" : "Replays"} <b>{universe.join(", ") || "…"}</b>{" "}
          {session && (liveVenue ? `at ${venueTitle(form.venue)} ` : "on the simulated exchange ")}
          with {strategy.title.toLowerCase()}
          {liveFeed && ` and ${bars}`}, starting from{" "}
          <b>{formatMoney(Number(form.cash) || 0, 0)}</b>; no position above{" "}
          {formatPercent(Number(form.risk.max_position_pct) || 0, 0)} of equity, halted at a
          drawdown of {formatPercent(Number(form.risk.max_drawdown_pct) || 0, 0)}.{" "}
          {liveVenue ? (
            <b>
              Orders go to {venueTitle(form.venue)}: {accountText(described)}.
            </b>
          ) : (
            session && "No real money is involved."
          )}
        </p>
        <Outcome error={send.error} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className="button is-primary"
            // biome-ignore lint/a11y/noAutofocus: back from the confirmation, where the focus was here
            autoFocus={step === "back"}
            disabled={send.isPending || (!liveFeed && universe.length === 0)}
          >
            {liveVenue ? "Continue …" : session ? "Start the session" : "Run the backtest"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
