// The results as a list, virtual, one line each.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { serviceColor, shortService } from "../../shared/color";
import { formatAgo, formatCount, formatDuration, formatInstant } from "../../shared/format";
import { useTheme } from "../../shared/theme";
import { Link, useNow } from "../../shared/ui";
import { traceUrl } from "../links";
import type { Hit } from "./results";
import { changeSearch, type Mode, type Sort } from "./useSearch";

const kRowHeight = 34;

function Header({ mode, sort }: { mode: Mode; sort: Sort }) {
  const sorter = (key: Sort, text: string, className: string) => (
    <button
      type="button"
      className={className}
      aria-pressed={sort === key}
      onClick={() => changeSearch.sort(key)}
    >
      {text}
      <span aria-hidden="true">{sort === key ? " ↓" : ""}</span>
    </button>
  );
  return (
    <div className={`result-row result-head is-${mode}`}>
      <span>{mode === "traces" ? "Trace" : "Span"}</span>
      <span className="wide-only">{mode === "traces" ? "Id" : "Trace"}</span>
      {sorter("slowest", "Duration", "result-duration")}
      {mode === "traces" && <span className="number">Spans</span>}
      {sorter("errors", mode === "traces" ? "Errors" : "Status", "number")}
      {mode === "traces" && <span className="wide-only">Services</span>}
      {sorter("newest", "When", "number")}
    </div>
  );
}

export function Results({ hits, mode, sort }: { hits: Hit[]; mode: Mode; sort: Sort }) {
  const theme = useTheme();
  const now = useNow(10_000);
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: hits.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => kRowHeight,
    overscan: 10,
    initialRect: { width: 900, height: 700 },
  });
  const longest = Math.max(1, ...hits.map((h) => h.durationNs));
  return (
    <div className="results">
      <Header mode={mode} sort={sort} />
      <div
        ref={scroller}
        className="results-scroller"
        tabIndex={0}
        role="region"
        aria-label="Results"
      >
        <ul style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
          {virtualizer.getVirtualItems().map((item) => {
            const hit = hits[item.index];
            return (
              <li
                key={hit.key}
                style={{
                  position: "absolute",
                  top: item.start,
                  left: 0,
                  right: 0,
                  height: kRowHeight,
                }}
              >
                <Link className={`result-row is-${mode}`} href={traceUrl(hit.traceId, hit.spanId)}>
                  <span className="row ellipsis">
                    <span
                      className="swatch"
                      style={{ background: serviceColor(hit.service, theme) }}
                      title={shortService(hit.service)}
                    />
                    <span className="mono ellipsis">{hit.name}</span>
                  </span>
                  <span className="mono result-id wide-only">{hit.traceId.slice(0, 8)}</span>
                  <span className="result-duration">
                    <span className="number">{formatDuration(hit.durationNs)}</span>
                    <span className="duration-bar">
                      <span
                        className={hit.failed ? "is-failed" : ""}
                        style={{ width: `${(100 * hit.durationNs) / longest}%` }}
                      />
                    </span>
                  </span>
                  {mode === "traces" && (
                    <span className="number">{formatCount(hit.spanCount)}</span>
                  )}
                  <span className={hit.failed ? "number is-error" : "number faint"}>
                    {mode === "traces" ? formatCount(hit.errorCount) : hit.failed ? "error" : "ok"}
                  </span>
                  {mode === "traces" && (
                    <span className="row wide-only result-services">
                      {hit.services.map((s) => (
                        <span
                          key={s.name}
                          className="swatch"
                          style={{ background: serviceColor(s.name, theme) }}
                          title={`${shortService(s.name)} ${formatCount(s.spans)}`}
                        />
                      ))}
                    </span>
                  )}
                  <span className="number muted" title={formatInstant(hit.startNs)}>
                    {formatAgo(hit.startMs, now)}
                  </span>
                </Link>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}
