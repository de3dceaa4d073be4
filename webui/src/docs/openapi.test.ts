import { describe, expect, it } from "vitest";
import { byTag, curlFor, namedInside, type OpenApi, typeText } from "./openapi";

const document: OpenApi = {
  info: { title: "t", version: "1" },
  paths: {
    "/runs/{id}": {
      get: { tags: ["paper"], parameters: [{ name: "id", in: "path", required: true }] },
      delete: { tags: ["paper"] },
    },
    "/start": { post: { tags: ["other"], requestBody: { content: {} } } },
  },
};

describe("openapi", () => {
  it("groups operations by tag", () => {
    expect(
      byTag(document).map(([tag, entries]) => [tag, entries.map((e) => `${e.method} ${e.path}`)]),
    ).toEqual([
      ["paper", ["GET /runs/{id}", "DELETE /runs/{id}"]],
      ["other", ["POST /start"]],
    ]);
  });
  it("says types in a few words", () => {
    expect(typeText({ type: "array", items: { $ref: "#/components/schemas/Order" } })).toBe(
      "Order[]",
    );
    expect(typeText({ type: ["string", "null"] })).toBe("string or null");
    expect(typeText({ enum: ["buy", "sell"] })).toBe("buy | sell");
    expect(typeText({ oneOf: [{ $ref: "#/components/schemas/A" }, { type: "null" }] })).toBe(
      "A or null",
    );
    expect(typeText({ type: "object", additionalProperties: { type: "number" } })).toBe(
      "{ name: number }",
    );
    expect(typeText(undefined)).toBe("any");
    expect(
      namedInside({ oneOf: [{ type: "null" }, { type: "array", items: { $ref: "#/x/B" } }] }),
    ).toBe("B");
  });
  it("gives a command to try", () => {
    const [, entries] = byTag(document)[1];
    expect(curlFor("http://h", entries[0])).toBe(
      "curl -X POST 'http://h/start' -H 'content-type: application/json' -d '{…}'",
    );
  });
});
