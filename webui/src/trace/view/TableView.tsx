// One line for each operation of the trace, sortable; a click leads to its slowest span.
import { useMemo, useState } from "react";
import { formatCount, formatDuration, formatPercent } from "../../shared/format";
import { ServiceName } from "../../shared/ui";
import type { TraceColumns } from "../model/columns";
import { type OperationRow, summarizeOperations } from "../model/summary";

type Column = "name" | "count" | "errors" | "total" | "self" | "p50" | "p99" | "max";
const titles: [Column, string][] = [
  ["name", "Operation"],
  ["count", "Spans"],
  ["errors", "Failed"],
  ["self", "Self time"],
  ["total", "Total"],
  ["p50", "p50"],
  ["p99", "p99"],
  ["max", "Max"],
];

export function TableView({
  columns,
  onSelect,
}: {
  columns: TraceColumns;
  onSelect: (span: number) => void;
}) {
  const [sort, setSort] = useState<{ by: Column; up: boolean }>({ by: "self", up: false });
  const rows = useMemo(() => summarizeOperations(columns), [columns]);
  const totalSelf = rows.reduce((sum, row) => sum + row.self, 0);
  const value = (row: OperationRow, by: Column) =>
    by === "name" ? columns.names[row.name] : row[by];
  const sorted = [...rows].sort((a, b) => {
    const [x, y] = [value(a, sort.by), value(b, sort.by)];
    const order = typeof x === "string" ? x.localeCompare(y as string) : x - (y as number);
    return sort.up ? order : -order;
  });
  return (
    <section className="table-view" tabIndex={0} aria-label="Operations of the trace">
      <table>
        <thead>
          <tr>
            {titles.map(([by, title]) => (
              <th
                key={by}
                className={by === "name" ? "" : "number"}
                aria-sort={sort.by === by ? (sort.up ? "ascending" : "descending") : "none"}
              >
                <button
                  type="button"
                  onClick={() => setSort({ by, up: sort.by === by ? !sort.up : by === "name" })}
                >
                  {title}
                  <span aria-hidden="true">{sort.by === by ? (sort.up ? " ↑" : " ↓") : ""}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={`${row.service}:${row.name}`}>
              <td>
                <button
                  type="button"
                  className="table-name"
                  onClick={() => onSelect(row.slowest)}
                  title="Show the slowest"
                >
                  <span className="mono ellipsis">{columns.names[row.name]}</span>
                  <span className="faint">
                    <ServiceName name={columns.services[row.service]} />
                  </span>
                </button>
              </td>
              <td className="number">{formatCount(row.count)}</td>
              <td className={row.errors > 0 ? "number is-error" : "number faint"}>
                {formatCount(row.errors)}
              </td>
              <td className="number">
                <span className="share-bar is-inline">
                  <span style={{ width: `${(100 * row.self) / Math.max(1, totalSelf)}%` }} />
                </span>
                {formatDuration(row.self)}{" "}
                <span className="faint share">
                  {formatPercent(row.self / Math.max(1, totalSelf), 1)}
                </span>
              </td>
              <td className="number">{formatDuration(row.total)}</td>
              <td className="number">{formatDuration(row.p50)}</td>
              <td className="number">{formatDuration(row.p99)}</td>
              <td className="number">{formatDuration(row.max)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
