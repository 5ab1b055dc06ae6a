import { useQuery } from "@tanstack/react-query";
import { branchOf } from "@/kit/branch";
import { refs } from "@/rooms/versions/api";
import type { GridSearch } from "../search";
import "./colours.css";

type Choice = Pick<GridSearch, "beside" | "against">;
type Props = { dataset: string; refName: string; labelSet: string; sets: readonly string[]; value: Choice; onChange: (value: Choice) => void };

/** Which label set or state is shown beside what is shown. Nothing where there is no other. */
export function Beside({ dataset, refName, labelSet, sets, value, onChange }: Props) {
  const states = useQuery(refs(dataset)).data?.items.map((one) => one.name).filter((name) => name !== (branchOf(refName) ?? refName)) ?? [];
  const others = sets.filter((name) => name !== labelSet);
  // A commit that only the address names can be left too.
  if (value.against && !states.includes(value.against)) states.push(value.against);
  if (states.length + others.length === 0) return null;
  const chosen = value.beside ? `set ${value.beside}` : value.against ? `ref ${value.against}` : "";
  return (
    <section>
      <header>
        <h2>Beside</h2>
        <select
          className="field colour-by" aria-label="Side by side with" value={chosen}
          onChange={({ target }) => onChange({
            beside: target.value.startsWith("set ") ? target.value.slice(4) : undefined,
            against: target.value.startsWith("ref ") ? target.value.slice(4) : undefined,
          })}
        >
          <option value="">Nothing</option>
          {others.length ? <optgroup label="Label sets">{others.map((name) => <option key={name} value={`set ${name}`}>{name}</option>)}</optgroup> : null}
          {states.length ? <optgroup label="States">{states.map((name) => <option key={name} value={`ref ${name}`}>{name}</option>)}</optgroup> : null}
        </select>
      </header>
    </section>
  );
}
