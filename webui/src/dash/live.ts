// A task's progress as it happens: frames over a WebSocket, which is opened again when it breaks.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

export interface Frame {
  task_id: string;
  stage: string;
  message: string;
  timestamp: number;
  [extra: string]: unknown;
}

/** How far a frame says its task is: a session by bars, a backtest by steps; undefined where it says nothing. */
export function progressOf(frame: Frame | null): { done: number; total: number } | undefined {
  const done = frame?.bars_done ?? frame?.done;
  const total = frame?.bars_total ?? frame?.total;
  return typeof done === "number" && typeof total === "number" && total > 0
    ? { done, total }
    : undefined;
}

/** The stage of a made-up frame: nobody knows such a task. */
export const kUnknown = "unknown task";
const kRefreshMs = 700;
const kReconnectMs = 2000;

/** The last frame of a task; `keys` are the queries that its frames make stale. */
export function useProgress(
  taskId: string | null,
  keys: readonly (readonly unknown[])[],
): Frame | null {
  const client = useQueryClient();
  const [frame, setFrame] = useState<Frame | null>(null);
  const keysText = JSON.stringify(keys);
  useEffect(() => {
    if (!taskId) return;
    let socket: WebSocket | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let refresh: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const refreshSoon = (delay: number) => {
      refresh ??= setTimeout(() => {
        refresh = undefined;
        for (const queryKey of JSON.parse(keysText) as unknown[][])
          client.invalidateQueries({ queryKey });
      }, delay);
    };
    const open = () => {
      socket = new WebSocket(
        `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/chat/stream/${encodeURIComponent(taskId)}`,
      );
      socket.onmessage = ({ data }) => {
        const next = JSON.parse(data) as Frame;
        setFrame(next);
        over = next.stage === "done" || next.stage === "error";
        refreshSoon(over ? 100 : kRefreshMs);
      };
      // 4404: the task is not known; asking again changes nothing.
      socket.onclose = ({ code }) => {
        if (code === 4404)
          setFrame({ task_id: taskId, stage: kUnknown, message: "", timestamp: 0 });
        else if (!over) timer = setTimeout(open, kReconnectMs);
      };
    };
    open();
    return () => {
      over = true;
      clearTimeout(timer);
      clearTimeout(refresh);
      socket?.close();
    };
  }, [taskId, client, keysText]);
  return frame?.task_id === taskId || frame === null ? frame : null;
}
