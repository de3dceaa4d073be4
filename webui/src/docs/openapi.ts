// The parts of an OpenAPI document that the page shows.
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
}
export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}
export interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<
    string,
    { description?: string; content?: Record<string, { schema?: Schema }> }
  >;
}
export interface OpenApi {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}
export interface Entry {
  id: string;
  method: string;
  path: string;
  operation: Operation;
}

const kMethods = ["get", "post", "put", "patch", "delete"];

/** The operations by tag, both in the order of the document. */
export function byTag(document: OpenApi): [tag: string, entries: Entry[]][] {
  const groups = new Map<string, Entry[]>();
  for (const [path, methods] of Object.entries(document.paths))
    for (const method of kMethods) {
      const operation = methods[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? "other";
      const entry = {
        id: `${method}-${path}`.replace(/[^a-z0-9]+/gi, "-"),
        method: method.toUpperCase(),
        path,
        operation,
      };
      groups.set(tag, [...(groups.get(tag) ?? []), entry]);
    }
  return [...groups];
}

export function refName(schema: Schema): string | undefined {
  return schema.$ref?.split("/").pop();
}

/** "Order[]", "string or null", "one of buy, sell": a type in a few words; names stand for themselves. */
export function typeText(schema: Schema | undefined): string {
  if (!schema) return "any";
  const name = refName(schema);
  if (name) return name;
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map(typeText).join(" or ");
  if (schema.enum) return schema.enum.map(String).join(" | ");
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? "any"];
  return types
    .map((type) => {
      if (type === "array") return `${typeText(schema.items)}[]`;
      if (type === "object" && typeof schema.additionalProperties === "object")
        return `{ name: ${typeText(schema.additionalProperties)} }`;
      if (type === "string" && schema.format) return schema.format;
      return type;
    })
    .join(" or ");
}

/** The first named schema inside a type, to show its fields. */
export function namedInside(schema: Schema | undefined): string | undefined {
  if (!schema) return undefined;
  if (schema.$ref) return refName(schema);
  for (const inner of [
    schema.items,
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
    typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined,
  ]) {
    const name = namedInside(inner);
    if (name) return name;
  }
  return undefined;
}

/** A command that asks the route, with placeholders where a value must be filled in. */
export function curlFor(origin: string, { method, path, operation }: Entry): string {
  const required = (operation.parameters ?? [])
    .filter((p) => p.in === "query" && p.required)
    .map((p) => `${p.name}=…`);
  const url = `'${origin}${path}${required.length > 0 ? `?${required.join("&")}` : ""}'`;
  const body = operation.requestBody ? ` -H 'content-type: application/json' -d '{…}'` : "";
  return `curl ${method === "GET" ? "" : `-X ${method} `}${url}${body}`;
}
