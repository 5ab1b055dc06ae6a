import type { EmbeddingMap } from "@/api/schema.gen";
import { classColour } from "@/canvas/colours";
import { count, percent } from "@/kit/format";

/** What the colours stand for. Rarer values share grey. */
export function Legend({ map }: { map: EmbeddingMap }) {
  return (
    <ul className="map-legend" aria-label={`Colours: ${wayName(map.by)}`}>
      {map.colours.map(({ value, count: n }, at) => (
        <li key={value ?? "\u0000"} title={percent(n, map.total)}>
          <i style={{ background: value === null ? "#8b959f" : classColour(at) }} />
          <span className="cut">{value === null ? "all others" : value || "none"}</span>
          <span className="dim tabular">{count(n)}</span>
        </li>
      ))}
    </ul>
  );
}

/** A way to colour points, in words. */
export const wayName = (way: string): string => way.replace(/^field:/, "");
