import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRouter, Outlet, RouterProvider } from "@tanstack/react-router";
import { cleanup, configure, render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ComponentType } from "react";
import { expect } from "vitest";
import { DATASET_KEYS, SHELL_KEYS, WORKSPACE_KEYS } from "@/app/keys";
import { placesOf } from "@/app/places";
import { NotFound, PageFailed } from "@/app/states";
import { tree } from "@/app/tree";
import { allCommands, useKeyboard, watchCommands } from "@/kit/commands";
import { AppFrame } from "@/kit/frame";
import { clashes } from "@/kit/keys";
import { Said } from "@/kit/said";
import { parseSearch, stringifySearch } from "@/kit/search";

// A slow machine must not fail a test.
configure({ asyncUtilTimeout: 30_000 });

/** A page with the keyboard and the messages, without the sidebar. */
function Alone() {
  useKeyboard();
  return <><Outlet /><Said /></>;
}

/** The keys that the shell has on every page below a dataset; the state picker's are the shell's own test. */
const around = [
  ...Object.values({ ...SHELL_KEYS, ...DATASET_KEYS }).map(({ title, keys }) => ({ title, keys })),
  ...(["dataset", "top", "foot"] as const).flatMap((scope) => placesOf(scope)).map(({ title, keys }) => ({ title, keys: keys ? [keys] : [] })),
];
/** Titles of commands that are the shell's own, where it is around the page. */
const SHELLS = new Set([...around.map((line) => line.title), ...Object.values(WORKSPACE_KEYS).map((line) => line.title)]);
const shared = new Set<string>();
watchCommands(() => {
  const own = allCommands();
  const isListed = ({ keys }: { keys: readonly string[] }) => own.some((command) => SHELLS.has(command.title) && command.keys?.[0] === keys[0]);
  for (const clash of clashes([...own, ...around.filter((line) => !isListed(line))])) shared.add(clash);
});

/** Keys that a selected annotation takes over from the page: the newest command runs. */
const TAKEN_OVER = [
  "1: Zoom to 100 %, Give it the most used class",
  "ArrowRight: Next sample, Move it right by a pixel", "ArrowLeft: Previous sample, Move it left by a pixel",
  "ArrowDown: Next annotation, Move it down by a pixel", "ArrowUp: Previous annotation, Move it up by a pixel",
];

/** The commands of the shell, which is not around a page in most tests. */
const OF_SHELL = new Set(Object.keys({ ...SHELL_KEYS, ...DATASET_KEYS, ...WORKSPACE_KEYS, "ref.pick": 0, "branch.create": 0 }));

/** Buttons of the page whose command cannot run. */
const dead = (): string[] => {
  const known = new Set(allCommands().map(({ id }) => id));
  return [...document.querySelectorAll<HTMLElement>("button[data-command]")].map((button) => button.dataset["command"] ?? "")
    .filter((id) => !known.has(id) && !OF_SHELL.has(id));
};

/** Fails a test whose page had two commands on one key, or a button of a command that cannot run; takes the page down. */
export function expectPageInOrder(): void {
  const unbound = dead();
  cleanup();
  expect(unbound, "buttons of commands that cannot run").toEqual([]);
  const found = [...shared].filter((clash) => !TAKEN_OVER.includes(clash));
  shared.clear();
  expect(found, "commands on one key").toEqual([]);
}

/** Show the page of an address: alone, or inside a frame such as the shell of the app. */
export function showPage(address: string, Frame: ComponentType = Alone) {
  const history = createMemoryHistory({ initialEntries: [address] });
  const router = createRouter({
    routeTree: tree, history, parseSearch, stringifySearch, defaultErrorComponent: PageFailed, defaultNotFoundComponent: NotFound,
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <AppFrame value={Frame}><RouterProvider router={router as never} /></AppFrame>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { user: userEvent.setup(), address: () => history.location.pathname + history.location.search };
}
