// Services and their operations, with what is known of each.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { serviceColor } from "../../shared/color";
import {
  formatClock,
  formatCount,
  formatDuration,
  formatPercent,
  plural,
} from "../../shared/format";
import { RequestError } from "../../shared/http";
import { useTheme } from "../../shared/theme";
import { Command, Link, ServiceName, Skeleton, State } from "../../shared/ui";
import { api, kindName, type OperationSummary, type ServiceSummary } from "../api";
import { searchUrl } from "../links";

const kShown = 25;

function OperationSpread({
  service,
  operation,
  color,
}: {
  service: string;
  operation: string;
  color: string;
}) {
  const { data } = useQuery({
    queryKey: ["stats", service, operation],
    queryFn: ({ signal }) => api.stats(service, operation, undefined, signal),
    staleTime: 10_000,
    retry: false,
  });
  if (!data || data.buckets.length === 0)
    return <span style={{ display: "inline-block", width: 150 }} />;
  const filled = data.buckets.filter((b) => b.count > 0);
  const low = Math.max(1, Number(filled[0]?.lowNs ?? 1));
  const high = Number(filled[filled.length - 1]?.highNs ?? low);
  const peak = Math.max(1, ...data.buckets.map((b) => b.count));
  // All operations share one axis, 1 µs to 10 s, so that they can be compared at a glance.
  const x = (ns: number) => (Math.log10(Math.min(1e10, Math.max(1e3, ns)) / 1e3) / 7) * 150;
  return (
    <svg
      width="150"
      height="18"
      role="img"
      aria-label={`From ${formatDuration(low)} to ${formatDuration(high)}`}
    >
      <rect x="0" y="17" width="150" height="1" fill="var(--line-strong)" />
      {filled.map((b, i) => {
        const tall = Math.max(2, Math.sqrt(b.count / peak) * 16);
        return (
          <rect
            key={i}
            x={x(Number(b.lowNs))}
            y={17 - tall}
            width={Math.max(1.5, x(Number(b.highNs)) - x(Number(b.lowNs)) - 0.5)}
            height={tall}
            fill={color}
          />
        );
      })}
    </svg>
  );
}

function OperationLine({
  service,
  operation,
  most,
  color,
}: {
  service: string;
  operation: OperationSummary;
  most: number;
  color: string;
}) {
  return (
    <tr>
      <td>
        <Link
          className="mono operation-link"
          href={searchUrl({ service, name: operation.name, attributes: [] }, { mode: "spans" })}
        >
          {operation.name}
        </Link>
      </td>
      <td className="muted wide-only">{kindName(operation.kind)}</td>
      <td className="number">
        <span className="share-bar is-inline wide-only">
          <span style={{ width: `${(100 * operation.spans) / most}%`, background: color }} />
        </span>
        <span className="spans-count">{formatCount(operation.spans)}</span>
      </td>
      <td className={operation.errors > 0 ? "number is-error" : "number faint"}>
        {operation.errors > 0 ? (
          <Link
            className="is-error"
            href={searchUrl(
              { service, name: operation.name, failedOnly: true, attributes: [] },
              { mode: "spans" },
            )}
          >
            {formatCount(operation.errors)}{" "}
            <span className="wide-only">
              ({formatPercent(operation.errors / Math.max(1, operation.spans), 1)})
            </span>
          </Link>
        ) : (
          "0"
        )}
      </td>
      <td className="wide-only">
        <OperationSpread service={service} operation={operation.name} color={color} />
      </td>
    </tr>
  );
}

function Service({ service }: { service: ServiceSummary }) {
  const theme = useTheme();
  const [all, setAll] = useState(false);
  const color = serviceColor(service.name, theme);
  const operations = [...service.operations].sort((a, b) => b.spans - a.spans);
  const shown = all ? operations : operations.slice(0, kShown);
  const most = Math.max(1, ...operations.map((o) => o.spans));
  return (
    <section className="service" aria-label={service.name}>
      <div className="service-head">
        <h2>
          <ServiceName name={service.name} short={false} />
        </h2>
        <span className="muted">
          {plural(service.spans, "span")}, {plural(operations.length, "operation")}
        </span>
        {service.errors > 0 && (
          <Link
            className="is-error"
            href={searchUrl(
              { service: service.name, failedOnly: true, attributes: [] },
              { mode: "spans" },
            )}
          >
            {plural(service.errors, "error")}
          </Link>
        )}
        <span className="grow" />
        <Link href={searchUrl({ service: service.name, attributes: [] })}>its traces</Link>
      </div>
      <table>
        <thead>
          <tr>
            <th>Operation</th>
            <th className="wide-only">Kind</th>
            <th className="number">Spans</th>
            <th className="number">Failed</th>
            <th className="wide-only">
              <span className="axis-ends">
                <span>1 µs</span>
                <span>10 s</span>
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((operation) => (
            <OperationLine
              key={`${operation.name} ${operation.kind}`}
              service={service.name}
              operation={operation}
              most={most}
              color={color}
            />
          ))}
        </tbody>
      </table>
      {operations.length > kShown && !all && (
        <button type="button" className="button is-bare" onClick={() => setAll(true)}>
          show all {formatCount(operations.length)} operations
        </button>
      )}
    </section>
  );
}

export function ServicesPage() {
  const { data, error, isPending, refetch, dataUpdatedAt } = useQuery({
    queryKey: ["services"],
    queryFn: ({ signal }) => api.services(signal),
    refetchInterval: 5000,
    retry: false,
  });
  if (isPending)
    return (
      <div className="services-page" aria-busy="true">
        {[0, 1, 2].map((i) => (
          <div key={i} style={{ marginBottom: 40 }}>
            <Skeleton width={220} height={16} />
            <div style={{ marginTop: 20 }}>
              <Skeleton width="100%" height={90} />
            </div>
          </div>
        ))}
      </div>
    );
  if (!data)
    return (
      <State
        title={
          error instanceof RequestError && error.gone
            ? "The server is away"
            : "The services could not be listed"
        }
        actions={
          <button type="button" className="button is-primary" onClick={() => refetch()}>
            Try again
          </button>
        }
      >
        <p>{error?.message} This page keeps trying every few seconds.</p>
      </State>
    );
  if (data.services.length === 0)
    return (
      <State title="No services yet">
        <p>A service appears here with its first span. Run the whole system with its demo:</p>
        <Command text="alphaswarm up" />
      </State>
    );
  return (
    <div className="services-page" tabIndex={0} role="region" aria-label="Services">
      <h1 className="visually-hidden">Services</h1>
      {error && (
        <div className="banner is-error-banner" role="alert">
          <span className="mark">The server is away.</span> What you see is from{" "}
          {formatClock(dataUpdatedAt)}.
        </div>
      )}
      {[...data.services]
        .sort((a, b) => b.spans - a.spans)
        .map((service) => (
          <Service key={service.name} service={service} />
        ))}
    </div>
  );
}
