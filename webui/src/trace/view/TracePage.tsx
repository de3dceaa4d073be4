// One trace: loads it, and shows what went wrong where it cannot.
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { RequestError } from "../../shared/http";
import { Link, Skeleton, State } from "../../shared/ui";
import { loadTrace } from "../model/load";
import { remember } from "../recent";
import { TraceView } from "./TraceView";

function Loading() {
  return (
    <div className="trace-page" aria-busy="true">
      <span className="visually-hidden" role="status">
        Loading the trace
      </span>
      <div className="trace-main">
        <div className="trace-head">
          <Skeleton width={220} height={20} />
          <div style={{ marginTop: 12 }}>
            <Skeleton width={420} />
          </div>
        </div>
        <div className="minimap">
          <Skeleton width="100%" height={46} />
        </div>
        <div style={{ padding: "60px var(--page)" }}>
          {[0, 1, 2, 1, 2, 3, 3, 2, 2, 3, 3].map((depth, i) => (
            <div key={i} style={{ height: 26, paddingLeft: depth * 15 }}>
              <Skeleton width={140 + ((i * 37) % 80)} />
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function Failed({ traceId, error, retry }: { traceId: string; error: Error; retry: () => void }) {
  const status = error instanceof RequestError ? error.status : -1;
  const again = (
    <>
      <button type="button" className="button is-primary" onClick={retry}>
        Try again
      </button>
      <Link className="button" href="/search">
        Search
      </Link>
    </>
  );
  if (status === 404)
    return (
      <State title="This trace is not here" actions={again}>
        <p>
          No span of <span className="mono">{traceId}</span> is in the store. It may not have
          arrived yet, may have been sampled out, or was dropped when the store reached its bound.
        </p>
      </State>
    );
  if (status === 400)
    return (
      <State title="This is no trace id" actions={again}>
        <p>{error.message}</p>
      </State>
    );
  if (error instanceof RequestError && error.gone)
    return (
      <State title="The server is away" actions={again}>
        <p>{error.message} This page keeps trying every few seconds.</p>
      </State>
    );
  return (
    <State title="The trace could not be shown" actions={again}>
      <p>{error.message}</p>
    </State>
  );
}

export function TracePage({ traceId }: { traceId: string }) {
  const { data, error, refetch, isPending, dataUpdatedAt } = useQuery({
    queryKey: ["trace", traceId],
    queryFn: () => loadTrace(traceId),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    structuralSharing: false,
    retry: false,
    refetchOnWindowFocus: false,
    // Asks again while the server is away. A trace that is still growing is asked for by the reader.
    refetchInterval: (query) =>
      query.state.error instanceof RequestError && query.state.error.gone ? 3000 : false,
  });
  useEffect(() => {
    if (!data) return;
    const root = data.children[data.childOffset[data.count]];
    const name = data.count > 0 ? data.names[data.name[root]] : traceId;
    document.title = `${name} · AlphaSwarm traces`;
    remember({ traceId, name, service: data.count > 0 ? data.services[data.service[root]] : "" });
  }, [data, traceId]);
  if (data && data.count > 0)
    return <TraceView key={dataUpdatedAt} columns={data} refresh={() => refetch()} />;
  if (data) return <State title="This trace is empty" />;
  if (error && !isPending)
    return <Failed traceId={traceId} error={error} retry={() => refetch()} />;
  return <Loading />;
}
