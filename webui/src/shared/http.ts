// Requests to the server this page came from. A failure says what was asked and what came back, in a
// sentence; `gone` tells "nobody answers" from "the answer is an error".

export class RequestError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
  /** Nobody answered, or a proxy says that nobody did. */
  get gone(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

function randomHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(values, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** A W3C trace context for one request: with a random trace id, and sampled or not. */
export function newTraceparent(sampled = true): string {
  return `00-${randomHex(16)}-${randomHex(8)}-${sampled ? "03" : "02"}`;
}

/** The sentence in an error reply: {"error":{"message"}}, {"detail":"…"}, or {"detail":[{loc,msg}]}. */
export function errorSentence(body: unknown, fallback: string): string {
  if (typeof body !== "object" || body === null) return fallback;
  const { error, detail } = body as { error?: { message?: string }; detail?: unknown };
  if (typeof error?.message === "string") return error.message;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail))
    return detail
      .map((d: { loc?: unknown[]; msg?: string }) =>
        [d.loc?.filter((l) => l !== "body").join("."), d.msg].filter(Boolean).join(": "),
      )
      .join("; ");
  return fallback;
}

export interface RequestOptions {
  method?: string;
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

export async function requestJson<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { method = "GET", body, signal, headers = {} } = options;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (failure) {
    if (signal?.aborted) throw failure;
    throw new RequestError(`${location.host} does not answer.`, 0);
  }
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = text === "" ? null : JSON.parse(text);
  } catch {
    throw new RequestError(
      `${method} ${path} answered ${response.status} with something that is not JSON.`,
      response.status,
    );
  }
  if (!response.ok)
    throw new RequestError(
      errorSentence(
        parsed,
        `${method} ${path} answered ${response.status} ${response.statusText}.`,
      ),
      response.status,
    );
  return parsed as T;
}
