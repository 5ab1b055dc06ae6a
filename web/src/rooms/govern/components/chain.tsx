import { IconShieldCheck, IconShieldX } from "@tabler/icons-react";

/** Whether the hash chain of the audit trail is intact. */
export function Chain({ intact }: { intact: boolean }) {
  return intact ? (
    <div className="notice good" role="status">
      <IconShieldCheck size={18} /> <span><strong>The hash chain is intact.</strong> No event has been changed or removed.</span>
    </div>
  ) : (
    <div className="notice bad" role="alert">
      <IconShieldX size={18} /> <span><strong>The hash chain is broken.</strong> An event has been changed or removed; run <code>calotype verify</code> to locate it.</span>
    </div>
  );
}
