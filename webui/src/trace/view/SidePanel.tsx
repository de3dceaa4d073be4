// Everything about one span, one fold, or, with nothing selected, the trace.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { serviceColor } from "../../shared/color";
import {
  formatCount,
  formatDuration,
  formatDurationExact,
  formatInstant,
  formatOffset,
  formatPercent,
  plural,
  shortId,
} from "../../shared/format";
import { RequestError } from "../../shared/http";
import { useTheme } from "../../shared/theme";
import { CopyButton, Link, ServiceName, Skeleton } from "../../shared/ui";
import { type AttributeDetail, api, kindName, type SpanDetail } from "../api";
import { conditionUrl, dashboardUrl, searchUrl, traceUrl } from "../links";
import { kStatusError, spanId, type TraceColumns } from "../model/columns";
import { orderMembers } from "../model/rows";
import { spreadOf } from "../model/summary";
import { attributeText, groupAttributes, toList } from "./attributes";

export function Value({ attribute }: { attribute: AttributeDetail }) {
  const text = attributeText(attribute.value);
  const plain =
    !Array.isArray(attribute.value) &&
    (typeof attribute.value !== "object" || attribute.value === null);
  const good = attribute.key === "risk.verdict" && text === "accepted";
  const bad = (attribute.key === "risk.verdict" && !good) || attribute.key.startsWith("error.");
  return (
    <span className="attribute-value">
      <span className={`mono${good ? " is-good" : ""}${bad ? " is-error" : ""}`}>{text}</span>
      <span className="value-actions">
        {plain && (
          <>
            <Link
              href={conditionUrl({ key: attribute.key, operator: "=", value: text })}
              aria-label={`Search for ${attribute.key} = ${text}`}
              title="Search for this value"
            >
              =
            </Link>
            <Link
              href={conditionUrl({ key: attribute.key, operator: "!=", value: text })}
              aria-label={`Search for ${attribute.key} other than ${text}`}
              title="Search for other values"
            >
              ≠
            </Link>
          </>
        )}
        <CopyButton text={text} />
      </span>
    </span>
  );
}

function Attributes({ list }: { list: AttributeDetail[] }) {
  return (
    <dl className="attributes">
      {list.map((attribute) => (
        <div key={attribute.key}>
          <dt title={attribute.key}>{attribute.key}</dt>
          <dd>
            <Value attribute={attribute} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Section({
  title,
  children,
  count,
  closed = false,
}: {
  title: string;
  children: ReactNode;
  count?: number;
  closed?: boolean;
}) {
  return (
    <details className="panel-section" open={!closed}>
      <summary className="label">
        {title}
        {count !== undefined && ` · ${formatCount(count)}`}
      </summary>
      {children}
    </details>
  );
}

interface Bin {
  low: number;
  high: number;
  count: number;
}

function Distribution({ bins, at, color }: { bins: Bin[]; at?: number; color: string }) {
  const width = 330;
  const height = 38;
  const peak = Math.max(1, ...bins.map((b) => b.count));
  const low = Math.max(
    1,
    Math.min(...bins.map((b) => Math.max(1, b.low)), at ?? Number.POSITIVE_INFINITY),
  );
  const high = Math.max(low * 1.01, Math.max(...bins.map((b) => b.high)), at ?? 0);
  const x = (ns: number) =>
    (Math.log(Math.max(low, ns) / low) / Math.log(high / low)) * (width - 6) + 3;
  return (
    <svg
      className="distribution"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`Durations from ${formatDuration(low)} to ${formatDuration(high)}`}
    >
      {bins.map((bin, i) => {
        const tall = bin.count === 0 ? 0 : Math.max(1, Math.sqrt(bin.count / peak) * (height - 2));
        return (
          <rect
            key={i}
            x={x(bin.low)}
            y={height - tall}
            width={Math.max(1, x(bin.high) - x(bin.low) - 1)}
            height={tall}
            fill={color}
            opacity="0.7"
          />
        );
      })}
      {at !== undefined && (
        <rect x={x(at) - 1} y="0" width="2" height={height} fill="var(--error)" />
      )}
      <rect x="0" y={height - 0.5} width={width} height="0.5" fill="var(--line-strong)" />
    </svg>
  );
}

function AmongItsLike({
  service,
  name,
  durationNs,
  color,
}: {
  service: string;
  name: string;
  durationNs: number;
  color: string;
}) {
  const { data } = useQuery({
    queryKey: ["stats", service, name, durationNs],
    queryFn: ({ signal }) => api.stats(service, name, durationNs, signal),
    staleTime: 30_000,
    retry: false,
  });
  if (!data) return <div style={{ height: 64 }} />;
  if (data.count < 2) return <p className="muted among">The only one of its kind so far.</p>;
  const bins = data.buckets.map((b) => ({
    low: Number(b.lowNs),
    high: Number(b.highNs),
    count: b.count,
  }));
  return (
    <>
      <p className="muted among">
        Slower than <b>{formatPercent(data.percentile, data.percentile > 0.99 ? 2 : 0)}</b> of{" "}
        {formatCount(data.count)} like it
      </p>
      <Distribution bins={bins} at={durationNs} color={color} />
    </>
  );
}

/** The session a span belongs to: its own attribute, or that of the session's span in the same trace. */
function useRunId(columns: TraceColumns, detail: SpanDetail): string | undefined {
  const own = detail.attributes.find((a) => a.key === "alphaswarm.run_id")?.value;
  const sessionSpan = useMemo(() => {
    const name = columns.names.indexOf("paper.session.run");
    return name < 0 ? "" : spanId(columns, columns.name.indexOf(name));
  }, [columns]);
  const { data } = useQuery({
    queryKey: ["span", columns.traceId, sessionSpan],
    queryFn: ({ signal }) => api.span(columns.traceId, sessionSpan, signal),
    enabled: own === undefined && sessionSpan !== "",
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const run = own ?? data?.attributes.find((a) => a.key === "alphaswarm.run_id")?.value;
  return typeof run === "string" ? run : undefined;
}

function Linked({ columns, detail }: { columns: TraceColumns; detail: SpanDetail }) {
  const order = detail.attributes.find((a) => a.key === "order.client_id")?.value;
  const run = useRunId(columns, detail);
  const dashboard = dashboardUrl(`?run=${run}`);
  const items: ReactNode[] = [];
  if (typeof order === "string")
    items.push(
      <Link
        key="order"
        href={searchUrl(
          { attributes: [{ key: "order.client_id", operator: "=", value: order }] },
          { mode: "spans" },
        )}
      >
        Order {shortId(order, 4, 8)} across traces
      </Link>,
    );
  if (run && dashboard !== "")
    items.push(
      <a key="run" href={dashboard}>
        Session on the dashboard
      </a>,
    );
  items.push(
    <Link
      key="like"
      href={searchUrl(
        { service: detail.service, name: detail.name, attributes: [] },
        { mode: "spans" },
      )}
    >
      All spans like this one
    </Link>,
  );
  for (const [i, link] of detail.links.entries())
    items.push(
      <Link key={`link${i}`} href={traceUrl(link.traceId, link.spanId)}>
        Linked span {shortId(link.spanId, 4, 4)} in trace {shortId(link.traceId, 8, 0)}
      </Link>,
    );
  return (
    <Section title="Linked">
      <ul className="panel-links">
        {items.map((item, i) => (
          <li key={i}>{item}</li>
        ))}
      </ul>
    </Section>
  );
}

function Events({ detail, spanStartNs }: { detail: SpanDetail; spanStartNs: bigint }) {
  if (detail.events.length === 0) return null;
  return (
    <Section title="Events" count={detail.events.length}>
      <ul className="events">
        {detail.events.map((event, i) => (
          <li key={i}>
            <span className="mono faint" title={formatInstant(BigInt(event.timeNs))}>
              {formatOffset(Number(BigInt(event.timeNs) - spanStartNs))}
            </span>
            <span className="event-text">
              <span className={event.name === "exception" ? "is-error" : undefined}>
                {event.name}
              </span>{" "}
              {event.attributes.map((a) => (
                <span key={a.key} className="muted" title={a.key}>
                  {a.key.split(".").pop()} <b>{attributeText(a.value)}</b>{" "}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function DetailBody({ columns, detail }: { columns: TraceColumns; detail: SpanDetail }) {
  const groups = useMemo(() => groupAttributes(detail.attributes), [detail]);
  const resource = toList(detail.resource);
  const dropped = detail.dropped ?? {};
  const lost = (dropped.attributes ?? 0) + (dropped.events ?? 0) + (dropped.links ?? 0);
  return (
    <>
      {detail.status.message && (
        <div className="panel-section is-error">
          <span className="label is-error">Failed</span>
          <p>{detail.status.message}</p>
        </div>
      )}
      {groups.map((group) => (
        <Section key={group.title} title={group.title}>
          <Attributes list={group.attributes} />
        </Section>
      ))}
      <Events detail={detail} spanStartNs={BigInt(detail.startNs)} />
      <Linked columns={columns} detail={detail} />
      {lost > 0 && (
        <p className="panel-section is-warning">
          {plural(lost, "attribute, event or link", "attributes, events or links")} did not fit its
          limits and were dropped by the sender.
        </p>
      )}
      <Section title="Resource" count={resource.length} closed>
        <Attributes list={resource} />
      </Section>
      {detail.scope?.name && (
        <Section title="Scope" closed>
          <Attributes list={toList(detail.scope).filter((a) => attributeText(a.value) !== "")} />
        </Section>
      )}
    </>
  );
}

export function SpanPanel({
  columns,
  span,
  onZoom,
}: {
  columns: TraceColumns;
  span: number;
  onZoom: () => void;
}) {
  const theme = useTheme();
  const id = spanId(columns, span);
  const service = columns.services[columns.service[span]];
  const name = columns.names[columns.name[span]];
  const color = serviceColor(service, theme);
  const { data, error, refetch } = useQuery({
    queryKey: ["span", columns.traceId, id],
    queryFn: ({ signal }) => api.span(columns.traceId, id, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
  const failed = columns.status[span] === kStatusError;
  const children = columns.childOffset[span + 1] > columns.childOffset[span];
  return (
    <>
      <header className="panel-head">
        <div className="muted row">
          <ServiceName name={service} short={false} />
          <span>· {kindName(columns.kind[span])}</span>
        </div>
        <h2 className="mono panel-name">
          {name} {failed && <span className="is-error">failed</span>}
        </h2>
        <p className="panel-times">
          <b>{formatDurationExact(columns.duration[span])}</b>
          <span className="muted">starts at {formatOffset(columns.start[span])}&#8201;s</span>
        </p>
        {children && (
          <p className="muted">
            {formatDurationExact(columns.self[span])} of it its own,{" "}
            {plural(columns.subtreeSize[span] - 1, "span")} below
          </p>
        )}
        <AmongItsLike
          service={service}
          name={name}
          durationNs={columns.duration[span]}
          color={color}
        />
        <div className="panel-buttons">
          <span className="mono faint">{id}</span>
          <CopyButton text={id} label="copy id" />
          <button type="button" className="button is-bare" onClick={onZoom}>
            zoom here
          </button>
        </div>
      </header>
      {data ? (
        <DetailBody columns={columns} detail={data} />
      ) : error ? (
        <div className="panel-section" role="alert">
          <p className="is-error">
            {error instanceof RequestError && error.gone
              ? "The server is away; the details of this span cannot be shown just now."
              : error.message}
          </p>
          <button
            type="button"
            className="button"
            onClick={() => refetch()}
            style={{ marginTop: 8 }}
          >
            Try again
          </button>
        </div>
      ) : (
        <div className="panel-section" aria-busy="true">
          {[120, 190, 150, 210, 130].map((width, i) => (
            <div key={i} style={{ height: 24 }}>
              <Skeleton width={width} />
            </div>
          ))}
        </div>
      )}
    </>
  );
}

export function FoldPanel({
  columns,
  members,
  onSelect,
}: {
  columns: TraceColumns;
  members: Uint32Array;
  onSelect: (span: number) => void;
}) {
  const theme = useTheme();
  const service = columns.services[columns.service[members[0]]];
  const color = serviceColor(service, theme);
  const spread = useMemo(() => spreadOf(columns, members, 40), [columns, members]);
  const slowest = useMemo(
    () => orderMembers(columns, members, "slowest").slice(0, 8),
    [columns, members],
  );
  const step = Math.log(spread.max / spread.min) / spread.bins.length;
  const bins = Array.from(spread.bins, (count, i) => ({
    low: spread.min * Math.exp(i * step),
    high: spread.min * Math.exp((i + 1) * step),
    count,
  }));
  return (
    <>
      <header className="panel-head">
        <div className="muted row">
          <ServiceName name={service} short={false} />
        </div>
        <h2 className="mono panel-name">
          {columns.names[columns.name[members[0]]]}{" "}
          <span className="muted">× {formatCount(members.length)}</span>
        </h2>
        <p className="panel-times">
          <span className="muted">p50</span> <b>{formatDuration(spread.p50)}</b>{" "}
          <span className="muted">p99</span> <b>{formatDuration(spread.p99)}</b>{" "}
          <span className="muted">max</span> <b>{formatDuration(spread.max)}</b>
        </p>
        <p className="muted among">{formatDuration(spread.total)} together</p>
        <Distribution bins={bins} color={color} />
      </header>
      <Section title="Failed and slowest">
        <ul className="panel-list">
          {Array.from(slowest, (span) => (
            <li key={span}>
              <button type="button" onClick={() => onSelect(span)}>
                <span className="mono">
                  {columns.labels[columns.label[span]] || formatOffset(columns.start[span])}
                </span>
                {columns.subtreeErrors[span] > 0 && (
                  <span className="is-error">{plural(columns.subtreeErrors[span], "error")}</span>
                )}
                <span className="number grow">{formatDuration(columns.duration[span])}</span>
              </button>
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}

const kFailedShown = 12;

export function TracePanel({
  columns,
  onSelect,
}: {
  columns: TraceColumns;
  onSelect: (span: number) => void;
}) {
  const theme = useTheme();
  const [all, setAll] = useState(false);
  const facts = useMemo(() => {
    const self = new Float64Array(columns.services.length);
    const failed: number[] = [];
    for (let span = 0; span < columns.count; span++) {
      self[columns.service[span]] += columns.self[span];
      if (columns.status[span] === kStatusError) failed.push(span);
    }
    return { self, failed, total: self.reduce((a, b) => a + b, 0) };
  }, [columns]);
  const failed = all ? facts.failed.slice(0, 500) : facts.failed.slice(0, kFailedShown);
  return (
    <>
      <header className="panel-head">
        <h2>Where the time goes</h2>
        <p className="muted among">
          Each service by the time of its spans that nothing below accounts for.
        </p>
        <ul className="share-list">
          {columns.services.map((service, i) => (
            <li key={service}>
              <ServiceName name={service} />
              <span className="number">{formatDuration(facts.self[i])}</span>
              <span className="share-bar">
                <span
                  style={{
                    width: `${(100 * facts.self[i]) / Math.max(1, facts.total)}%`,
                    background: serviceColor(service, theme),
                  }}
                />
              </span>
            </li>
          ))}
        </ul>
      </header>
      {facts.failed.length > 0 && (
        <Section title="Failed spans" count={facts.failed.length}>
          <ul className="panel-list">
            {failed.map((span) => (
              <li key={span}>
                <button type="button" onClick={() => onSelect(span)}>
                  <span
                    className="swatch"
                    style={{
                      background: serviceColor(columns.services[columns.service[span]], theme),
                    }}
                  />
                  <span className="mono ellipsis">
                    {columns.names[columns.name[span]]} {columns.labels[columns.label[span]]}
                  </span>
                  <span className="number grow">
                    {formatOffset(columns.start[span]).slice(0, 6)}&#8201;s
                  </span>
                </button>
              </li>
            ))}
          </ul>
          {!all && facts.failed.length > kFailedShown && (
            <button type="button" className="button is-bare" onClick={() => setAll(true)}>
              show all {formatCount(facts.failed.length)}
            </button>
          )}
        </Section>
      )}
      <Section title="Trace">
        <Attributes
          list={[
            { key: "trace id", type: "string", value: columns.traceId },
            { key: "started", type: "string", value: formatInstant(BigInt(columns.startNs)) },
            { key: "lasted", type: "string", value: formatDurationExact(columns.durationNs) },
          ]}
        />
      </Section>
    </>
  );
}
