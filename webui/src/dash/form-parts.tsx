// Parts of the forms that act on something.
import type { ReactNode } from "react";

export function Outcome({ error, children }: { error: Error | null; children?: ReactNode }) {
  if (error)
    return (
      <p className="is-error" role="alert">
        {error.message}
      </p>
    );
  return children ? <p role="status">{children}</p> : null;
}

export function Field({
  label,
  about,
  children,
}: {
  label: string;
  about?: string;
  children: ReactNode;
}) {
  return (
    <label className="form-field">
      <span>
        {label} {about && <span className="muted">{about}</span>}
      </span>
      {children}
    </label>
  );
}
