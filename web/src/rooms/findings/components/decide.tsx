import { useState } from "react";
import type { ClassCount, ListedFinding } from "@/api/schema.gen";
import { useCommands } from "@/kit/commands";
import { compact, plural } from "@/kit/format";
import { say } from "@/kit/said";
import type { Act, useActions } from "./actions";
import type { Chosen } from "../api";
import { ACTION_KEYS } from "../keys";
import { remember, remembered } from "./remembered";
import { ActionBar, type Asked } from "./action_bar";
import { Ask, type Option } from "./ask";
import { fixWords } from "./words";

type Props = {
  finding: ListedFinding | undefined;
  chosen: Chosen | null;
  nChosen: number;
  classes: readonly ClassCount[];
  actions: ReturnType<typeof useActions>;
  onDone: () => void;
};

/** The last decision of this page, for the key that repeats it. */
let last: Act | null = null;

/** The actions and their keys; each shows at once and leads on to the next finding. */
export function Decide({ finding, chosen, nChosen, classes, actions, onDone }: Props) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const many = nChosen > 1;
  const fix = finding ? fixWords(finding) : null;
  const act = (what: Act) => {
    if (!chosen) return;
    last = what;
    actions.run(what, chosen);
    onDone();
  };
  const accept = () => (many || fix ? act({ do: "fix" }) : say("This finding suggests no fix: choose a class (C) or reject it (X)"));
  const ask = (what: Asked) => {
    if (what === "class" && !many && !finding?.annotation) return say("This finding is about no annotation, so it has no class");
    setAsked(what);
  };
  const reopen = () => act({ do: "decide", decision: { state: "open" } });
  const fixed = () => act({ do: "decide", decision: { state: "fixed" } });
  useCommands(ACTION_KEYS, {
    "findings.accept": accept,
    "findings.class": () => ask("class"),
    "findings.reject": () => ask("reject"),
    "findings.assign": () => ask("assign"),
    "findings.risk": () => ask("risk"),
    "findings.fixed": fixed,
    "findings.reopen": reopen,
    "findings.repeat": () => (last ? act(last) : say("No decision to repeat yet")),
    "findings.undo": actions.undo,
  });
  const isOpen = !finding || finding.state === null || finding.state === "open";
  const of = many ? plural(nChosen, "finding") : "this finding";
  const close = () => setAsked(null);
  const words = (what: string): Option[] => remembered(what).map((value) => ({ value }));
  const reason = (text: string) => {
    remember("reasons", text);
    return text;
  };
  return (
    <>
      <ActionBar fix={fix} canClass={!!finding?.annotation} isOpen={isOpen} chosen={nChosen} />
      {asked === "class" ? <Ask title={many ? `Class of the objects of ${of}` : "Class of this object"} label="Class" strict verb="Set class" options={classOptions(classes)} onClose={close} onTake={(name) => act({ do: "fix", set_class: name })} /> : null}
      {asked === "reject" ? <Ask title={`Reject ${of}`} label="Reason" verb="Reject" options={words("reasons")} onClose={close} onTake={(text) => act({ do: "decide", decision: { state: "rejected", note: reason(text) } })} /> : null}
      {asked === "risk" ? <Ask title={`Accept the risk of ${of}`} label="Reason" withUntil verb="Accept risk" options={words("reasons")} onClose={close} onTake={(text, until) => act({ do: "decide", decision: { state: "accepted", note: reason(text), until } })} /> : null}
      {asked === "assign" ? (
        <Ask
          title={`Assign ${of}`} label="Name" verb="Assign" options={words("people")} onClose={close}
          onTake={(name) => {
            remember("people", name);
            act({ do: "decide", decision: { state: "assigned", assignee: name } });
          }}
        />
      ) : null}
    </>
  );
}

/** The classes, the most frequent first, so that they have the digits. */
const classOptions = (classes: readonly ClassCount[]): Option[] =>
  [...classes].sort((a, b) => b.annotations - a.annotations).map(({ name, annotations }) => ({ value: name, note: compact(annotations) }));
