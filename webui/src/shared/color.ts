// Every service keeps its colour everywhere: ours are fixed, others take a hue from their name. All
// hues have the same lightness, so that none shouts.
import type { Theme } from "./theme";

const ours: [suffix: string, light: string, dark: string][] = [
  ["-paper-trader", "#0f9d8a", "#35c4af"],
  ["-exchange", "#d9892b", "#f0ab58"],
  ["-worker", "#8557d8", "#ad87f5"],
  ["-api", "#3b76e8", "#6a9bff"],
];

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 0;
}

export function serviceColor(name: string, theme: Theme): string {
  const fixed = ours.find(([suffix]) => name.startsWith("alphaswarm") && name.endsWith(suffix));
  if (fixed) return theme === "dark" ? fixed[2] : fixed[1];
  const hue = (hash(name) % 24) * 15;
  return theme === "dark" ? `oklch(0.76 0.12 ${hue})` : `oklch(0.6 0.14 ${hue})`;
}

/** "alphaswarm-paper-trader" → "paper-trader": the prefix all of ours share says nothing. */
export function shortService(name: string): string {
  return name.startsWith("alphaswarm-") ? name.slice("alphaswarm-".length) : name;
}
