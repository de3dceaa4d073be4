// Equity, alone or against buying and holding. Where the comparison is much the wilder of the two, it
// would flatten what the chart is about, so it starts hidden.
import { useState } from "react";
import { Chart, type Line } from "./Chart";

const kWilder = 5;

function spread(values: (number | null)[]): number {
  const known = values.filter((v) => v !== null);
  return known.length === 0 ? 0 : Math.max(...known) - Math.min(...known);
}

interface Props {
  height: number;
  times: number[];
  equity: Line;
  held: Line | null;
  group: string;
  now?: number;
  from?: number;
  until?: number;
}

export function EquityChart({ equity, held, ...rest }: Props) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const calm = held !== null && spread(held.values) <= kWilder * spread(equity.values);
  const shown = held !== null && (chosen ?? calm);
  const control = held && (
    <button
      type="button"
      className="text-button"
      aria-pressed={shown}
      onClick={() => setChosen(!shown)}
    >
      {shown ? "hide buy and hold" : "against buy and hold"}
    </button>
  );
  return (
    <Chart title="Equity" lines={shown ? [held, equity] : [equity]} control={control} {...rest} />
  );
}
