// The page's side of the worker.
import { RequestError } from "../../shared/http";
import type { TraceWire } from "../api";
import { buildColumns, type TraceColumns } from "./columns";
import type { WorkerReply, WorkerRequest } from "./worker";

declare global {
  interface Window {
    /** The trace that index.html asked for while the program was still loading. */
    earlyTrace?: { id: string; reply: Promise<Response> };
  }
}

// Up to this size the page takes a reply apart itself: it has nothing better to do before its first paint,
// and a worker takes longer to start than some thousand spans take to parse.
const kParseHereBytes = 512 * 1024;

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, (reply: WorkerReply) => void>();

function theWorker(): Worker {
  if (!worker) {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
      waiting.get(data.id)?.(data);
      waiting.delete(data.id);
    };
  }
  return worker;
}

/** The early reply's body, once; undefined where there is none or it is an error, which is then asked for anew. */
async function earlyBody(traceId: string): Promise<ArrayBuffer | undefined> {
  const early = window.earlyTrace;
  window.earlyTrace = undefined;
  if (early?.id !== traceId) return undefined;
  try {
    const reply = await early.reply;
    return reply.ok ? await reply.arrayBuffer() : undefined;
  } catch {
    return undefined;
  }
}

/** Fetches one trace. Rejects with RequestError; status -1 means that the reply could not be understood. */
export async function loadTrace(traceId: string): Promise<TraceColumns> {
  const body = await earlyBody(traceId);
  if (body && body.byteLength <= kParseHereBytes)
    return buildColumns(JSON.parse(new TextDecoder().decode(body)) as TraceWire);
  const request: WorkerRequest = { id: ++lastId, traceId, body };
  return new Promise((resolve, reject) => {
    waiting.set(request.id, (reply) => {
      if ("error" in reply) reject(new RequestError(reply.error.message, reply.error.status));
      else resolve(reply.columns);
    });
    theWorker().postMessage(request, request.body ? [request.body] : []);
  });
}
