// The side panel for one span: everything that is known of it, and where it leads.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { serviceColor } from "../../shared/color";
import {
  formatCount,
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
import { api, kindName, type SpanDetail } from "../api";
import { dashboardUrl, searchUrl, traceUrl } from "../links";
import { kStatusError, spanId, type TraceColumns } from "../model/columns";
import { attributeText, groupAttributes, toList } from "./attributes";
import { Attributes, Distribution, Section } from "./panel-parts";

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
