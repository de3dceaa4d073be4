// The query as one line of text: coloured, completed, and with a sentence where it is wrong.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { formatCount } from "../../shared/format";
import { api } from "../api";
import { completedValue, completionAt, parseQuery } from "./query";

interface Offer {
  text: string;
  count: number | null;
  insert: string;
}

const kBuiltIn: Offer[] = [
  { text: "service", count: null, insert: "service=" },
  { text: "name", count: null, insert: "name=" },
  { text: "duration", count: null, insert: "duration>" },
  { text: "status", count: null, insert: "status=error " },
];
const kMostOffers = 10;

function useOffers(
  text: string,
  caret: number,
  active: boolean,
): { offers: Offer[]; from: number } {
  const at = completionAt(text, caret);
  const { data } = useQuery({
    queryKey: ["offers", at.kind, at.key, at.prefix],
    enabled: active,
    staleTime: 10_000,
    retry: false,
    queryFn: async ({ signal }): Promise<Offer[]> => {
      if (at.kind === "key") {
        const keys = (await api.attributeKeys(at.prefix, signal)).keys;
        return keys.map((k) => ({ text: k.key, count: k.count, insert: `${k.key}=` }));
      }
      if (at.key === "service" || at.key === "name") {
        const { services } = await api.services(signal);
        const lines = at.key === "service" ? services : services.flatMap((s) => s.operations);
        return lines
          .filter((l) => l.name.toLowerCase().includes(at.prefix.toLowerCase()))
          .map((l) => ({ text: l.name, count: l.spans, insert: `${completedValue(l.name)} ` }));
      }
      const values = (await api.attributeValues(at.key, at.prefix, signal)).values;
      return values.map((v) => ({
        text: v.value,
        count: v.count,
        insert: `${completedValue(v.value)} `,
      }));
    },
  });
  const own =
    at.kind === "key"
      ? kBuiltIn.filter((o) => o.text.startsWith(at.prefix))
      : at.key === "status"
        ? [{ text: "error", count: null, insert: "error " }]
        : [];
  return { offers: [...own, ...(data ?? [])].slice(0, kMostOffers), from: at.from };
}

function Coloured({ text }: { text: string }) {
  const parts = text.split(/(\s+|!=|>=|<=|[=<>]|"(?:[^"\\]|\\.)*"?)/);
  let afterOperator = false;
  return parts.map((part, i) => {
    let kind = "";
    if (/^(!=|>=|<=|[=<>])$/.test(part)) {
      kind = "operator";
      afterOperator = true;
    } else if (/^\s+$/.test(part)) afterOperator = false;
    else if (part !== "") kind = afterOperator ? "value" : "key";
    return (
      <span key={i} className={`q-${kind}`}>
        {part}
      </span>
    );
  });
}

export function QueryLine({ text, onSubmit }: { text: string; onSubmit: (text: string) => void }) {
  const [draft, setDraft] = useState(text);
  const [caret, setCaret] = useState(text.length);
  const [focused, setFocused] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [dismissed, setDismissed] = useState(true);
  const input = useRef<HTMLInputElement>(null);
  const backdrop = useRef<HTMLPreElement>(null);
  useEffect(() => setDraft(text), [text]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key !== "/" ||
        event.target instanceof HTMLInputElement ||
        event.target instanceof HTMLTextAreaElement
      )
        return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  const open = focused && !dismissed;
  const { offers, from } = useOffers(draft, caret, open);
  const parsed = parseQuery(draft);
  const problem = "problem" in parsed && (!focused || dismissed) ? parsed.problem : "";

  const accept = (offer: Offer) => {
    const next = draft.slice(0, from) + offer.insert + draft.slice(caret);
    setDraft(next);
    setCaret(from + offer.insert.length);
    setChosen(-1);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(from + offer.insert.length, from + offer.insert.length);
    });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "Enter") {
      if (open && chosen >= 0 && offers[chosen]) accept(offers[chosen]);
      else {
        setDismissed(true);
        onSubmit(draft.trim());
      }
    } else if (event.key === "Tab" && open && offers.length > 0 && draft !== "" && chosen >= 0)
      accept(offers[chosen]);
    else if (event.key === "ArrowDown" && offers.length > 0) {
      setDismissed(false);
      setChosen((chosen + 1) % offers.length);
    } else if (event.key === "ArrowUp" && open && offers.length > 0)
      setChosen((chosen + offers.length - 1) % offers.length);
    else if (event.key === "Escape") {
      if (open) setDismissed(true);
      else input.current?.blur();
    } else return;
    if (event.key !== "Escape" || open) event.preventDefault();
  };
  const place = () => setCaret(input.current?.selectionStart ?? draft.length);
  return (
    <div className="query-line">
      <div className={`query-box${problem ? " is-wrong" : ""}`}>
        <pre ref={backdrop} aria-hidden="true">
          <Coloured text={draft} />
        </pre>
        <input
          ref={input}
          aria-label="Query"
          role="combobox"
          aria-expanded={open && offers.length > 0}
          aria-controls="query-offers"
          aria-activedescendant={open && chosen >= 0 ? `offer-${chosen}` : undefined}
          aria-invalid={problem !== ""}
          aria-describedby={problem ? "query-problem" : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder="All traces. Narrow them: service=alphaswarm-api duration>2ms market.symbol=AAPL.SIM"
          value={draft}
          onChange={(event) => {
            setDraft(event.target.value);
            setCaret(event.target.selectionStart ?? event.target.value.length);
            setDismissed(false);
            setChosen(-1);
          }}
          onKeyDown={onKeyDown}
          onSelect={place}
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
          onScroll={() => {
            if (backdrop.current && input.current)
              backdrop.current.scrollLeft = input.current.scrollLeft;
          }}
        />
        {draft === "" && <kbd>/</kbd>}
        {draft !== "" && (
          <button type="button" className="button is-bare" onClick={() => onSubmit("")}>
            clear
          </button>
        )}
      </div>
      <ul
        id="query-offers"
        role="listbox"
        aria-label="Completions"
        className="offers"
        hidden={!open || offers.length === 0}
      >
        {offers.map((offer, i) => (
          <li
            key={offer.text}
            id={`offer-${i}`}
            role="option"
            aria-selected={i === chosen}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => accept(offer)}
          >
            <span className="mono ellipsis">{offer.text}</span>
            {offer.count !== null && (
              <span className="faint number">{formatCount(offer.count)}</span>
            )}
          </li>
        ))}
      </ul>
      {problem && (
        <p id="query-problem" className="query-problem is-error" role="alert">
          {problem}
        </p>
      )}
      <button type="button" className="button is-primary" onClick={() => onSubmit(draft.trim())}>
        Search
      </button>
    </div>
  );
}
