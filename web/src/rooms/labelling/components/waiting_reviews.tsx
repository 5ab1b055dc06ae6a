import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { datasetChanged } from "@/api/cache";
import { Button, When } from "@/kit/basics";
import { useCommands } from "@/kit/commands";
import { count, plural } from "@/kit/format";
import { ErrorState, Panel } from "@/kit/page";
import { say } from "@/kit/said";
import * as api from "../api";
import { REVIEWS_KEYS } from "../keys";

const AGREED = 0.8;
const SHOWN = 50;

/** The images that wait for a review, with whose they are and how far copies agree. */
export function WaitingReviews({ dataset }: { dataset: string }) {
  const client = useQueryClient();
  const query = useQuery(api.reviews(dataset));
  const accepting = useMutation({
    mutationFn: () => api.accept(dataset, AGREED),
    onSuccess: async ({ items }) => {
      say(items.length ? `Accepted ${plural(items.length, "image")}` : "Nothing that agrees so far is somebody else's work");
      await datasetChanged(client, dataset);
    },
  });
  const items = query.data?.items ?? [];
  const agreeing = items.filter((one) => one.agreement !== null && one.agreement >= AGREED).length;
  useCommands(REVIEWS_KEYS, { "reviews.accept": () => accepting.mutate() });
  if (query.error) return null;
  return (
    <Panel
      className="table wide" title="Waiting for a review"
      meta={agreeing ? <Button className="small" command="reviews.accept" busy={accepting.isPending}>Accept the {count(agreeing)} whose copies agree</Button> : count(items.length)}
    >
      {accepting.error ? <ErrorState error={accepting.error} /> : null}
      {items.length === 0 ? <p className="dim">Nothing waits. Reviewers take what comes next from their own page.</p> : (
        <>
          <table className="rows">
            <thead><tr><th>Image</th><th>Batch</th><th>By</th><th>Why</th><th className="num">Agreement</th><th>Since</th></tr></thead>
            <tbody>
              {items.slice(0, SHOWN).map((one) => (
                <tr key={`${one.batch} ${one.sample}`}>
                  <td><Link to="/d/$dataset/samples/$sample" params={{ dataset, sample: one.sample }} className="link">{one.name}</Link></td>
                  <td>{one.batch}</td><td>{one.by.join(", ")}</td><td className="dim">{one.reason}</td>
                  <td className="num">{one.agreement === null ? "–" : `${Math.round(100 * one.agreement)} %`}</td><td><When at={one.since} /></td>
                </tr>
              ))}
            </tbody>
          </table>
          {items.length > SHOWN ? <p className="dim">and {count(items.length - SHOWN)} more</p> : null}
        </>
      )}
    </Panel>
  );
}
