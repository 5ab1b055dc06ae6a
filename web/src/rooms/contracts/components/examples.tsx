import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { thumbUrl } from "@/api/client";
import { Button, Skeleton } from "@/kit/basics";
import { count } from "@/kit/format";
import { Words } from "@/kit/words";
import { examples } from "@/rooms/browse/api";
import { contract } from "../api";
import { EVERYWHERE, groupsOf, type Group } from "./coverage";

type Props = { dataset: string; refName: string; title: string; name: string; onFindings: (() => void) | undefined };

/** Images for a cell of the coverage map: what meets both demands, and what comes close. */
export function Examples({ dataset, refName, title, name, onFindings }: Props) {
  const query = useQuery(contract(dataset, refName));
  const where = query.data?.coverage.find((one) => one.title === title)?.where;
  const isKnown = title === EVERYWHERE || where !== undefined;
  return (
    <section className="coverage-examples" aria-label={`Examples for ${title}, ${name || "samples"}`}>
      {query.isPending ? null : groupsOf(title, name, where).map((group) => <GroupOf key={group.where} group={group} dataset={dataset} refName={refName} />)}
      {query.data && !isKnown ? <p className="dim">The contract of this state has no condition {title}.</p> : null}
      {onFindings ? <Button onClick={onFindings}>Show the findings</Button> : null}
    </section>
  );
}

function GroupOf({ group: { title, where }, dataset, refName }: { group: Group; dataset: string; refName: string }) {
  const query = useQuery(examples(dataset, refName, where));
  const search = { ref: refName || undefined, where: where || undefined };
  const total = query.data?.total ?? 0;
  return (
    <div className="coverage-group">
      <h3>
        {title}
        {query.data ? <Link to="/d/$dataset/samples" params={{ dataset }} search={search} className="link" aria-label={`${count(total)} ${total === 1 ? "sample" : "samples"} of ${title}`}>{count(total)}</Link> : null}
      </h3>
      {query.isPending ? <div role="status" aria-label="Loading examples"><Skeleton height={72} /></div> : null}
      {query.error ? <p className="dim" role="alert"><Words>{query.error.message}</Words></p> : null}
      {query.data && total === 0 ? <p className="dim">No sample matches.</p> : null}
      {query.data && total > 0 ? (
        <div className="coverage-images">
          {query.data.items.map(({ id, name, media }) => (
            <Link key={id} to="/d/$dataset/samples/$sample" params={{ dataset, sample: id }} search={search} title={name}>
              <img className="thumb" src={thumbUrl(dataset, media, 128)} alt={name} loading="lazy" />
            </Link>
          ))}
        </div>
      ) : null}
    </div>
  );
}
