import type { CommandLine } from "@/kit/commands";

/** The keyboard commands that work on every page. */
type Lines = Record<string, CommandLine>;

export const SHELL_KEYS = {
  palette: { title: "All commands", group: "App", keys: ["mod+k"], quiet: true },
  keys: { title: "Keyboard shortcuts", group: "App", keys: ["?"] },
  sidebar: { title: "Collapse or expand the sidebar", group: "App", keys: ["["] },
  theme: { title: "Switch the theme: system, light or dark", group: "App", keys: ["mod+."] },
} satisfies Lines;

export const WORKSPACE_KEYS = {
  link: { title: "Copy a link to this page", group: "App", keys: ["y"] },
} satisfies Lines;

export const DATASET_KEYS = {
  pin: { title: "Copy a link to this commit", group: "Dataset", keys: ["y"] },
} satisfies Lines;
