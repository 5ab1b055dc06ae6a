import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { thumbUrl } from "@/api/client";
import type { GuidelineExample } from "@/api/schema.gen";
import { Pill } from "@/kit/basics";
import { Panel } from "@/kit/page";
import * as api from "../api";

/** Samples, or regions of them, that show what is right and what is wrong. */
export function Examples({ dataset, examples }: { dataset: string; examples: readonly GuidelineExample[] }) {
  if (!examples.length) return null;
  return (
    <Panel title="Examples and counter-examples">
      <ul className="guide-examples">
        {examples.map((example, at) => <li key={at}><Example dataset={dataset} example={example} /></li>)}
      </ul>
    </Panel>
  );
}

function Example({ dataset, example }: { dataset: string; example: GuidelineExample }) {
  const { data } = useQuery(api.sample(dataset, example.sample_id));
  const [x = 0, y = 0, width = 0, height = 0] = example.bbox ?? [];
  const isGood = example.verdict === "good";
  return (
    <figure className={`guide-example ${example.verdict}`}>
      <Link to="/d/$dataset/samples/$sample" params={{ dataset, sample: example.sample_id }} aria-label={`Open ${example.sample}`}>
        <svg viewBox={data ? `0 0 ${data.width} ${data.height}` : "0 0 4 3"} role="img" aria-label={example.sample}>
          {data ? <image href={thumbUrl(dataset, data.media, 512)} width={data.width} height={data.height} preserveAspectRatio="none" /> : null}
          {data && example.bbox ? <rect x={x} y={y} width={width} height={height} vectorEffect="non-scaling-stroke" /> : null}
        </svg>
      </Link>
      <figcaption><Pill tone={isGood ? "good" : "bad"}>{isGood ? "right" : "wrong"}</Pill> {example.caption || example.sample}</figcaption>
    </figure>
  );
}
