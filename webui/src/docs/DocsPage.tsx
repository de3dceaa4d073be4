// The API's reference, made from the document the service serves: routes by subject, and the shapes of
// what they take and give.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { newTraceparent, requestJson } from "../shared/http";
import { Brand, Command, Skeleton, State, ThemeButton } from "../shared/ui";
import {
  byTag,
  curlFor,
  type Entry,
  namedInside,
  type OpenApi,
  type Schema,
  typeText,
} from "./openapi";

type Schemas = Record<string, Schema>;

function Fields({ name, schemas, depth = 0 }: { name: string; schemas: Schemas; depth?: number }) {
  const schema = schemas[name];
  if (!schema?.properties) return null;
  const required = new Set(schema.required ?? []);
  return (
    <div className="fields">
      {schema.description && depth === 0 && <p className="muted">{schema.description}</p>}
      <dl>
        {Object.entries(schema.properties).map(([key, property]) => {
          const inner = namedInside(property);
          return (
            <div key={key}>
              <dt>
                <code>{key}</code>
              </dt>
              <dd>
                <span className="mono type">{typeText(property)}</span>
                {!required.has(key) && <span className="faint"> optional</span>}
                {property.description && <span className="muted"> {property.description}</span>}
                {inner && inner !== name && depth < 2 && schemas[inner]?.properties && (
                  <details>
                    <summary className="muted">fields of {inner}</summary>
                    <Fields name={inner} schemas={schemas} depth={depth + 1} />
                  </details>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
}

/** Text with `code` in it. */
function Prose({ text }: { text: string }) {
  return text.split("`").map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part));
}

function Shape({ schema, schemas }: { schema: Schema | undefined; schemas: Schemas }) {
  const name = namedInside(schema);
  return (
    <>
      <span className="mono type">{typeText(schema)}</span>
      {name && <Fields name={name} schemas={schemas} />}
    </>
  );
}

function Route({ entry, schemas }: { entry: Entry; schemas: Schemas }) {
  const { operation } = entry;
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  return (
    <details className="route" id={entry.id} open={location.hash === `#${entry.id}`}>
      <summary>
        <span className={`method is-${entry.method.toLowerCase()}`}>{entry.method}</span>
        <code>{entry.path}</code>
        <span className="muted">{operation.summary}</span>
      </summary>
      <div className="route-body">
        {operation.description && (
          <p>
            <Prose text={operation.description} />
          </p>
        )}
        <Command text={curlFor(location.origin, entry)} />
        {(operation.parameters ?? []).length > 0 && (
          <section>
            <h3 className="label">Parameters</h3>
            <dl className="fields-list">
              {operation.parameters!.map((p) => (
                <div key={p.name}>
                  <dt>
                    <code>{p.name}</code>
                  </dt>
                  <dd>
                    <span className="mono type">{typeText(p.schema)}</span>{" "}
                    <span className="faint">
                      {p.in === "path" ? "in the path" : p.required ? "required" : "optional"}
                    </span>{" "}
                    <span className="muted">{p.description}</span>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        )}
        {body && (
          <section>
            <h3 className="label">Body</h3>
            <Shape schema={body} schemas={schemas} />
          </section>
        )}
        <section>
          <h3 className="label">Answers</h3>
          {Object.entries(operation.responses ?? {}).map(([status, response]) => {
            const [media, content] = Object.entries(response.content ?? {})[0] ?? [];
            return (
              <div key={status} className="answer">
                <b className={Number(status) >= 400 ? "is-error" : "is-good"}>{status}</b>
                <div className="grow">
                  <span className="muted">{response.description} </span>
                  {Number(status) < 400 && content?.schema ? (
                    <Shape schema={content.schema} schemas={schemas} />
                  ) : (
                    <span className="mono faint">{Number(status) < 400 ? media : ""}</span>
                  )}
                </div>
              </div>
            );
          })}
        </section>
      </div>
    </details>
  );
}

export function DocsPage() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["openapi"],
    queryFn: ({ signal }) =>
      requestJson<OpenApi>("/openapi.json", { signal, headers: { traceparent: newTraceparent() } }),
    retry: false,
    refetchOnWindowFocus: false,
  });
  const [filter, setFilter] = useState("");
  const groups = useMemo(() => {
    if (!data) return [];
    const wanted = filter.trim().toLowerCase();
    return byTag(data)
      .map(
        ([tag, entries]) =>
          [
            tag,
            entries.filter((e) =>
              `${e.method} ${e.path} ${e.operation.summary ?? ""}`.toLowerCase().includes(wanted),
            ),
          ] as const,
      )
      .filter(([, entries]) => entries.length > 0);
  }, [data, filter]);
  return (
    <div className="frame">
      <header className="topbar">
        <Brand href="/dash" />
        <nav className="topnav" aria-label="Pages">
          <a href="/dash">Dashboard</a>
          <a href="/docs" aria-current="page">
            API
          </a>
        </nav>
        <span className="grow" />
        <ThemeButton />
      </header>
      <main className="docs">
        {isPending ? (
          <div className="docs-body" aria-busy="true">
            <Skeleton width={240} height={22} />
            {Array.from({ length: 8 }, (_, i) => (
              <div key={i} style={{ marginTop: 22 }}>
                <Skeleton width="100%" height={16} />
              </div>
            ))}
          </div>
        ) : error || !data ? (
          <State
            title="The reference could not be loaded"
            actions={
              <button type="button" className="button is-primary" onClick={() => refetch()}>
                Try again
              </button>
            }
          >
            <p>{error?.message}</p>
          </State>
        ) : (
          <>
            <nav className="docs-nav" aria-label="Subjects" tabIndex={0}>
              <input
                className="field"
                type="search"
                placeholder="Find a route"
                aria-label="Find a route"
                value={filter}
                onChange={(event) => setFilter(event.target.value)}
              />
              {groups.map(([tag, entries]) => (
                <a key={tag} href={`#tag-${tag}`}>
                  {tag} <span className="faint">{entries.length}</span>
                </a>
              ))}
            </nav>
            <div className="docs-body" tabIndex={0} role="region" aria-label="Routes">
              <h1>
                {data.info.title} <span className="muted">{data.info.version}</span>
              </h1>
              <p className="muted">
                <Prose
                  text={
                    data.info.description ??
                    "Every answer carries `x-trace-id`, so that the request can be looked up in the trace UI."
                  }
                />{" "}
                The document itself: <a href="/openapi.json">/openapi.json</a>
              </p>
              {groups.map(([tag, entries]) => (
                <section key={tag} id={`tag-${tag}`} aria-label={tag}>
                  <h2 className="label">{tag}</h2>
                  {entries.map((entry) => (
                    <Route key={entry.id} entry={entry} schemas={data.components?.schemas ?? {}} />
                  ))}
                </section>
              ))}
              {groups.length === 0 && <p className="muted">No route has that in its name.</p>}
            </div>
          </>
        )}
      </main>
    </div>
  );
}
