import { useMantineColorScheme, useComputedColorScheme } from "@mantine/core";
import { IconCommand, IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useHere } from "@/app/here";
import { openPalette } from "@/app/palette";
import { RefPicker } from "@/app/refpicker";
import type { Scheme } from "@/app/theme";
import { IconButton } from "@/kit/basics";
import { useTitle } from "@/kit/page";

/** A page: one bar with where you are, what it shows and what can be done; below it the content, which scrolls. */
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
  const { dataset, ref } = useHere();
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
          {dataset && withRef ? <RefPicker dataset={dataset} current={ref} /> : null}
          <IconButton label="All commands" onClick={openPalette}><IconCommand size={16} /></IconButton>
          <ThemeToggle />
        </div>
      </header>
      <div className={flush ? "page-body flush" : "page-body"}>{children}</div>
    </div>
  );
}

/** Light, dark, or as the system; in the bar, and in the navigation where the bar is short. */
const NEXT: Record<Scheme, Scheme> = { auto: "light", light: "dark", dark: "auto" };
const WORD: Record<Scheme, string> = { auto: "as the system", light: "light", dark: "dark" };

export function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  useComputedColorScheme("light");
  const Icon = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon }[colorScheme];
  return (
    <IconButton className="theme-toggle" label={`Theme: ${WORD[colorScheme]}; next: ${WORD[NEXT[colorScheme]]}`} onClick={() => setColorScheme(NEXT[colorScheme])}>
      <Icon size={16} />
    </IconButton>
  );
}
