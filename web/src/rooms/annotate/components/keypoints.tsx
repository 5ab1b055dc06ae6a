import type { FullAnnotation } from "@/api/schema.gen";
import { withVisibility } from "@/canvas/reshape";

type Visibility = 0 | 1 | 2;
const NAMES: Record<Visibility, string> = { 2: "visible", 1: "hidden", 0: "not labelled" };
const ORDER: readonly Visibility[] = [2, 1, 0];

const visibilityOf = (a: FullAnnotation, point: number): Visibility => {
  const value = a.keypoints[3 * point + 2] ?? 0;
  return value >= 2 ? 2 : value >= 1 ? 1 : 0;
};

/** Visible, then hidden, then not labelled, then visible again. */
export const nextVisibility = (a: FullAnnotation, point: number): Visibility =>
  ORDER[(ORDER.indexOf(visibilityOf(a, point)) + 1) % ORDER.length] ?? 2;

type Props = { a: FullAnnotation; names: readonly string[]; onChange: (next: FullAnnotation) => void };

/** The keypoints of an annotation by name, also those that are not labelled and so not on the image. */
export function Keypoints({ a, names, onChange }: Props) {
  const points = Array.from({ length: Math.floor(a.keypoints.length / 3) }, (_, at) => names[at] ?? `point ${at + 1}`);
  return (
    <ul className="keypoint-rows" aria-label={`Keypoints of the ${a.class}`}>
      {points.map((name, at) => (
        <li key={name} className="attribute-row">
          <span className="cut dim" title={name}>{name}</span>
          <select
            className="field" aria-label={`Visibility of ${name}`} value={visibilityOf(a, at)}
            onChange={(event) => onChange(withVisibility(a, at, Number(event.target.value) as Visibility))}
          >
            {ORDER.map((value) => <option key={value} value={value}>{NAMES[value]}</option>)}
          </select>
        </li>
      ))}
    </ul>
  );
}
