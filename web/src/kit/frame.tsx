import { Link, Outlet } from "@tanstack/react-router";
import { createContext, useContext, type ComponentType, type ReactNode } from "react";
import { useHere } from "@/kit/here";
import { useTitle } from "@/kit/page";

/** What stands around every page; nothing where no app is around. */
const Around = createContext<ComponentType>(Outlet);
export const AppFrame = Around.Provider;

/** The component of the root route. */
export function Root() {
  const Frame = useContext(Around);
  return <Frame />;
}

/** What the app puts at the end of every page's bar (state picker, palette, theme); nothing where no app is around. */
const Tools = createContext<ComponentType<{ withRef: boolean }>>(() => null);
export const PageTools = Tools.Provider;

/** A page: a bar with its breadcrumb, facts and actions; below it the content, which scrolls, also by keyboard. */
export function Page({ title, heading, crumbs, meta, actions, children, flush = false, withRef = true }: {
  title: string;
  heading?: ReactNode;
  crumbs?: ReactNode;
  meta?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
  withRef?: boolean;
}) {
  const { dataset } = useHere();
  const Bar = useContext(Tools);
  useTitle(title, dataset);
  return (
    <div className="page">
      <header className="page-head">
        <nav className="crumbs" aria-label="Breadcrumb">
          {dataset ? (
            <>
              <Link to="/d/$dataset" params={{ dataset }} className="crumb cut">{dataset}</Link>
              <span className="slash" aria-hidden="true">/</span>
            </>
          ) : null}
          {crumbs}
          <h1 className="cut">{heading ?? title}</h1>
        </nav>
        {meta ? <div className="page-meta">{meta}</div> : null}
        <div className="page-actions">
          {actions}
          <Bar withRef={withRef} />
        </div>
      </header>
      {flush ? <div className="page-body flush">{children}</div> : <div className="page-body" tabIndex={0}>{children}</div>}
    </div>
  );
}
