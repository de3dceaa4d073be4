// The query as a form: each choice with the number of spans behind it.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { serviceColor, shortService } from "../../shared/color";
import { formatCount, parseDuration, toGoDuration } from "../../shared/format";
import { useTheme } from "../../shared/theme";
import { api, type ServiceSummary } from "../api";
import { type Query, withCondition } from "./query";

interface Choice {
  value: string;
  text: string;
  count: number;
  color?: string;
  bad?: boolean;
}

const kPreferredKeys = [
  "market.symbol",
  "order.side",
  "http.response.status_code",
  "strategy.name",
  "risk.verdict",
];
const kShown = 6;

function Facet({
  title,
  choices,
  chosen,
  onChoose,
}: {
  title: string;
  choices: Choice[];
  chosen: string | undefined;
  onChoose: (value: string | undefined) => void;
}) {
  const [all, setAll] = useState(false);
  const most = Math.max(1, ...choices.map((c) => c.count));
  const shown = all ? choices : choices.filter((c, i) => i < kShown || c.value === chosen);
  return (
    <fieldset className="facet">
      <legend className="label">{title}</legend>
      {shown.map((choice) => (
        <button
          key={choice.value}
          type="button"
          className="facet-choice"
          aria-pressed={choice.value === chosen}
          onClick={() => onChoose(choice.value === chosen ? undefined : choice.value)}
          style={{ "--share": `${(100 * choice.count) / most}%` } as React.CSSProperties}
        >
          {choice.color && <span className="swatch" style={{ background: choice.color }} />}
          <span className={`ellipsis grow${choice.bad ? " is-error" : ""}`} title={choice.text}>
            {choice.text}
          </span>
          <span className="number muted">{formatCount(choice.count)}</span>
        </button>
      ))}
      {choices.length > kShown && (
        <button type="button" className="text-button facet-more" onClick={() => setAll(!all)}>
          {all ? "fewer" : `${formatCount(choices.length - kShown)} more`}
        </button>
      )}
    </fieldset>
  );
}

function AttributeFacet({
  name,
  query,
  onChange,
}: {
  name: string;
  query: Query;
  onChange: (query: Query) => void;
}) {
  const { data } = useQuery({
    queryKey: ["values", name],
    queryFn: ({ signal }) => api.attributeValues(name, "", signal),
    staleTime: 10_000,
    retry: false,
  });
  if (!data || data.values.length === 0) return null;
  const chosen = query.attributes.find((c) => c.key === name && c.operator === "=")?.value;
  return (
    <Facet
      title={name}
      choices={data.values.map((v) => ({
        value: String(v.value),
        text: String(v.value),
        count: v.count,
        bad: name.endsWith("status_code") && Number(v.value) >= 400,
      }))}
      chosen={chosen}
      onChoose={(value) =>
        onChange(
          value === undefined
            ? { ...query, attributes: query.attributes.filter((c) => c.key !== name) }
            : withCondition(query, { key: name, operator: "=", value }),
        )
      }
    />
  );
}

function DurationField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: number | undefined;
  onChange: (ns: number | undefined) => void;
}) {
  const [text, setText] = useState("");
  useEffect(() => setText(value === undefined ? "" : toGoDuration(value)), [value]);
  const ns = text.trim() === "" ? undefined : parseDuration(text);
  const wrong = text.trim() !== "" && ns === undefined;
  const commit = () => !wrong && ns !== value && onChange(ns);
  return (
    <label className="duration-field">
      <span className="muted">{label}</span>
      <input
        className="field"
        value={text}
        placeholder={label === "at least" ? "2ms" : "1s"}
        aria-invalid={wrong}
        title={wrong ? "A number and a unit, as in 1.5ms, 250us or 2s" : undefined}
        onChange={(e) => setText(e.target.value)}
        onBlur={commit}
        onKeyDown={(e) => e.key === "Enter" && commit()}
      />
    </label>
  );
}

export function Facets({
  query,
  services,
  onChange,
}: {
  query: Query;
  services: ServiceSummary[];
  onChange: (query: Query) => void;
}) {
  const theme = useTheme();
  const [added, setAdded] = useState<string[]>([]);
  const { data: keys } = useQuery({
    queryKey: ["keys"],
    queryFn: ({ signal }) => api.attributeKeys("", signal),
    staleTime: 10_000,
    retry: false,
  });
  const known = keys?.keys.map((k) => k.key) ?? [];
  const asked = query.attributes.filter((c) => c.operator === "=").map((c) => c.key);
  const shown = [
    ...new Set([
      ...asked,
      ...kPreferredKeys.filter((key) => known.includes(key)).slice(0, 3),
      ...added,
    ]),
  ];
  const service = services.find((s) => s.name === query.service);
  const operations = (service ? [service] : services)
    .flatMap((s) => s.operations.map((o) => ({ ...o, service: s.name })))
    .sort((a, b) => b.spans - a.spans);
  const merged = new Map<string, Choice>();
  for (const o of operations) {
    const old = merged.get(o.name);
    merged.set(o.name, {
      value: o.name,
      text: o.name,
      count: (old?.count ?? 0) + o.spans,
      color: serviceColor(o.service, theme),
    });
  }
  const errors = (service ? [service] : services).reduce((sum, s) => sum + s.errors, 0);
  return (
    <form
      className="facets"
      aria-label="Query as a form"
      onSubmit={(event) => event.preventDefault()}
    >
      <Facet
        title="Service"
        choices={services.map((s) => ({
          value: s.name,
          text: shortService(s.name),
          count: s.spans,
          color: serviceColor(s.name, theme),
        }))}
        chosen={query.service}
        onChoose={(value) => onChange({ ...query, service: value, name: undefined })}
      />
      <Facet
        title="Operation"
        choices={[...merged.values()]}
        chosen={query.name}
        onChoose={(value) => onChange({ ...query, name: value })}
      />
      <Facet
        title="Status"
        choices={[{ value: "error", text: "error", count: errors, bad: true }]}
        chosen={query.failedOnly ? "error" : undefined}
        onChoose={(value) => onChange({ ...query, failedOnly: value !== undefined || undefined })}
      />
      <fieldset className="facet">
        <legend className="label">Duration</legend>
        <DurationField
          label="at least"
          value={query.minDurationNs}
          onChange={(ns) => onChange({ ...query, minDurationNs: ns })}
        />
        <DurationField
          label="at most"
          value={query.maxDurationNs}
          onChange={(ns) => onChange({ ...query, maxDurationNs: ns })}
        />
      </fieldset>
      {shown.map((key) => (
        <AttributeFacet key={key} name={key} query={query} onChange={onChange} />
      ))}
      {known.length > shown.length && (
        <label className="facet-add">
          <span className="visually-hidden">Add a key</span>
          <select
            className="field"
            value=""
            onChange={(event) => setAdded([...added, event.target.value])}
          >
            <option value="">+ more keys</option>
            {known
              .filter((key) => !shown.includes(key))
              .map((key) => (
                <option key={key}>{key}</option>
              ))}
          </select>
        </label>
      )}
    </form>
  );
}
