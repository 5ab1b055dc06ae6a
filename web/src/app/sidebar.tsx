import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Session } from "@/api/schema.gen";
import { openKeys } from "@/app/palette";
import { placesOf } from "@/app/places";
import { ThemeToggle } from "@/app/tools";
import { Tray } from "@/app/tray";
import { KeyHint } from "@/kit/basics";
import { compact, plural } from "@/kit/format";
import { useHere } from "@/kit/here";
import type { Place } from "@/kit/rooms";
import { datasets } from "@/rooms/datasets/api";

/** The navigation: datasets, the pages of the open one, and the pages of the whole workspace. */
export function Sidebar({ session }: { session: Session | undefined }) {
  const here = useHere();
  const list = useQuery(datasets());
  const items = list.data?.items ?? [];
  return (
    <nav className="sidebar" aria-label="Main">
      <Link to="/" className="brand">
        <img src="/icon.svg" width={20} height={20} alt="" />
        <span className="cut">{session?.workspace.name ?? "Calotype"}</span>
      </Link>
      <div className="side-scroll">
        {placesOf("top").map((place) => <Item key={place.title} place={place} />)}
        <ul className="side-datasets" aria-label="Datasets">
          {items.map((dataset) => {
            const open = dataset.name === here.dataset;
            return (
              <li key={dataset.name} data-open={open}>
                <Link
                  to="/d/$dataset" params={{ dataset: dataset.name }} search={{ ref: open ? here.ref || undefined : undefined }} activeOptions={{ exact: true, includeSearch: false }}
                  className="side-dataset" title={plural(dataset.samples, "sample")}
                >
                  <span className="cut">{dataset.name}</span>
                  {dataset.dirty && dataset.samples ? <i className="dirty" title="Uncommitted changes" /> : null}
                  <span className="side-count">{compact(dataset.samples)}</span>
                </Link>
                {open ? <DatasetPages name={dataset.name} /> : null}
              </li>
            );
          })}
        </ul>
      </div>
      <Tray />
      <div className="side-foot">
        {placesOf("foot", session ?? NOBODY).map((place) => <Item key={place.title} place={place} />)}
        <div className="side-who">
          <span className="cut">{session ? [session.actor.name, ...(session.actor.roles.length ? [`(${session.actor.roles.join(", ")})`] : [])].join(" ") : ""}</span>
          <ThemeToggle />
          <button type="button" data-command="keys" onClick={openKeys} aria-label="Keyboard shortcuts"><KeyHint keys="?" /></button>
        </div>
      </div>
    </nav>
  );
}

function DatasetPages({ name }: { name: string }) {
  return <ul className="side-pages">{placesOf("dataset").map((place) => <li key={place.title}><Item place={place} dataset={name} /></li>)}</ul>;
}

/** Before the session is known: nothing that needs a right or an account. */
export const NOBODY = { accounts: false, may: [] };

const useNothing = () => 0;

function Item({ place, dataset = "" }: { place: Place; dataset?: string }) {
  const { icon: Icon, title } = place;
  const link = place.link(dataset);
  const waiting = (place.useCount ?? useNothing)();
  return (
    <Link {...link} activeOptions={{ includeSearch: false, ...link.activeOptions }} className="side-item">
      <Icon size={15} stroke={1.7} />
      <span className="cut">{title}</span>
      {waiting ? <span className="side-count waiting" title={`${plural(waiting, "request")} waiting for you`}>{compact(waiting)}</span> : null}
    </Link>
  );
}
