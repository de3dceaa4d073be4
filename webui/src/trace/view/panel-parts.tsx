// What all side panels are made of: values with their actions, sections, distributions.
import type { ReactNode } from "react";
import { formatCount, formatDuration } from "../../shared/format";
import { CopyButton, Link } from "../../shared/ui";
import type { AttributeDetail } from "../api";
import { conditionUrl } from "../links";
import { attributeText } from "./attributes";

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

export function Attributes({ list }: { list: AttributeDetail[] }) {
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

export function Section({
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

export function Distribution({ bins, at, color }: { bins: Bin[]; at?: number; color: string }) {
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
