import { useEffect, useState } from "react";

let tell: (text: string) => void = () => {};

/** Show a message for a few seconds. */
export const say = (text: string) => tell(text);

/** Where such messages appear; screen readers announce them. */
export function Said() {
  const [said, setSaid] = useState<{ text: string; at: number } | null>(null);
  useEffect(() => {
    tell = (text) => setSaid({ text, at: Date.now() });
  }, []);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(null), 3500);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <div role="status" aria-live="polite" className="said-place">
      {said ? <div className="said-box">{said.text}</div> : null}
    </div>
  );
}
