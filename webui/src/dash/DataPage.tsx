// What bars there are, a look at each symbol, and a way to read in more.
import { useState } from "react";
import { formatCount, formatDay } from "../shared/format";
import { setParameters, useLocation } from "../shared/router";
import { Skeleton, State } from "../shared/ui";
import { seriesKey, useBars, useSymbols } from "./api";
import { Chart } from "./Chart";
import { IngestDialog } from "./dialogs";
import { useProgress } from "./live";
import { Failed, StaleBanner } from "./parts";
import { closes } from "./series";

function SymbolChart({ symbol, interval }: { symbol: string; interval: string }) {
  const { data, error, isPending } = useBars(symbol, interval);
  if (isPending) return <Skeleton width="100%" height={360} />;
  if (error) return <p className="is-error">{error.message}</p>;
  const { times, values } = closes(data.bars);
  return (
    <Chart
      title={symbol}
      height={360}
      times={times}
      lines={[{ label: "close", values, color: "accent", fill: true }]}
      group={symbol}
    />
  );
}

export function DataPage() {
  const { parameters } = useLocation();
  const { data, error, refetch, isPending, dataUpdatedAt } = useSymbols();
  const [ingesting, setIngesting] = useState(false);
  const [task, setTask] = useState<string | null>(null);
  const frame = useProgress(task, [["symbols"], ["bars"]]);
  const asked = parameters.get("symbol");
  const chosen = data?.find((s) => seriesKey(s) === asked) ?? data?.[0];
  const dialog = ingesting && (
    <IngestDialog onClose={() => setIngesting(false)} onAccepted={setTask} />
  );
  const button = (
    <button type="button" className="button is-primary" onClick={() => setIngesting(true)}>
      Ingest bars
    </button>
  );
  if (!data && error && !isPending)
    return <Failed error={error} retry={() => refetch()} what="The symbols" />;
  if (data?.length === 0)
    return (
      <>
        <State title="No bars yet" actions={button}>
          <p>
            Sessions and backtests need bars: CSV files with a time, open, high, low, close and
            volume.
          </p>
          {frame && <p className={frame.stage === "error" ? "is-error" : ""}>{frame.message}</p>}
        </State>
        {dialog}
      </>
    );
  return (
    <>
      <StaleBanner error={error} since={dataUpdatedAt} retry={() => refetch()} />
      <section className="plain-page" tabIndex={0} aria-label="Data">
        <div className="row page-title">
          <h1>Data</h1>
          <span className="grow" />
          {button}
        </div>
        {frame && (
          <p className={frame.stage === "error" ? "is-error" : "muted"} role="status">
            Ingestion: {frame.message}
          </p>
        )}
        <table className="list-table">
          <thead>
            <tr>
              <th>Symbol</th>
              <th>Interval</th>
              <th className="number">Bars</th>
              <th className="number">First</th>
              <th className="number">Last</th>
            </tr>
          </thead>
          <tbody>
            {data?.map((s) => (
              <tr key={seriesKey(s)} className={s === chosen ? "is-chosen" : ""}>
                <td>
                  <button
                    type="button"
                    className="text-button mono"
                    aria-pressed={s === chosen}
                    onClick={() => setParameters({ symbol: seriesKey(s) })}
                  >
                    {s.vt_symbol}
                  </button>
                </td>
                <td>{s.interval}</td>
                <td className="number">{formatCount(s.count)}</td>
                <td className="number">{formatDay(Date.parse(s.first))}</td>
                <td className="number">{formatDay(Date.parse(s.last))}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {chosen && (
          <SymbolChart
            key={seriesKey(chosen)}
            symbol={chosen.vt_symbol}
            interval={chosen.interval}
          />
        )}
      </section>
      {dialog}
    </>
  );
}
