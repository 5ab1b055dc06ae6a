import { IconCloudCheck, IconCloudOff, IconCloudUp, IconAlertTriangle, IconX } from "@tabler/icons-react";
import { useSyncExternalStore } from "react";
import { Button, IconButton } from "@/kit/basics";
import { plural } from "@/kit/format";
import { Words } from "@/kit/words";
import type { WorkSession } from "../session/session";

/** Whether everything that was done is stored on the server. */
export function SavedState({ session }: { session: WorkSession }) {
  const { waiting, state, held } = useSyncExternalStore(session.outbox.subscribe, session.outbox.get);
  if (state === "held") return <span className="saved bad" role="status"><IconAlertTriangle size={14} /> Not saved: {held?.status === 401 ? "sign in again" : held?.detail}</span>;
  if (state === "offline") return <span className="saved warn" role="status" title="Kept in this browser and sent once the server can be reached"><IconCloudOff size={14} /> Offline, {waiting} waiting</span>;
  if (waiting > 0) return <span className="saved" role="status"><IconCloudUp size={14} /> Saving {waiting}</span>;
  return <span className="saved" role="status"><IconCloudCheck size={14} /> All saved</span>;
}

/** What was refused and taken back, and what keeps the rest from being sent. */
export function Refusals({ session }: { session: WorkSession }) {
  const { refused } = useSyncExternalStore(session.subscribe, session.get);
  const { held, waiting, state } = useSyncExternalStore(session.outbox.subscribe, session.outbox.get);
  const first = refused[0];
  return (
    <>
      {held && state === "held" ? (
        <div className="notice bad work-notice" role="alert">
          <p><strong>{plural(waiting, "operation")} not saved.</strong> <Words>{held.detail}</Words>{held.fix ? <>: <Words>{held.fix}</Words></> : null}. They stay in this browser.</p>
          <Button className="small" command="work.retry">Try again</Button>
        </div>
      ) : null}
      {first ? (
        <div className="notice bad work-notice" role="alert">
          <p><strong>{refused.length > 1 ? `${refused.length} changes were` : "A change was"} refused and taken back.</strong> <Words>{first.refusal.what}</Words></p>
          <IconButton className="small" label="Dismiss" onClick={() => session.dismiss()}><IconX size={13} /></IconButton>
        </div>
      ) : null}
    </>
  );
}
