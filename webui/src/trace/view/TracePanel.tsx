// The side panel for a fold, and for the trace when nothing is selected.
import { useMemo, useState } from "react";
import { serviceColor } from "../../shared/color";
import {
  formatCount,
  formatDuration,
  formatDurationExact,
  formatInstant,
  formatOffset,
  plural,
} from "../../shared/format";
import { useTheme } from "../../shared/theme";
import { ServiceName } from "../../shared/ui";
import { kStatusError, type TraceColumns } from "../model/columns";
import { orderMembers } from "../model/rows";
import { spreadOf } from "../model/summary";
import { Attributes, Distribution, Section } from "./panel-parts";

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
