// The keyboard of the trace page; the sheet behind `?` lists the same keys.
import { type Dispatch, type RefObject, type SetStateAction, useEffect } from "react";
import { isTyping } from "../../shared/ui";
import { kStatusError, type TraceColumns } from "../model/columns";
import {
  changeFold,
  kFoldPage,
  type Row,
  setOpen,
  type TreeState,
  toggleFold,
} from "../model/rows";
import { change, type TraceState } from "./state";

interface Context {
  columns: TraceColumns;
  rows: Row[];
  cursor: string;
  selected: number;
  state: TraceState;
  tree: TreeState;
  setTree: Dispatch<SetStateAction<TreeState>>;
  selectRow: (row: Row) => void;
  goTo: (span: number) => void;
  zoomTo: (span: number) => void;
  closePanel: () => void;
  findBox: RefObject<HTMLInputElement | null>;
}

function move(context: Context, by: number) {
  const { rows, cursor, selectRow, setTree } = context;
  const at = rows.findIndex((row) => row.key === cursor);
  const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
  if (!next) return;
  if (next.kind === "more")
    setTree((old) =>
      changeFold(old, next.first, { shown: (old.folds.get(next.first)?.shown ?? 0) + kFoldPage }),
    );
  else selectRow(next);
}

function fold(context: Context, open: boolean) {
  const { rows, cursor, setTree, selectRow } = context;
  const at = rows.findIndex((row) => row.key === cursor);
  const row = rows[at];
  if (!row || row.kind === "more") return;
  const expandable = row.kind === "fold" || row.expandable;
  if (expandable && row.open !== open)
    setTree((old) =>
      row.kind === "fold" ? toggleFold(old, row.first) : setOpen(old, row.span, open),
    );
  else if (open) move(context, 1);
  else {
    const above = rows.slice(0, at).findLast((candidate) => candidate.depth < row.depth);
    if (above) selectRow(above);
  }
}

function nextError({ columns, selected, goTo }: Context, by: 1 | -1) {
  for (let step = 1; step <= columns.count; step++) {
    const span =
      ((((selected < 0 && by > 0 ? -1 : Math.max(0, selected)) + by * step) % columns.count) +
        columns.count) %
      columns.count;
    if (columns.status[span] === kStatusError) return goTo(span);
  }
}

function backOut(context: Context) {
  const { state, cursor, closePanel } = context;
  if (cursor !== "") closePanel();
  else if (state.find !== "") change.find("");
  else if (state.range) change.range(null);
  else if (state.show !== "all") change.show("all");
  else if (state.view !== "waterfall") change.view("waterfall");
}

export function useTraceKeys(context: Context) {
  useEffect(() => {
    const bindings: Record<string, () => void> = {
      j: () => move(context, 1),
      ArrowDown: () => move(context, 1),
      k: () => move(context, -1),
      ArrowUp: () => move(context, -1),
      PageDown: () => move(context, 20),
      PageUp: () => move(context, -20),
      l: () => fold(context, true),
      ArrowRight: () => fold(context, true),
      h: () => fold(context, false),
      ArrowLeft: () => fold(context, false),
      e: () => nextError(context, 1),
      E: () => nextError(context, -1),
      w: () => change.view("waterfall"),
      f: () => change.view("flame"),
      c: () => change.view("critical"),
      t: () => change.view("table"),
      z: () => (context.selected >= 0 ? context.zoomTo(context.selected) : change.range(null)),
      "/": () => context.findBox.current?.focus(),
      Escape: () => backOut(context),
    };
    const onKey = (event: KeyboardEvent) => {
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        event.defaultPrevented ||
        document.querySelector("dialog[open]")
      )
        return;
      if (isTyping(event.target)) {
        if (event.key === "Escape") (event.target as HTMLElement).blur();
        return;
      }
      // Inside the panel and other scrollers the arrows scroll.
      const inTree =
        event.target === document.body ||
        (event.target instanceof HTMLElement && event.target.closest(".waterfall") !== null);
      if (/^(Arrow|Page)/.test(event.key) && !inTree) return;
      const action = bindings[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
}
