import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Skeleton, When } from "@/kit/basics";
import { short } from "@/kit/format";
import * as api from "./api";
import "./panel.css";

export { ProtectedNote, useBranch } from "./components/branches";
export { RefPicker } from "./components/ref_picker";

/** The latest commits. */
export function LatestCommits({ dataset, refName }: { dataset: string; refName: string }) {
  const query = useQuery(api.log(dataset, refName, 5));
  if (query.isPending) return <Skeleton height={60} />;
  if (query.error) return <span className="dim">could not load: {query.error.message}</span>;
  if (query.data.items.length === 0) return <span className="dim">no commits yet</span>;
  return (
    <>
      <ul className="commit-lines">
        {query.data.items.map((commit) => (
          <li key={commit.id}>
            <span className="mono dim">{short(commit.id)}</span>
            <span className="cut">{commit.message || "(no message)"}</span>
            <span className="dim"><When at={commit.at} /></span>
          </li>
        ))}
      </ul>
      <Link to="/d/$dataset/history" params={{ dataset }} className="link more">Full history</Link>
    </>
  );
}
