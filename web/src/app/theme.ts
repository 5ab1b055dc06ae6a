import { createTheme, type MantineColorSchemeManager, type MantineColorsTuple } from "@mantine/core";

const blue: MantineColorsTuple = [
  "#e6f4f9", "#d0e8f1", "#a2cfe0", "#70b5ce", "#4b9fbf", "#338fb2", "#2185aa", "#0d6380", "#0b5a75", "#074a61",
];

/** Mantine wears our tokens; only dialogs, menus, popovers, tooltips and the slider come from it. */
export const theme = createTheme({
  primaryColor: "blue",
  primaryShade: { light: 7, dark: 4 },
  colors: { blue },
  fontFamily: "var(--font)",
  fontFamilyMonospace: "var(--mono)",
  fontSizes: { xs: "11px", sm: "12px", md: "13px", lg: "15px", xl: "20px" },
  defaultRadius: 5,
  respectReducedMotion: true,
});

const KEY = "calotype-theme";
export type Scheme = "light" | "dark" | "auto";

/** Remembers the choice where `public/theme.js` reads it before the first paint. */
export const schemeManager: MantineColorSchemeManager = {
  get: (fallback) => {
    try {
      const kept = localStorage.getItem(KEY);
      return kept === "light" || kept === "dark" ? kept : fallback;
    } catch {
      return fallback;
    }
  },
  set: (value) => {
    try {
      localStorage.setItem(KEY, value);
    } catch {
      // the choice then lasts until the page is closed
    }
  },
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => localStorage.removeItem(KEY),
};
