import { IconShieldCheck, IconShieldX } from "@tabler/icons-react";
import type { AuditVerification } from "@/api/schema.gen";
import { count, plural } from "@/kit/format";

/** Whether the hash chain of the audit trail is intact; once it was verified, from which event on it is not. */
export function Chain({ intact, verification }: { intact: boolean; verification?: AuditVerification | undefined }) {
  if (!(verification?.intact ?? intact)) {
    return (
      <div className="notice bad" role="alert">
        <IconShieldX size={18} />
        <span>
          <strong>The hash chain is broken.</strong>{" "}
          {verification?.first_bad ? `The first bad event is ${count(verification.first_bad)}: ${verification.problems[0]?.problem ?? ""}.` : <>An event has been changed or removed; <em>Verify</em> says which.</>}
        </span>
      </div>
    );
  }
  return (
    <div className="notice good" role="status">
      <IconShieldCheck size={18} />
      <span>
        <strong>The hash chain is intact.</strong>{" "}
        {verification ? `Verified: ${plural(verification.events, "event")}, ${plural(verification.checkpoints_confirmed, "checkpoint")} confirmed.` : "No event has been changed or removed."}
      </span>
    </div>
  );
}
