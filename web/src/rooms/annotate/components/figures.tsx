import { measured, sentence } from "@/kit/format";
import { Panel } from "@/kit/page";

/** One's own figures as the server counts them; nobody else sees them but the manager. */
export function Figures({ figures }: { figures: Readonly<Record<string, unknown>> }) {
  const shown = Object.entries(figures).filter((entry): entry is [string, number | string] => typeof entry[1] === "number" || typeof entry[1] === "string");
  if (shown.length === 0) return null;
  return (
    <Panel title="My figures" meta={<span title="Seen by you and the manager of the batch only">only for you</span>}>
      <dl className="stats">
        {shown.map(([name, value]) => <div key={name} className="stat"><dt>{sentence(name.replaceAll("_", " "))}</dt><dd>{typeof value === "number" ? measured(value) : value}</dd></div>)}
      </dl>
    </Panel>
  );
}
