import { useMantineColorScheme, useComputedColorScheme } from "@mantine/core";
import { IconCommand, IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";
import { openPalette } from "@/app/palette";
import type { Scheme } from "@/app/theme";
import { IconButton } from "@/kit/basics";
import { useHere } from "@/kit/here";
import { RefPicker } from "@/rooms/versions/panel";

/** The end of every page's bar: the state shown, all commands, the theme. */
export function Tools({ withRef }: { withRef: boolean }) {
  const { dataset, ref } = useHere();
  return (
    <>
      {dataset && withRef ? <RefPicker dataset={dataset} current={ref} /> : null}
      <IconButton label="All commands" onClick={openPalette}><IconCommand size={16} /></IconButton>
      <ThemeToggle />
    </>
  );
}

/** Light, dark or system; in the bar, and in the sidebar where the bar is narrow. */
const NEXT: Record<Scheme, Scheme> = { auto: "light", light: "dark", dark: "auto" };
const WORD: Record<Scheme, string> = { auto: "system", light: "light", dark: "dark" };

export function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  useComputedColorScheme("light");
  const Icon = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon }[colorScheme];
  return (
    <IconButton className="theme-toggle" label={`Theme: ${WORD[colorScheme]}; switch to ${WORD[NEXT[colorScheme]]}`} onClick={() => setColorScheme(NEXT[colorScheme])}>
      <Icon size={16} />
    </IconButton>
  );
}
