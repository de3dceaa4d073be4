// The traces this browser opened last, for "go to".
export interface Recent {
  traceId: string;
  name: string;
  service: string;
}

const kKey = "alphaswarm.recent";
const kKept = 12;

export function recentTraces(): Recent[] {
  try {
    const list = JSON.parse(localStorage.getItem(kKey) ?? "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

export function remember(trace: Recent) {
  const others = recentTraces().filter((t) => t.traceId !== trace.traceId);
  localStorage.setItem(kKey, JSON.stringify([trace, ...others].slice(0, kKept)));
}
