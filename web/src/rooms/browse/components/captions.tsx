import { IconMessage } from "@tabler/icons-react";
import type { FullAnnotation } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";
import { useSignal, type Signal } from "@/kit/signal";

type Props = { list: readonly FullAnnotation[]; hidden: ReadonlySet<number>; hover: Signal<string | null>; selected: string | null };

/** What captions say of the image, below it. */
export function Captions({ list, hidden, hover, selected }: Props) {
  const captions = list.filter((a) => a.kind === "caption" && !hidden.has(a.class_id));
  if (captions.length === 0) return null;
  return (
    <ul className="captions" aria-label="Captions" onMouseLeave={() => hover.set(null)}>
      {captions.map((a) => <Caption key={a.id} a={a} hover={hover} isSelected={a.id === selected} />)}
    </ul>
  );
}

function Caption({ a, hover, isSelected }: { a: FullAnnotation; hover: Props["hover"]; isSelected: boolean }) {
  const isHovered = useSignal(hover, (id) => id === a.id);
  return (
    <li data-lit={isHovered || isSelected} onMouseEnter={() => hover.set(a.id)}>
      <IconMessage size={14} style={{ color: classColour(a.class_id) }} aria-hidden="true" />
      <span>{String(a.attributes.text ?? "")}</span>
    </li>
  );
}
