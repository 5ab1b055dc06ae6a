import type { ReactNode } from "react";
import { Button } from "@/kit/basics";
import { say } from "@/kit/said";

/** A secret that is shown this once. */
export function Once({ title, text, children, onClose }: { title: string; text: string; children: ReactNode; onClose: () => void }) {
  const copy = async () => {
    const isCopied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    say(isCopied ? "Copied" : "The browser does not allow copying; select the text");
  };
  return (
    <div className="people-form">
      <h2>{title}</h2>
      <p>{children}</p>
      <input className="field mono" readOnly value={text} aria-label={title} onFocus={(event) => event.target.select()} autoFocus />
      <div className="people-row"><Button look="first" onClick={() => void copy()}>Copy</Button><Button onClick={onClose}>Done</Button></div>
    </div>
  );
}
