// Search: one query, seen as a line and as a form; its results as points and as a list.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { formatClock, formatCount, formatDuration, plural } from "../../shared/format";
import { RequestError } from "../../shared/http";
import { navigate } from "../../shared/router";
import { Command, Segmented, Skeleton, State } from "../../shared/ui";
import { api, type ServiceSummary } from "../api";
import { traceUrl } from "../links";
import { Facets } from "./Facets";
import { QueryLine } from "./QueryLine";
import { formatQuery, type Query } from "./query";
import { Results } from "./Results";
import { durationFacts, sortHits, toHits } from "./results";
import { Scatter } from "./Scatter";
import {
  changeSearch,
  kRanges,
  limitOf,
  type Mode,
  runSearch,
  type SearchState,
  useSearch,
  useSearchState,
} from "./useSearch";

function FirstUse() {
  return (
    <State level={2} title="No traces yet">
      <p>
        Nothing has been received so far. Run the whole system with its demo, which traces itself:
      </p>
      <Command text="alphaswarm up" />
      <p>Or send spans from any program with an OpenTelemetry SDK:</p>
      <Command text="export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317" />
      <p>This page fills by itself as soon as the first span is here.</p>
    </State>
  );
}

interface Dropped {
  text: string;
  query: Query;
  anyTime: boolean;
}

/** The query without each of its conditions in turn. */
function withoutEach(query: Query, state: SearchState): Dropped[] {
  const result: Dropped[] = [];
  const drop = (text: string, change: Partial<Query>) =>
    result.push({ text, query: { ...query, ...change }, anyTime: false });
  if (state.range || state.start)
    result.push({
      text: state.start
        ? "the time range"
        : kRanges[state.range as keyof typeof kRanges].toLowerCase(),
      query,
      anyTime: true,
    });
  if (query.service) drop(`service=${query.service}`, { service: undefined });
  if (query.name) drop(`name=${query.name}`, { name: undefined });
  if (query.minDurationNs !== undefined)
    drop(formatQuery({ minDurationNs: query.minDurationNs, attributes: [] }), {
      minDurationNs: undefined,
    });
  if (query.maxDurationNs !== undefined)
    drop(formatQuery({ maxDurationNs: query.maxDurationNs, attributes: [] }), {
      maxDurationNs: undefined,
    });
  if (query.failedOnly) drop("status=error", { failedOnly: undefined });
  for (const condition of query.attributes)
    drop(`${condition.key}${condition.operator}${condition.value}`, {
      attributes: query.attributes.filter((c) => c !== condition),
    });
  return result;
}

function NothingFound({ query, state }: { query: Query; state: SearchState }) {
  const dropped = withoutEach(query, state);
  const answers = useQueries({
    queries: dropped.map((d) => ({
      queryKey: [
        "without",
        formatQuery(d.query),
        d.anyTime,
        state.mode,
        state.range,
        state.start,
        state.end,
      ],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        runSearch(
          d.query,
          d.anyTime ? { ...state, range: "", start: "", end: "" } : state,
          20,
          signal,
        ),
      retry: false,
    })),
  });
  const found = answers.map(
    (answer) => answer.data?.traces?.length ?? answer.data?.spans?.length ?? 0,
  );
  const helps = dropped.map((d, i) => ({ ...d, count: found[i] })).filter((d) => d.count > 0);
  const apply = (d: Dropped) => {
    if (d.anyTime) changeSearch.range("");
    else changeSearch.query(d.query);
  };
  const settled = answers.every((answer) => !answer.isPending);
  return (
    <State level={2} title={`No ${state.mode === "spans" ? "span" : "trace"} matches`}>
      {helps.length > 0 && (
        <p>One condition excludes everything. Without it there is something to see:</p>
      )}
      {settled && helps.length === 0 && dropped.length > 0 && (
        <p>No single condition is to blame: at least two of them exclude everything.</p>
      )}
      {dropped.length === 0 && <p>The store holds spans, but none that this view can list yet.</p>}
      <div className="drop-list">
        {helps.map((d) => (
          <button key={d.text} type="button" className="button" onClick={() => apply(d)}>
            Drop <span className="mono">{d.text}</span>{" "}
            <span className="muted">
              {d.count >= 20 ? "20 or more" : formatCount(d.count)} found
            </span>
          </button>
        ))}
        {dropped.length > 1 && (
          <button type="button" className="button" onClick={() => navigate("/search")}>
            Start afresh
          </button>
        )}
      </div>
    </State>
  );
}

function ResultSkeleton() {
  return (
    <div className="result-skeleton" aria-busy="true">
      <Skeleton width="100%" height={180} />
      {Array.from({ length: 9 }, (_, i) => (
        <div key={i} style={{ height: 34, display: "flex", alignItems: "center", gap: 24 }}>
          <Skeleton width={160 + ((i * 53) % 90)} />
          <Skeleton width={90} />
        </div>
      ))}
    </div>
  );
}

function Found({
  state,
  query,
  live,
  services,
}: {
  state: SearchState;
  query: Query;
  live: boolean;
  services: ServiceSummary[];
}) {
  const { data, error, isPending, dataUpdatedAt, refetch, isPlaceholderData } = useSearch(
    state,
    live,
  );
  const hits = useMemo(() => sortHits(toHits(data), state.sort), [data, state.sort]);
  const facts = useMemo(() => durationFacts(hits), [hits]);
  if (isPending) return <ResultSkeleton />;
  if (error && !data)
    return (
      <State
        level={2}
        title={
          error instanceof RequestError && error.gone ? "The server is away" : "The search failed"
        }
        actions={
          <button type="button" className="button is-primary" onClick={() => refetch()}>
            Try again
          </button>
        }
      >
        <p>
          {error.message}{" "}
          {error instanceof RequestError &&
            error.gone &&
            "This page keeps trying every few seconds."}
        </p>
      </State>
    );
  const one = state.mode === "spans" ? "span" : "trace";
  const inTraces = state.mode === "spans" ? new Set(hits.map((h) => h.traceId)).size : 0;
  const limited = data?.more ?? hits.length >= limitOf(state.mode);
  return (
    <section className="found" aria-label="Search results" aria-busy={isPlaceholderData}>
      {error && (
        <div className="banner is-error-banner" role="alert">
          <span className="mark">
            {error instanceof RequestError && error.gone
              ? "The server is away."
              : "The last search failed."}
          </span>
          <span className="grow">
            {error.message} What you see is from {formatClock(dataUpdatedAt)}.
          </span>
          <button type="button" className="button" onClick={() => refetch()}>
            Try again
          </button>
        </div>
      )}
      {hits.length === 0 ? (
        services.length === 0 ? (
          <FirstUse />
        ) : (
          <NothingFound query={query} state={state} />
        )
      ) : (
        <>
          <div className="found-facts" role="status">
            <span>
              <b>{plural(hits.length, one)}</b>{" "}
              <span className="muted">
                {inTraces > 0 && `in ${plural(inTraces, "trace")}, `}
                {formatDuration(Number(data?.elapsedNs ?? 0))}
                {limited ? ", the newest; there are more" : data?.complete ? ", complete" : ""}
              </span>
              {data && !data.complete && !limited && (
                <span className="is-warning"> partial: not all spans could be looked at</span>
              )}
            </span>
            <span className="grow" />
            <span className="muted">
              p50 <b>{formatDuration(facts.p50)}</b>
            </span>
            <span className="muted">
              p99 <b>{formatDuration(facts.p99)}</b>
            </span>
            <span className="muted">
              max <b>{formatDuration(facts.max)}</b>
            </span>
          </div>
          <Scatter
            hits={hits}
            onOpen={(hit) => navigate(traceUrl(hit.traceId, hit.spanId))}
            onBox={(fromMs, untilMs, lowNs, highNs) =>
              changeSearch.box(
                { ...query, minDurationNs: Math.floor(lowNs), maxDurationNs: Math.ceil(highNs) },
                BigInt(Math.floor(fromMs * 1000)) * 1000n,
                BigInt(Math.ceil(untilMs * 1000)) * 1000n,
              )
            }
          />
          <Results hits={hits} mode={state.mode} sort={state.sort} />
        </>
      )}
    </section>
  );
}

export function SearchPage() {
  const state = useSearchState();
  const [live, setLive] = useState(false);
  const [formOpen, setFormOpen] = useState(false);
  const { data } = useQuery({
    queryKey: ["services"],
    queryFn: ({ signal }) => api.services(signal),
    refetchInterval: 5000,
    retry: false,
  });
  const services = data?.services ?? [];
  const query = "query" in state.parsed ? state.parsed.query : null;
  return (
    <div className="search-page">
      <h1 className="visually-hidden">Search</h1>
      <div className="search-bar">
        <QueryLine text={state.text} onSubmit={changeSearch.text} />
        <div className="search-options">
          <button
            type="button"
            className="button narrow-only"
            aria-expanded={formOpen}
            onClick={() => setFormOpen(!formOpen)}
          >
            Form
          </button>
          <Segmented<Mode>
            label="Results are"
            value={state.mode}
            options={[
              ["traces", "Traces"],
              ["spans", "Spans"],
            ]}
            onChange={changeSearch.mode}
          />
          <label>
            <span className="visually-hidden">Time range</span>
            <select
              className="field"
              value={state.start ? "custom" : state.range}
              onChange={(event) =>
                event.target.value !== "custom" && changeSearch.range(event.target.value)
              }
            >
              {Object.entries(kRanges).map(([key, text]) => (
                <option key={key} value={key}>
                  {text}
                </option>
              ))}
              {state.start && (
                <option value="custom">{`${formatClock(Number(BigInt(state.start) / 1000000n))} – ${formatClock(Number(BigInt(state.end) / 1000000n))}`}</option>
              )}
            </select>
          </label>
          <button
            type="button"
            className="button"
            aria-pressed={live}
            onClick={() => setLive(!live)}
          >
            <span className={live ? "live-dot is-on" : "live-dot"} />
            Live
          </button>
        </div>
      </div>
      <div className={`search-body${formOpen ? " is-form-open" : ""}`}>
        <Facets
          query={query ?? { attributes: [] }}
          services={services}
          onChange={changeSearch.query}
        />
        {query ? (
          <Found
            state={state}
            query={query}
            live={live || services.length === 0}
            services={services}
          />
        ) : (
          <State
            level={2}
            title="The query cannot be read"
            actions={
              <button type="button" className="button" onClick={() => changeSearch.text("")}>
                Clear it
              </button>
            }
          >
            <p>{"problem" in state.parsed ? state.parsed.problem : ""}</p>
          </State>
        )}
      </div>
    </div>
  );
}
