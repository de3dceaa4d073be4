// "Go to": a trace or span id, an order, a session, a service or an operation, by a few letters of it.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { shortService } from "../shared/color";
import { formatCount, shortId } from "../shared/format";
import { Dialog } from "../shared/ui";
import { api, type ServiceSummary } from "./api";
import { conditionUrl, searchUrl, traceUrl } from "./links";
import { recentTraces } from "./recent";

interface Target {
  title: string;
  note: string;
  url: string;
}

const kMost = 12;

function byId(text: string): Target[] {
  const wanted = text.trim();
  const result: Target[] = [];
  if (/^[0-9a-f]{1,32}$/i.test(wanted) && wanted.length > 16)
    result.push({
      title: wanted,
      note: "trace",
      url: traceUrl(wanted.toLowerCase().padStart(32, "0")),
    });
  if (/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/i.test(wanted))
    result.push({
      title: wanted.slice(3, 35),
      note: "trace of this traceparent",
      url: traceUrl(wanted.slice(3, 35), wanted.slice(36, 52)),
    });
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(wanted)) {
    result.push({
      title: wanted,
      note: "session",
      url: conditionUrl({ key: "alphaswarm.run_id", operator: "=", value: wanted }),
    });
    result.push({
      title: wanted,
      note: "task",
      url: conditionUrl({ key: "alphaswarm.task_id", operator: "=", value: wanted }),
    });
  }
  if (/\d/.test(wanted) && wanted.length >= 4 && !/\s/.test(wanted)) {
    result.push({
      title: wanted,
      note: "order, by client id",
      url: conditionUrl({ key: "order.client_id", operator: "=", value: wanted }),
    });
    result.push({
      title: wanted,
      note: "order, by the broker's id",
      url: conditionUrl({ key: "order.id", operator: "=", value: wanted }),
    });
  }
  return result;
}

function byName(text: string, services: ServiceSummary[]): Target[] {
  const wanted = text.trim().toLowerCase();
  const result: Target[] = [];
  for (const service of services) {
    if (service.name.toLowerCase().includes(wanted))
      result.push({
        title: shortService(service.name),
        note: `service, ${formatCount(service.spans)} spans`,
        url: searchUrl({ service: service.name, attributes: [] }),
      });
    for (const operation of service.operations)
      if (wanted !== "" && operation.name.toLowerCase().includes(wanted))
        result.push({
          title: operation.name,
          note: `${shortService(service.name)}, ${formatCount(operation.spans)} spans`,
          url: searchUrl(
            { service: service.name, name: operation.name, attributes: [] },
            { mode: "spans" },
          ),
        });
  }
  return result;
}

export function Palette({ onClose, onGo }: { onClose: () => void; onGo: (url: string) => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { data } = useQuery({
    queryKey: ["services"],
    queryFn: ({ signal }) => api.services(signal),
    staleTime: 5000,
    retry: false,
  });
  const targets = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const recent = recentTraces()
      .filter((t) => `${t.name} ${t.traceId}`.toLowerCase().includes(wanted))
      .map((t) => ({
        title: t.name,
        note: `opened before, ${shortId(t.traceId, 8, 4)}`,
        url: traceUrl(t.traceId),
      }));
    return [...byId(text), ...recent.slice(0, 5), ...byName(text, data?.services ?? [])].slice(
      0,
      kMost,
    );
  }, [text, data]);
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(targets.length - 1, at + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter" && targets[at]) onGo(targets[at].url);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to" onClose={onClose}>
      <input
        className="field"
        // The dialog was opened to type here
        autoFocus
        role="combobox"
        aria-expanded={targets.length > 0}
        aria-controls="palette-list"
        aria-activedescendant={targets.length > 0 ? `target-${at}` : undefined}
        aria-label="Trace id, order, session, service or operation"
        placeholder="Trace id, order, session, service or operation"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="palette-list" role="listbox" aria-label="Places" className="palette-list">
        {targets.map((target, i) => (
          <li
            key={`${target.url}${i}`}
            id={`target-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => onGo(target.url)}
            onMouseMove={() => setAt(i)}
          >
            <span className="mono ellipsis">{target.title}</span>
            <span className="faint">{target.note}</span>
          </li>
        ))}
      </ul>
      {targets.length === 0 && (
        <p className="muted">
          {text === ""
            ? "Paste an id, or type a few letters of a service or an operation."
            : "Nothing here has that in its name, and it is no id."}
        </p>
      )}
    </Dialog>
  );
}
