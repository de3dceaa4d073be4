// The URL is the state. A page reads its state with `useLocation` and changes it with `navigate`;
// nothing that a reader would want to share or come back to is kept anywhere else.
import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
const kCoalesceMs = 700;
let lastKind = "";
let lastPush = 0;

function notify() {
  for (const listener of listeners) listener();
}
window.addEventListener("popstate", () => {
  lastKind = "";
  notify();
});

export interface NavigateOptions {
  replace?: boolean;
  /** Steps of one kind in quick succession (moving with j and k, dragging) make one entry of the history. */
  kind?: string;
}

export function navigate(url: string, options: NavigateOptions = {}) {
  if (url === location.pathname + location.search) return;
  const now = performance.now();
  const coalesce =
    options.kind !== undefined && options.kind === lastKind && now - lastPush < kCoalesceMs;
  if (options.replace || coalesce) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  lastKind = options.kind ?? "";
  lastPush = now;
  notify();
}

/** Changes some parameters of the current page and keeps the others; undefined or "" removes one. */
export function setParameters(
  changes: Record<string, string | undefined>,
  options?: NavigateOptions,
) {
  const parameters = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === "") parameters.delete(key);
    else parameters.set(key, value);
  }
  const text = parameters.toString();
  navigate(location.pathname + (text ? `?${text}` : ""), options);
}

const snapshot = () => location.pathname + location.search;

export function useLocation(): { path: string; parameters: URLSearchParams } {
  const url = useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, snapshot);
  const mark = url.indexOf("?");
  return {
    path: mark < 0 ? url : url.slice(0, mark),
    parameters: new URLSearchParams(mark < 0 ? "" : url.slice(mark)),
  };
}

/** For links: lets the browser handle new tabs, and stays on the page otherwise. */
export function followLink(event: React.MouseEvent<HTMLAnchorElement>) {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  event.preventDefault();
  navigate(event.currentTarget.getAttribute("href")!);
}
