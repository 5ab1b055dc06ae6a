import { useQuery } from "@tanstack/react-query";
import { CommandLine, Skeleton } from "@/kit/basics";
import { Words } from "@/kit/words";
import * as api from "../api";
import type { SampleSearch } from "../search";
import { SmallImage } from "./lineage";
import { Section } from "./section";

/** The images that look most like this one, by the embeddings of the model that has most of them. */
export function Nearest({ dataset, sample, search }: { dataset: string; sample: string; search: SampleSearch }) {
  const models = useQuery(api.vectorModels(dataset));
  const most = [...(models.data?.items ?? [])].sort((a, b) => b.samples - a.samples)[0];
  const query = useQuery({ ...api.similar(dataset, sample, most?.model ?? ""), enabled: most !== undefined, staleTime: 60_000 });
  const error = models.error ?? query.error;
  const isLoading = models.isLoading || query.isLoading;
  return (
    <Section title="Nearest images" meta={most ? `by ${most.model}` : ""}>
      {isLoading ? <div className="small-images" role="status" aria-label="Loading the nearest images">{Array.from({ length: 4 }, (_, at) => <Skeleton key={at} height={44} />)}</div> : null}
      {models.data && !most ? (
        <>
          <p className="dim section-text">Embeddings find images that look alike. Compute them once:</p>
          <CommandLine>{`calotype embed ${dataset}`}</CommandLine>
        </>
      ) : null}
      {error ? <p className="dim section-text" role="alert"><Words>{error.message}</Words></p> : null}
      {query.data && query.data.items.length === 0 ? <p className="dim section-text">No other sample has an embedding.</p> : null}
      {query.data?.items.length ? (
        <div className="small-images">
          {query.data.items.map((one) => (
            <SmallImage key={one.sample_id} one={{ id: one.sample_id, name: one.name, media: one.media }} dataset={dataset} search={search} note={one.distance.toFixed(3)} />
          ))}
        </div>
      ) : null}
    </Section>
  );
}
