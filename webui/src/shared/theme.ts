// The theme follows the system until the reader chooses; charts ask for colours through `readTokens`
// and redraw when `useTheme` says so.
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";
const kStorageKey = "alphaswarm.theme";
const listeners = new Set<() => void>();
const system = window.matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  const stored = localStorage.getItem(kStorageKey);
  return stored === "light" || stored === "dark" ? stored : null;
}

function current(): Theme {
  return chosen() ?? (system.matches ? "dark" : "light");
}

function apply() {
  document.documentElement.dataset.theme = current();
  for (const listener of listeners) listener();
}

export function toggleTheme() {
  const next: Theme = current() === "dark" ? "light" : "dark";
  // Choosing what the system says anyway goes back to following it.
  if ((next === "dark") === system.matches) localStorage.removeItem(kStorageKey);
  else localStorage.setItem(kStorageKey, next);
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}

/** The value of a colour token, for Canvas. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

system.addEventListener("change", apply);
apply();
