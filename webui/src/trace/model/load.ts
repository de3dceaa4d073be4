// The page's side of the worker.
import { RequestError } from "../../shared/http";
import type { TraceColumns } from "./columns";
import type { WorkerReply, WorkerRequest } from "./worker";

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

/** Fetches one trace. Rejects with RequestError; status -1 means that the reply could not be understood. */
export function loadTrace(traceId: string): Promise<TraceColumns> {
  return new Promise((resolve, reject) => {
    const request: WorkerRequest = { id: ++lastId, traceId };
    waiting.set(request.id, (reply) => {
      if ("error" in reply) reject(new RequestError(reply.error.message, reply.error.status));
      else resolve(reply.columns);
    });
    theWorker().postMessage(request);
  });
}

// Starting the worker early saves its start-up time when the page opens directly on a trace.
if (location.pathname.startsWith("/trace/")) theWorker();
