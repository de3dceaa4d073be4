// The smaller dialogs that act on something: each says what will happen, asks once, and shows what came of it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { plural } from "../shared/format";
import { Dialog } from "../shared/ui";
import { call, type KillSwitchState, type TaskAccepted } from "./api";
import { Field, Outcome } from "./form-parts";

export function KillSwitchDialog({
  state,
  onClose,
}: {
  state: KillSwitchState;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const engage = !state.engaged;
  const send = useMutation({
    mutationFn: () =>
      call<KillSwitchState>("/portfolio/kill_switch", {
        method: "POST",
        body: {
          engage,
          reason:
            reason.trim() ||
            (engage ? "engaged from the dashboard" : "released from the dashboard"),
        },
      }),
    onSuccess: (next) => {
      client.setQueryData(["kill"], next);
      client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
  return (
    <Dialog
      title={
        send.isSuccess
          ? engage
            ? "The kill switch is engaged"
            : "The kill switch is released"
          : engage
            ? "Engage the kill switch"
            : "Release the kill switch"
      }
      onClose={onClose}
    >
      {send.isSuccess ? (
        <p role="status">
          {engage
            ? "No new order is sent from now on, and open orders are being cancelled."
            : "Orders may be sent again."}
        </p>
      ) : engage ? (
        <p>
          Every session stops sending orders at once and cancels its open ones. Positions are kept.
          It stays engaged until someone releases it.
        </p>
      ) : (
        <p>
          It was engaged for: <b>{state.reason || "no reason given"}</b>. Releasing lets sessions
          that wait, and new ones, send orders again.
        </p>
      )}
      {!send.isSuccess && (
        <label>
          <span className="muted">Reason, shown wherever the switch is</span>
          <input
            className="field"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            placeholder={engage ? "e.g. wrong data" : "e.g. data corrected"}
          />
        </label>
      )}
      <Outcome error={send.error} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {send.isSuccess ? "Close" : "Cancel"}
        </button>
        {!send.isSuccess && (
          <button
            type="button"
            className={`button ${engage ? "is-danger is-filled" : "is-primary"}`}
            disabled={send.isPending}
            onClick={() => send.mutate()}
          >
            {engage ? "Stop all trading" : "Release"}
          </button>
        )}
      </div>
    </Dialog>
  );
}

export function StopDialog({
  taskId,
  name,
  positions,
  onClose,
}: {
  taskId: string;
  name: string;
  positions: number;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const send = useMutation({
    mutationFn: () =>
      call<{ ok: boolean; reason: string }>(
        `/paper/stop/${encodeURIComponent(taskId)}?${new URLSearchParams({ reason: reason.trim() || "stopped from the dashboard" })}`,
        { method: "POST" },
      ),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <Dialog title={`Stop ${name}`} onClose={onClose}>
      {send.data ? (
        <p role="status">
          {send.data.ok
            ? "The session was asked to stop; it ends after the bar it is at."
            : "The session had already ended."}
        </p>
      ) : (
        <>
          <p>
            The session ends after the bar it is at.{" "}
            {positions > 0
              ? `${plural(positions, "position")} will be kept, not sold.`
              : "It holds nothing."}{" "}
            Its results stay.
          </p>
          <label>
            <span className="muted">Reason</span>
            <input
              className="field"
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              placeholder="optional"
            />
          </label>
        </>
      )}
      <Outcome error={send.error} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {send.data ? "Close" : "Cancel"}
        </button>
        {!send.data && (
          <button
            type="button"
            className="button is-danger"
            disabled={send.isPending}
            onClick={() => send.mutate()}
          >
            Stop the session
          </button>
        )}
      </div>
    </Dialog>
  );
}

export function IngestDialog({
  onClose,
  onAccepted,
}: {
  onClose: () => void;
  onAccepted: (taskId: string) => void;
}) {
  const [path, setPath] = useState("");
  const [glob, setGlob] = useState("*.csv");
  const [overwrite, setOverwrite] = useState(false);
  const send = useMutation({
    mutationFn: () =>
      call<TaskAccepted>("/data/ingest", {
        method: "POST",
        body: { path: path.trim(), format: "csv", glob, overwrite },
      }),
    onSuccess: ({ task_id }) => {
      onAccepted(task_id);
      onClose();
    },
  });
  return (
    <Dialog title="Ingest bars" onClose={onClose}>
      <form
        className="start-form"
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <p>
          Reads CSV files on the server's machine: a column for the time, and open, high, low,
          close, volume in any order. Rows that cannot be read are reported, the others are kept.
        </p>
        <Field label="File or folder">
          <input
            className="field"
            required
            value={path}
            onChange={(event) => setPath(event.target.value)}
            placeholder="/data/bars"
          />
        </Field>
        <Field label="Files in a folder">
          <input className="field" value={glob} onChange={(event) => setGlob(event.target.value)} />
        </Field>
        <label className="row">
          <input
            type="checkbox"
            checked={overwrite}
            onChange={(event) => setOverwrite(event.target.checked)}
          />{" "}
          Replace bars that are there already
        </label>
        <Outcome error={send.error} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button is-primary" disabled={send.isPending}>
            Ingest
          </button>
        </div>
      </form>
    </Dialog>
  );
}
