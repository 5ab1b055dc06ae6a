import { IconShieldCheck, IconShieldX } from "@tabler/icons-react";

/** Whether the hash chain of the audit trail is intact. */
export function Chain({ intact }: { intact: boolean }) {
  return intact ? (
    <div className="notice good" role="status">
      <IconShieldCheck size={18} /> <span><strong>The chain is intact.</strong> Each event carries the hash of the one before; none was changed or taken out.</span>
    </div>
  ) : (
    <div className="notice bad" role="alert">
      <IconShieldX size={18} /> <span><strong>The chain is broken.</strong> An event was changed or taken out; <code>calotype verify</code> says where.</span>
    </div>
  );
}
