import { IconArrowBackUp, IconCheck } from "@tabler/icons-react";
import { Button, KeyHint } from "@/kit/basics";
import { count } from "@/kit/format";

export type Asked = "class" | "reject" | "assign" | "risk";

type Props = {
  /** What accepting the fix does; null where nothing is suggested. */
  fix: string | null;
  canClass: boolean;
  isOpen: boolean;
  /** How many findings an action is about; 1 is the one shown. */
  chosen: number;
};

/** What can be done with the finding shown, or with the selected ones; every button has its key beside it. */
export function ActionBar({ fix, canClass, isOpen, chosen }: Props) {
  const many = chosen > 1;
  return (
    <div className="action-bar" role="toolbar" aria-label={many ? `Actions on ${count(chosen)} findings` : "Actions on this finding"}>
      {many ? <strong className="action-count">{count(chosen)} selected</strong> : null}
      <Button look="first" disabled={!many && !fix} command="findings.accept" title={many ? "Stage the suggested fixes" : fix ? `Accept: ${fix}` : "This finding suggests no fix"}>
        <IconCheck size={14} /> Accept fix{many ? "es" : ""} <KeyHint keys="a" />
      </Button>
      <Button disabled={!many && !canClass} command="findings.class">Class… <KeyHint keys="c" /></Button>
      <Button command="findings.reject">Reject… <KeyHint keys="x" /></Button>
      <Button look="quiet" command="findings.assign">Assign… <KeyHint keys="s" /></Button>
      <Button look="quiet" command="findings.risk">Accept risk… <KeyHint keys="r" /></Button>
      {isOpen || many ? <Button look="quiet" command="findings.fixed" title="You fixed it elsewhere; the next run of the checks closes it">Fixed <KeyHint keys="f" /></Button> : null}
      {isOpen && !many ? null : <Button look="quiet" command="findings.reopen">Reopen <KeyHint keys="o" /></Button>}
      <Button look="quiet" className="action-undo" command="findings.undo"><IconArrowBackUp size={14} /> Undo <KeyHint keys="u" /></Button>
    </div>
  );
}
