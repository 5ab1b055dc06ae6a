import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { GuidelineDiff, GuidelineHead } from "@/api/schema.gen";
import { Pill, When } from "@/kit/basics";
import { Panel } from "@/kit/page";
import * as api from "../api";

/** The versions, newest first; the one that is shown is marked. */
export function Versions({ dataset, items, shown }: { dataset: string; items: readonly GuidelineHead[]; shown: number }) {
  return (
    <Panel title="Versions">
      <ol className="guide-versions">
        {items.map((one) => (
          <li key={one.version} aria-current={one.version === shown ? "true" : undefined}>
            <Link to="/d/$dataset/guideline" params={{ dataset }} search={(before) => ({ ...before, version: one.version })}>Version {one.version}</Link>
            {one.state === "draft" ? <Pill tone="warn">draft</Pill> : <span className="muted">{one.published_by}, <When at={one.published_at ?? one.created_at} /></span>}
            <p>{one.changelog}</p>
            <Touches names={one.touches.map((touch) => (touch.attribute ? `${touch.class}.${touch.attribute}` : touch.class))} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}

export function Touches({ names }: { names: readonly string[] }) {
  if (!names.length) return null;
  return <p className="guide-touches">touches {names.map((name) => <Pill key={name}>{name}</Pill>)}</p>;
}

/** What a version changed in the text of the one before it. */
export function Changes({ dataset, version }: { dataset: string; version: number }) {
  const { data } = useQuery(api.diff(dataset, version));
  if (!data || data.before === 0) return null;
  return <Panel title={`Changed since version ${data.before}`} meta={counts(data)}><DiffLines lines={data.lines} /></Panel>;
}

/** A unified diff without its head; added and removed lines differ in sign and colour. */
export function DiffLines({ lines }: { lines: readonly string[] }) {
  const shown = lines.slice(2);
  if (!shown.length) return <p className="muted">The text is the same.</p>;
  const kindOf = (line: string) => (line.startsWith("@@") ? "place" : line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same");
  return <pre className="guide-diff" tabIndex={0}>{shown.map((line, at) => <span key={at} className={kindOf(line)}>{line || " "}</span>)}</pre>;
}

const counts = ({ examples_added: added, examples_removed: removed }: GuidelineDiff) =>
  [added ? `${added} examples added` : "", removed ? `${removed} removed` : ""].filter(Boolean).join(", ");
