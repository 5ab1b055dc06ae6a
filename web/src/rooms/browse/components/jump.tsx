import { useRef, useState } from "react";
import { keysOf, useCommands } from "@/kit/commands";
import { count } from "@/kit/format";
import { JUMP_KEYS } from "../keys";

/** Goes to a sample by its number in the list. */
export function Jump({ total, onJump }: { total: number; onJump: (index: number) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  useCommands(JUMP_KEYS, { "grid.jump": () => field.current?.focus() });
  return (
    <form
      className="jump"
      onSubmit={(event) => {
        event.preventDefault();
        const number = Number(typed.replace(/[\s,.]/g, ""));
        if (!Number.isInteger(number) || number < 1) return;
        onJump(Math.min(number, total) - 1);
        setTyped("");
        field.current?.blur();
      }}
    >
      <input
        ref={field} className="field" inputMode="numeric" value={typed} placeholder="Go to #" aria-label={`Go to sample number, 1 to ${count(total)}`}
        onChange={(event) => setTyped(event.target.value)}
        {...keysOf({ Escape: () => field.current?.blur() })}
      />
    </form>
  );
}
