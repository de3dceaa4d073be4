// The frame of the dashboard: its pages, what starts something, and the kill switch, always in reach.
import { useState } from "react";
import { useLocation } from "../shared/router";
import { Brand, Link, ThemeButton } from "../shared/ui";
import { useConfig, useKillSwitch } from "./api";
import { BacktestsPage } from "./BacktestsPage";
import { BrokersPage } from "./BrokersPage";
import { DataPage } from "./DataPage";
import { KillSwitchDialog } from "./dialogs";
import { SessionsPage } from "./SessionsPage";
import { StartDialog } from "./StartDialog";

const pages = [
  ["", "Sessions"],
  ["backtests", "Backtests"],
  ["data", "Data"],
  ["brokers", "Brokers"],
] as const;

export function App() {
  const { parameters } = useLocation();
  const view = parameters.get("view") ?? "";
  const kill = useKillSwitch();
  const config = useConfig();
  const [dialog, setDialog] = useState<"" | "session" | "backtest" | "kill">("");
  const engaged = kill.data?.engaged ?? false;
  return (
    <div className="frame">
      <header className="topbar is-tall">
        <Brand href="/dash" />
        <nav className="topnav" aria-label="Pages">
          {pages.map(([key, title]) => (
            <Link
              key={key}
              href={key ? `/dash?view=${key}` : "/dash"}
              aria-current={view === key ? "page" : undefined}
            >
              {title}
            </Link>
          ))}
          {config.data?.traceUiUrl && (
            <a href={config.data.traceUiUrl}>
              Traces <span aria-hidden="true">↗</span>
            </a>
          )}
        </nav>
        <span className="grow" />
        <ThemeButton />
        <button type="button" className="button wide-only" onClick={() => setDialog("backtest")}>
          New backtest
        </button>
        <button type="button" className="button is-primary" onClick={() => setDialog("session")}>
          <span className="wide-only">Start paper session</span>
          <span className="narrow-only">Start</span>
        </button>
        <button
          type="button"
          className={`button is-danger${engaged ? " is-filled" : ""}`}
          disabled={!kill.data}
          onClick={() => setDialog("kill")}
        >
          Kill switch{engaged && ": engaged"}
        </button>
      </header>
      {engaged && (
        <div className="banner is-error-banner" role="alert">
          <span className="mark">The kill switch is engaged.</span>
          <span className="grow">
            No order is sent. Reason: {kill.data?.reason || "none given"}.
          </span>
          <button type="button" className="button" onClick={() => setDialog("kill")}>
            Release
          </button>
        </div>
      )}
      <main className="page">
        {view === "backtests" ? (
          <BacktestsPage onStart={() => setDialog("backtest")} />
        ) : view === "data" ? (
          <DataPage />
        ) : view === "brokers" ? (
          <BrokersPage />
        ) : (
          <SessionsPage onStart={() => setDialog("session")} />
        )}
      </main>
      {(dialog === "session" || dialog === "backtest") && (
        <StartDialog kind={dialog} onClose={() => setDialog("")} />
      )}
      {dialog === "kill" && kill.data && (
        <KillSwitchDialog state={kill.data} onClose={() => setDialog("")} />
      )}
    </div>
  );
}
