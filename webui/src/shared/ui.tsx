// The small parts both sites are made of.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { serviceColor, shortService } from "./color";
import logoUrl from "./logo.svg";
import { followLink } from "./router";
import { toggleTheme, useTheme } from "./theme";

export function Link({
  href,
  children,
  ...rest
}: React.AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  return (
    <a href={href} onClick={followLink} {...rest}>
      {children}
    </a>
  );
}

export function Brand({ href }: { href: string }) {
  return (
    <Link className="brand" href={href} aria-label="AlphaSwarm, start page">
      <img src={logoUrl} alt="" />
      <span>AlphaSwarm</span>
    </Link>
  );
}

export function ThemeButton() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      className="button is-bare"
      onClick={toggleTheme}
      aria-label={`Switch to the ${other} theme`}
      title={`Switch to the ${other} theme`}
    >
      <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.4" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
    </button>
  );
}

export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: readonly (readonly [T, ReactNode])[];
  onChange: (value: T) => void;
}) {
  return (
    <fieldset className="segmented" aria-label={label} style={{ margin: 0, padding: 0 }}>
      {options.map(([key, text]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}

export function ServiceName({ name, short = true }: { name: string; short?: boolean }) {
  const theme = useTheme();
  return (
    <span className="row" style={{ gap: 6, minWidth: 0 }}>
      <span className="swatch" style={{ background: serviceColor(name, theme) }} />
      <span className="ellipsis">{short ? shortService(name) : name}</span>
    </span>
  );
}

export function CopyButton({ text, label = "copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1200);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button"
      className="button is-bare"
      aria-label={`Copy ${text}`}
      onClick={() => navigator.clipboard.writeText(text).then(() => setDone(true))}
    >
      {done ? "copied" : label}
    </button>
  );
}

/** A command to run in a terminal, with a button to copy it. */
export function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} />
    </div>
  );
}

/** A page, or a part of one that has its own heading (`level` 2), with nothing else to show. */
export function State({
  title,
  children,
  actions,
  level = 1,
}: {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  level?: 1 | 2;
}) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <section className="state" role="status">
      <Heading>{title}</Heading>
      {children}
      {actions && <div className="actions">{actions}</div>}
    </section>
  );
}

export function Skeleton({
  width,
  height = 12,
  style,
}: {
  width: number | string;
  height?: number;
  style?: React.CSSProperties;
}) {
  return <span className="skeleton" style={{ display: "inline-block", width, height, ...style }} />;
}

export function Dialog({
  title,
  children,
  onClose,
  wide = false,
}: {
  title: string;
  children: ReactNode;
  onClose: () => void;
  wide?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={title}
      style={wide ? { width: "min(760px, calc(100vw - 24px))" } : undefined}
      onClose={onClose}
      onClick={(event) => event.target === ref.current && onClose()}
    >
      <div className="dialog-body">
        <h2>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** The current time, renewed every `everyMs`: for "12 s ago". */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
