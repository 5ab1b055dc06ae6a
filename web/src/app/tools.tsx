import { useQuery } from "@tanstack/react-query";
import { useMantineColorScheme, useComputedColorScheme } from "@mantine/core";
import { IconCommand, IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";
import type { Scheme } from "@/app/theme";
import { IconButton, Pill } from "@/kit/basics";
import { branchOf } from "@/kit/branch";
import { useHere } from "@/kit/here";
import { refs } from "@/rooms/versions/api";
import { RefPicker } from "@/rooms/versions/panel";

/** The end of every page's bar: the state shown, all commands, the theme. */
export function Tools({ withRef }: { withRef: boolean }) {
  const { dataset, ref } = useHere();
  return (
    <>
      {dataset && withRef ? <><Moving dataset={dataset} current={ref} /><RefPicker dataset={dataset} current={ref} /></> : null}
      <IconButton label="All commands" command="palette"><IconCommand size={16} /></IconButton>
      <ThemeToggle />
    </>
  );
}

/** Marks a page whose address will show something else after the next change; a commit or a tag stays what it is. */
function Moving({ dataset, current }: { dataset: string; current: string }) {
  const known = useQuery(refs(dataset));
  if (branchOf(current) === null && known.data?.items.find((one) => one.name === current)?.kind !== "branch") return null;
  return <span className="moving"><Pill title="This page follows the branch. Press y to copy a link to the commit that it shows now.">moving</Pill></span>;
}

/** Light, dark or system; in the bar, and in the sidebar where the bar is narrow. */
export const NEXT: Record<Scheme, Scheme> = { auto: "light", light: "dark", dark: "auto" };
const WORD: Record<Scheme, string> = { auto: "system", light: "light", dark: "dark" };

export function ThemeToggle() {
  const { colorScheme } = useMantineColorScheme();
  useComputedColorScheme("light");
  const Icon = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon }[colorScheme];
  return (
    <IconButton className="theme-toggle" label={`Theme: ${WORD[colorScheme]}; switch to ${WORD[NEXT[colorScheme]]}`} command="theme">
      <Icon size={16} />
    </IconButton>
  );
}
