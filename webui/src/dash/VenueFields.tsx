// Where the orders go and where the bars come from. What cannot be chosen says why.
import { useId } from "react";
import { Field } from "./form-parts";
import { type Form, feedOf, modeOf } from "./session-config";
import type { Choice } from "./venues";

export function Choices<T extends string>({
  legend,
  value,
  choices,
  onChange,
}: {
  legend: string;
  value: T;
  choices: Choice<T>[];
  onChange: (value: T) => void;
}) {
  const id = useId();
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {choices.map((choice) => (
        <div key={choice.value} className={`choice${choice.refused ? " is-refused" : ""}`}>
          <input
            type="radio"
            id={`${id}-${choice.value}`}
            name={id}
            value={choice.value}
            checked={choice.value === value}
            disabled={choice.refused}
            aria-describedby={`${id}-${choice.value}-about`}
            onChange={() => onChange(choice.value)}
          />
          <label htmlFor={`${id}-${choice.value}`}>{choice.title}</label>
          <p id={`${id}-${choice.value}-about`} className="muted">
            {choice.about}
          </p>
        </div>
      ))}
    </fieldset>
  );
}

const intervals = [
  ["1m", "1 minute"],
  ["1h", "1 hour"],
  ["1d", "1 day"],
  ["1w", "1 week"],
  ["1mo", "1 month"],
] as const;

/** How bars that happen now are had. */
export function LiveFeedFields({
  form,
  set,
}: {
  form: Form;
  set: (change: Partial<Form>) => void;
}) {
  if (feedOf(form) === "replay") return null;
  const mode = modeOf(form);
  return (
    <div className="form-row">
      <Field label="Bars of">
        <select
          className="field"
          value={form.interval}
          onChange={(event) => set({ interval: event.target.value })}
        >
          {intervals.map(([key, text]) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Delivery" about={form.interval === "1m" ? undefined : "no stream of these"}>
        <select
          className="field"
          value={mode}
          onChange={(event) => set({ mode: event.target.value as Form["mode"] })}
        >
          <option value="stream" disabled={form.interval !== "1m"}>
            Streamed
          </option>
          <option value="poll">Asked for</option>
        </select>
      </Field>
      {mode === "poll" && (
        <Field label="Asked every" about="seconds">
          <input
            className="field"
            type="number"
            required
            min={0.01}
            max={3600}
            step="any"
            value={form.pollSeconds}
            onChange={(event) => set({ pollSeconds: event.target.value })}
          />
        </Field>
      )}
      <Field label="Warm-up" about="stored bars">
        <input
          className="field"
          type="number"
          min={0}
          max={100000}
          placeholder="none"
          value={form.warmup}
          onChange={(event) => set({ warmup: event.target.value })}
        />
      </Field>
    </div>
  );
}
