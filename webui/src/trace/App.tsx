// The frame of the trace UI: its head, its pages, "go to", and the sheet of keys.
import { useEffect, useState } from "react";
import { navigate, useLocation } from "../shared/router";
import { Brand, Dialog, isTyping, Link, State, ThemeButton } from "../shared/ui";
import { Palette } from "./Palette";
import { recentTraces } from "./recent";
import { SearchPage } from "./search/SearchPage";
import { ServicesPage } from "./services/ServicesPage";
import { TracePage } from "./view/TracePage";

const keys: [string, string][] = [
  ["/", "find: in the trace, or the query line"],
  ["⌘ K, Ctrl K", "go to anything: trace, order, session, service"],
  ["j k, ↓ ↑", "next and previous row"],
  ["l h, → ←", "unfold, fold or go to the parent"],
  ["e, Shift E", "next and previous error"],
  ["w f c t", "waterfall, flame, critical path, table"],
  ["z", "zoom to the selected span"],
  ["Ctrl wheel", "zoom around the pointer"],
  ["Esc", "back out, one step at a time"],
  ["?", "this sheet"],
];

function KeysSheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="keys">
        {keys.map(([key, meaning]) => (
          <div key={key} style={{ display: "contents" }}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Page({ path }: { path: string }) {
  const trace = /^\/trace\/([^/]+)$/.exec(path);
  if (trace) return <TracePage key={trace[1]} traceId={decodeURIComponent(trace[1])} />;
  if (path === "/services") return <ServicesPage />;
  if (path === "/" || path === "/search") return <SearchPage />;
  return (
    <State
      title="There is no such page"
      actions={
        <Link className="button is-primary" href="/search">
          Search
        </Link>
      }
    >
      <p>
        <span className="mono">{path}</span> leads nowhere here.
      </p>
    </State>
  );
}

export function App() {
  const { path } = useLocation();
  const [overlay, setOverlay] = useState<"" | "palette" | "keys">("");
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOverlay("palette");
      } else if (event.key === "?" && !isTyping(event.target)) setOverlay("keys");
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const [lastTrace] = recentTraces();
  const onTrace = path.startsWith("/trace/");
  return (
    <div className="frame">
      <header className="topbar">
        <Brand href="/" />
        <nav className="topnav" aria-label="Pages">
          <Link
            href="/search"
            aria-current={path === "/" || path === "/search" ? "page" : undefined}
          >
            Search
          </Link>
          {(onTrace || lastTrace) && (
            <Link
              href={onTrace ? path + location.search : `/trace/${lastTrace.traceId}`}
              aria-current={onTrace ? "page" : undefined}
            >
              Trace
            </Link>
          )}
          <Link href="/services" aria-current={path === "/services" ? "page" : undefined}>
            Services
          </Link>
        </nav>
        <span className="grow" />
        <button type="button" className="goto" onClick={() => setOverlay("palette")}>
          <span>Go to trace, order, session…</span> <kbd>⌘K</kbd>
        </button>
        <ThemeButton />
        <button
          type="button"
          className="button is-bare wide-only"
          onClick={() => setOverlay("keys")}
          aria-label="Keys"
        >
          <kbd>?</kbd>
        </button>
      </header>
      <main className="page">
        <Page path={path} />
      </main>
      {overlay === "palette" && (
        <Palette
          onClose={() => setOverlay("")}
          onGo={(url) => {
            setOverlay("");
            navigate(url);
          }}
        />
      )}
      {overlay === "keys" && <KeysSheet onClose={() => setOverlay("")} />}
    </div>
  );
}
