// The last step before a session sends orders to a venue of the real world: says where they go and whose
// money it is, and asks once.
import { formatMoney, formatPercent } from "../shared/format";
import type { RunConfig, Venue } from "./api";
import { Outcome } from "./form-parts";
import { accountText, venueTitle } from "./venues";

export function ConfirmLive({
  venue,
  described,
  config,
  strategy,
  bars,
  error,
  pending,
  onBack,
  onStart,
}: {
  venue: string;
  /** As the service tells of it. */
  described: Venue | undefined;
  config: RunConfig;
  strategy: string;
  bars: string;
  error: Error | null;
  pending: boolean;
  onBack: () => void;
  onStart: () => void;
}) {
  const name = venueTitle(venue);
  const paper = described?.account === "paper";
  const facts: [string, string][] = [
    ["Symbols", config.session?.universe?.join(", ") ?? ""],
    ["Strategy", strategy],
    ["Bars", bars],
    ["Cash in the session's books", formatMoney(config.session?.initial_cash ?? 0, 0)],
    ["Largest position", formatPercent(Number(config.risk?.max_position_pct ?? 0), 0)],
    ["Ends", config.session?.max_bars ? `after ${config.session.max_bars} bars` : "when stopped"],
  ];
  return (
    <>
      <p
        id="confirm-live"
        className={`confirm-venue ${paper ? "is-paper" : "is-real"}`}
        role="status"
      >
        <b>
          Orders go to {name}: {accountText(described)}.
        </b>{" "}
        {described?.account === null &&
          "The service knows this host neither as a paper nor as a live one: look before you start."}
      </p>
      <dl className="attributes">
        {facts.map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">
        It trades by itself until it is stopped. Stopping it, and the kill switch, cancel its open
        orders and keep its positions.
      </p>
      <Outcome error={error} />
      <div className="dialog-actions">
        <button
          type="button"
          className="button"
          // biome-ignore lint/a11y/noAutofocus: the step before had the focus, and this is the safe answer
          autoFocus
          aria-describedby="confirm-live"
          onClick={onBack}
        >
          Back
        </button>
        <button
          type="button"
          className={`button ${paper ? "is-primary" : "is-danger is-filled"}`}
          disabled={pending}
          onClick={onStart}
        >
          Send orders to {name}
        </button>
      </div>
    </>
  );
}
