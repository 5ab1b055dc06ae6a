import { useQuery } from "@tanstack/react-query";
import { thumbUrl } from "@/api/client";
import type { Annotation, GridSample } from "@/api/schema.gen";
import { areaOf, boxOf } from "@/canvas/geometry";
import { Skeleton } from "@/kit/basics";
import * as api from "../api";
import { Crop } from "@/canvas/crop";

const SHOWN = 4;
/** Smaller objects show nothing. */
const SMALLEST_PX = 144;

type Props = {
  dataset: string;
  refName: string;
  name: string;
  /** The sample of the finding, and the area of its object in pixels. */
  except: string;
  area: number;
};

/** Objects of a class elsewhere in the dataset, of about the same size: what such a thing usually looks like. */
export function Examples({ dataset, refName, name, except, area }: Props) {
  const query = useQuery(api.examples(dataset, refName, name));
  if (query.isPending) return <Skeleton height={56} />;
  if (query.error) return <p className="dim">No examples: {query.error.message}</p>;
  const originals = query.data.items.filter((sample) => sample.parent === null);
  const clean = originals.filter((sample) => sample.findings === 0);
  const near = (one: { area: number }) => Math.abs(Math.log(one.area / Math.max(1, area)));
  const all = (clean.length >= SHOWN ? clean : originals).flatMap((sample) => nearest(sample, name, except, near));
  const found = all.sort((a, b) => near(a) - near(b)).slice(0, SHOWN);
  if (found.length === 0) return <p className="dim">No other {name} in the dataset</p>;
  return (
    <ul className="examples" aria-label={`Examples of ${name}`}>
      {found.map(({ sample, annotation }) => (
        <li key={annotation.id} title={sample.name}>
          <Crop src={thumbUrl(dataset, sample.media, 512)} name={`${name} in ${sample.name}`} width={sample.width} height={sample.height} box={boxOf(annotation)} />
        </li>
      ))}
    </ul>
  );
}

type Found = { sample: GridSample; annotation: Annotation; area: number };

/** The object of a sample that comes nearest in size. */
function nearest(sample: GridSample, name: string, except: string, near: (one: Found) => number): Found[] {
  if (sample.id === except) return [];
  const of = sample.annotations.filter((one) => one.class === name).map((annotation) => ({ sample, annotation, area: areaOf(annotation) }));
  return of.filter((one) => one.area >= SMALLEST_PX).sort((a, b) => near(a) - near(b)).slice(0, 1);
}
