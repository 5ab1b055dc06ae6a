import { useCallback, useRef, useState } from "react";
import { COLOURINGS, legendOf, SCALE, type Coloured, type Colouring } from "@/canvas/colour_by";
import "./colours.css";

const NAMES: Record<Colouring, string> = { author: "Author", score: "Score", finding: "Open finding", set: "Label set" };
const GRADIENT = `linear-gradient(90deg, ${SCALE.join(", ")})`;

type Props = { by: Colouring | undefined; labelSets: readonly string[]; authors: readonly string[]; onBy: (by: Colouring | undefined) => void };

/** What annotations are coloured by, and what the colours mean; the classes are their own legend. */
export function Colours({ by, labelSets, authors, onBy }: Props) {
  return (
    <section>
      <header>
        <h2>Colour by</h2>
        <select className="field colour-by" aria-label="Colour by" value={by ?? ""} onChange={(event) => onBy(COLOURINGS.find((one) => one === event.target.value))}>
          <option value="">Class</option>
          {COLOURINGS.map((one) => <option key={one} value={one}>{NAMES[one]}</option>)}
        </select>
      </header>
      {by === "score" ? <p className="colour-scale"><span>0</span><i style={{ background: GRADIENT }} aria-hidden="true" /><span>1</span></p> : null}
      {by ? (
        <ul aria-label="Meaning of the colours">
          {legendOf(by, labelSets, authors).map(({ name, colour }) => (
            <li key={name} className="facet"><span className="swatch" aria-hidden="true"><i style={{ background: colour, borderColor: colour }} /></span><span className="cut">{name}</span></li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

/** The authors of the annotations that were shown, in the order of their names. */
export function useAuthors() {
  const seen = useRef(new Set<string>());
  const [authors, setAuthors] = useState<readonly string[]>([]);
  const see = useCallback((annotations: Iterable<Coloured>) => {
    const before = seen.current.size;
    for (const { author } of annotations) seen.current.add(author);
    if (seen.current.size > before) setAuthors([...seen.current].sort());
  }, []);
  return { authors, see };
}
