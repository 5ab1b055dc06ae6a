import { IconAlertTriangle, IconChecks, IconCircleDashed, IconCircleX, IconLoader2, IconPencil } from "@tabler/icons-react";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { DatasetRow, RunRow } from "@/api/schema.gen";
import { Pill, When, type Tone } from "@/kit/basics";
import { plural } from "@/kit/format";
import { Panel } from "@/kit/page";
import type { ReactNode } from "react";

type Item = { id: string; tone: Tone; icon: typeof IconPencil; word: string; dataset: string; text: ReactNode; link: LinkProps };

/** What waits for somebody, most urgent first: runs that go on or ended badly, gates, uncommitted edits, open findings. */
export function Attention({ items, runs }: { items: readonly DatasetRow[]; runs: readonly RunRow[] }) {
  const waiting = [...newest(runs).flatMap(ofRun), ...items.flatMap(ofGates), ...items.flatMap(ofEdits), ...items.flatMap(ofFindings)];
  return (
    <Panel title="Needs attention" meta={waiting.length ? plural(waiting.length, "item") : null} className="attention">
      {waiting.length === 0 ? (
        <p className="attention-none dim"><IconChecks size={16} aria-hidden="true" /> Nothing waits: gates are green, edits are committed, findings are decided.</p>
      ) : (
        <ul>
          {waiting.map(({ id, tone, icon: Icon, word, dataset, text, link }) => (
            <li key={id}>
              <Link {...link} className="attention-row">
                <Pill tone={tone} icon={<Icon size={13} />}>{word}</Pill>
                <strong className="cut">{dataset}</strong>
                <span className="cut">{text}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** The newest run of each pipeline on each dataset; runs come newest first. */
const newest = (runs: readonly RunRow[]): RunRow[] => [...new Map(runs.toReversed().map((run) => [`${run.dataset} ${run.pipeline}`, run])).values()];

function ofRun(run: RunRow): Item[] {
  const looks = {
    running: { tone: "accent", icon: IconLoader2, word: "Running" },
    failed: { tone: "bad", icon: IconCircleX, word: "Run failed" },
    interrupted: { tone: "warn", icon: IconAlertTriangle, word: "Run interrupted" },
  } as const;
  const look = run.state in looks ? looks[run.state as keyof typeof looks] : null;
  if (!look) return [];
  const text = <>pipeline {run.pipeline}, started <When at={run.at} /></>;
  return [{ ...look, id: `run ${run.id}`, dataset: run.dataset, text, link: { to: "/runs/$run", params: { run: run.id } } }];
}

function ofGates({ name, gates, samples }: DatasetRow): Item[] {
  const link: LinkProps = { to: "/d/$dataset/checks", params: { dataset: name } };
  const item = { id: `gates ${name}`, dataset: name, link };
  if (!gates) return samples ? [{ ...item, tone: "plain", icon: IconCircleDashed, word: "Not checked", text: "run the checks before a release" }] : [];
  if (gates.red) return [{ ...item, tone: "bad", icon: IconCircleX, word: plural(gates.red, "red gate"), text: `blocks a release; ${gates.green} green` }];
  return gates.missing ? [{ ...item, tone: "warn", icon: IconCircleDashed, word: plural(gates.missing, "gate") + " missing", text: "blocks a release: no data to evaluate" }] : [];
}

function ofEdits({ name, dirty, samples, head }: DatasetRow): Item[] {
  if (!dirty || !samples) return [];
  return [{
    id: `edits ${name}`, tone: "warn", icon: IconPencil, word: head ? "Uncommitted changes" : "Not committed", dataset: name,
    text: head ? <>since {head.message || "(no message)"}, <When at={head.at} /></> : "no commits yet",
    link: { to: "/d/$dataset/history", params: { dataset: name } },
  }];
}

function ofFindings({ name, open: counts, gates }: DatasetRow): Item[] {
  const open = counts ? counts.error + counts.warning + counts.info : 0;
  if (open === 0) return [];
  const text = gates && gates.red + gates.missing === 0 ? "all gates are green, but these wait for a decision" : "wait for a decision";
  return [{ id: `findings ${name}`, tone: "plain", icon: IconAlertTriangle, word: plural(open, "open finding"), dataset: name, text, link: { to: "/d/$dataset/findings", params: { dataset: name } } }];
}
