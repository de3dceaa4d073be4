// Fetches and parses traces off the main thread: 200,000 spans are some 12 MB of JSON.
import { RequestError, requestJson } from "../../shared/http";
import { type TraceWire, tracePath } from "../api";
import { buildColumns, type TraceColumns, transferables } from "./columns";

export interface WorkerRequest {
  id: number;
  traceId: string;
  /** The reply's body, where the page has already fetched it. */
  body?: ArrayBuffer;
}
export type WorkerReply =
  | { id: number; columns: TraceColumns; fetchMs: number; buildMs: number }
  | { id: number; error: { message: string; status: number } };

self.onmessage = async ({ data: { id, traceId, body } }: MessageEvent<WorkerRequest>) => {
  const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []) =>
    self.postMessage(message, { transfer });
  try {
    const began = performance.now();
    const wire: TraceWire = body
      ? JSON.parse(new TextDecoder().decode(body))
      : await requestJson<TraceWire>(tracePath(traceId));
    const fetched = performance.now();
    const columns = buildColumns(wire);
    reply(
      { id, columns, fetchMs: fetched - began, buildMs: performance.now() - fetched },
      transferables(columns),
    );
  } catch (failure) {
    const status = failure instanceof RequestError ? failure.status : -1;
    const message = failure instanceof Error ? failure.message : String(failure);
    reply({ id, error: { message, status } });
  }
};
