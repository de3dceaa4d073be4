import { describe, expect, it } from "vitest";
import { attributeText, groupAttributes, toList } from "./attributes";

const attribute = (key: string, value: unknown = "x") => ({ key, type: "string", value });

describe("attributes", () => {
  it("stand under what they speak of, the rest at the end", () => {
    const groups = groupAttributes([
      attribute("custom"),
      attribute("http.request.method"),
      attribute("order.id"),
      attribute("url.full"),
      attribute("fill.price"),
    ]);
    expect(groups.map((g) => [g.title, g.attributes.map((a) => a.key)])).toEqual([
      ["Order", ["order.id", "fill.price"]],
      ["HTTP", ["http.request.method", "url.full"]],
      ["Others", ["custom"]],
    ]);
  });
  it("tell Redis from SQL by the system", () => {
    expect(groupAttributes([attribute("db.system.name", "redis")])[0].title).toBe("Redis");
    expect(groupAttributes([attribute("db.system.name", "sqlite")])[0].title).toBe("SQL");
  });
  it("read as text", () => {
    expect(attributeText(["a", 1])).toBe("a, 1");
    expect(attributeText([])).toBe("[ ]");
    expect(attributeText(true)).toBe("true");
    expect(toList({ pid: 7 })).toEqual([{ key: "pid", type: "number", value: 7 }]);
    expect(toList(undefined)).toEqual([]);
  });
});
