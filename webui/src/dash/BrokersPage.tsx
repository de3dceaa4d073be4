// The venues: whether each answers, its account, what it holds.
import { useQuery } from "@tanstack/react-query";
import { formatMoney } from "../shared/format";
import { Skeleton, State } from "../shared/ui";
import { read, useVenues } from "./api";
import { Failed, tone } from "./parts";
import { accountSentence, venueTitle } from "./venues";

interface Account {
  id: string;
  status: string;
  cash: number;
  equity: number;
  buying_power: number;
}
interface Holding {
  vt_symbol: string;
  quantity: number;
  average_cost: number;
  mark: number;
  value: number;
  unrealised_pnl: number;
}

function VenueDetail({ venue }: { venue: string }) {
  const ask = <T,>(what: string) => ({
    queryKey: ["venue", venue, what],
    queryFn: read<T>(`/brokers/${encodeURIComponent(venue)}/${what}`),
    retry: false,
    refetchInterval: 5000,
  });
  const status = useQuery(ask<{ detail: string }>("status"));
  const connected = status.isSuccess;
  const account = useQuery({ ...ask<Account>("account"), enabled: connected });
  const positions = useQuery({ ...ask<Holding[]>("positions"), enabled: connected });
  if (status.isPending) return <Skeleton width={240} />;
  if (status.error) return <p className="is-error">{status.error.message}</p>;
  return (
    <>
      <p className="is-good">
        connected <span className="muted">{status.data.detail}</span>
      </p>
      {account.data && (
        <dl className="stats">
          <div className="stat">
            <dt>Equity</dt>
            <dd>{formatMoney(account.data.equity)}</dd>
          </div>
          <div className="stat">
            <dt>Cash</dt>
            <dd>{formatMoney(account.data.cash)}</dd>
          </div>
          <div className="stat">
            <dt>Buying power</dt>
            <dd>{formatMoney(account.data.buying_power)}</dd>
          </div>
        </dl>
      )}
      {account.error && <p className="is-error">{account.error.message}</p>}
      {positions.data && positions.data.length > 0 && (
        <table className="list-table">
          <thead>
            <tr>
              <th>Symbol</th>
              <th className="number">Qty</th>
              <th className="number">Average</th>
              <th className="number">Mark</th>
              <th className="number">Value</th>
              <th className="number">P&amp;L</th>
            </tr>
          </thead>
          <tbody>
            {positions.data.map((p) => (
              <tr key={p.vt_symbol}>
                <td className="mono">{p.vt_symbol}</td>
                <td className="number">{p.quantity}</td>
                <td className="number">{formatMoney(p.average_cost)}</td>
                <td className="number">{formatMoney(p.mark)}</td>
                <td className="number">{formatMoney(p.value)}</td>
                <td className={`number ${tone(p.unrealised_pnl)}`}>
                  {formatMoney(p.unrealised_pnl)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

export function BrokersPage() {
  const { data, error, refetch, isPending } = useVenues();
  if (!data && error && !isPending)
    return <Failed error={error} retry={() => refetch()} what="The brokers" />;
  if (!data)
    return (
      <section className="plain-page" aria-busy="true">
        <Skeleton width={200} height={20} />
      </section>
    );
  if (data.length === 0) return <State title="No venue is known" />;
  return (
    <section className="plain-page" tabIndex={0} aria-label="Brokers">
      <h1 className="page-title">Brokers</h1>
      {data.map((v) => (
        <section key={v.venue} className="venue" aria-label={v.venue}>
          <h2>
            {venueTitle(v.venue)} <span className="mono muted">{v.venue}</span>
          </h2>
          {v.configured && <p className="muted">{accountSentence(v)}</p>}
          {v.configured ? (
            <VenueDetail venue={v.venue} />
          ) : (
            <p className="muted">Not configured. {v.note}</p>
          )}
        </section>
      ))}
    </section>
  );
}
