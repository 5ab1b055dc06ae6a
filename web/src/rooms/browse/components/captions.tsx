import { IconMessage } from "@tabler/icons-react";
import type { FullAnnotation } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";

type Props = {
  list: readonly FullAnnotation[];
  hidden: ReadonlySet<number>;
  lit: string | null;
  onLit: (id: string | null) => void;
};

/** What captions say of the image, below it. */
export function Captions({ list, hidden, lit, onLit }: Props) {
  const captions = list.filter((a) => a.kind === "caption" && !hidden.has(a.class_id));
  if (captions.length === 0) return null;
  return (
    <ul className="captions" aria-label="Captions" onMouseLeave={() => onLit(null)}>
      {captions.map((a) => (
        <li key={a.id} data-lit={a.id === lit} onMouseEnter={() => onLit(a.id)}>
          <IconMessage size={14} style={{ color: classColour(a.class_id) }} aria-hidden="true" />
          <span>{String(a.attributes.text ?? "")}</span>
        </li>
      ))}
    </ul>
  );
}
