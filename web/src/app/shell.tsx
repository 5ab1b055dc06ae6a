import { useMantineColorScheme } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Problem } from "@/api/client";
import { DATASET_KEYS, SHELL_KEYS, WORKSPACE_KEYS } from "@/app/keys";
import { Dialogs, openKeys, openPalette } from "@/app/palette";
import { placesOf } from "@/app/places";
import { session } from "@/app/session";
import { NOBODY, Sidebar } from "@/app/sidebar";
import { SignIn } from "@/app/states";
import { NEXT, Tools } from "@/app/tools";
import { useCommands, useKeyboard, type CommandLine } from "@/kit/commands";
import { branchOf } from "@/kit/branch";
import { PageTools } from "@/kit/frame";
import { useHere } from "@/kit/here";
import { WithAccounts } from "@/kit/next_steps";
import { ErrorState } from "@/kit/page";
import { say, Said } from "@/kit/said";
import { overview } from "@/rooms/browse/api";
import { datasets } from "@/rooms/datasets/api";
import { health } from "@/rooms/people/api";
import { Invitation } from "@/rooms/people/pages/invitation";
import { AccountSignIn } from "@/rooms/people/pages/sign_in";
import { refs } from "@/rooms/versions/api";

/** What stands around every page: the sidebar, the keyboard, the palette, the sign-in. */
export function Shell() {
  const query = useQuery(session());
  const path = useLocation({ select: (location) => location.pathname });
  const [narrow, setNarrow] = useState(false);
  useKeyboard();
  useGoCommands(query.data ?? NOBODY);
  useShellCommands(() => setNarrow((before) => !before));
  const isRefused = query.error instanceof Problem && query.error.status === 401;
  const [isOut, setOut] = useState(false);
  // While the session is asked for again, nothing is known of it: the form stays, with what was typed.
  if (isRefused && !isOut) setOut(true);
  if (query.isSuccess && isOut) setOut(false);
  if (path === INVITE) return <Invitation />;
  if (isRefused || (isOut && query.isPending)) return <SignedOut />;
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <WithAccounts value={query.data?.accounts ?? false}>
      <PageTools value={Tools}>
        <div className="shell" data-narrow={narrow}>
          <a className="skip" href="#main">Skip to the content</a>
          <Sidebar session={query.data} />
          <main id="main" className="main" tabIndex={-1}><Outlet /></main>
          <Dialogs />
          <Said />
        </div>
      </PageTools>
    </WithAccounts>
  );
}

/** The link of an invitation leads here; its secret stands in the hash. */
const INVITE = "/invite";

/** Asks for what this server takes: an account, or its token. */
function SignedOut() {
  const asked = useQuery(health());
  if (asked.isPending) return null;
  return asked.data?.accounts ? <AccountSignIn /> : <SignIn />;
}

/** The keys that lead to the places of the rooms. */
function useGoCommands(session: Parameters<typeof placesOf>[1]) {
  const { dataset = "" } = useHere();
  const navigate = useNavigate();
  const lines: Record<string, CommandLine> = {};
  const runs: Record<string, () => void> = {};
  for (const { title, keys, link } of [...(dataset ? placesOf("dataset") : []), ...placesOf("top"), ...placesOf("foot", session)]) {
    if (!keys) continue;
    lines[`go.${keys}`] = { title, group: "Go to", keys: [keys] };
    runs[`go.${keys}`] = () => void navigate(link(dataset) as Parameters<typeof navigate>[0]);
  }
  useCommands(lines, runs);
}

function useShellCommands(toggleSidebar: () => void) {
  const { dataset } = useHere();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const pin = usePin();
  useCommands<string>(dataset ? DATASET_KEYS : WORKSPACE_KEYS, { pin: () => void pin(), link: () => void copyAddress("Link copied") });
  useCommands(SHELL_KEYS, {
    palette: openPalette,
    keys: openKeys,
    sidebar: toggleSidebar,
    theme: () => setColorScheme(NEXT[colorScheme]),
  });
}

async function copyAddress(done: string) {
  const isCopied = await navigator.clipboard.writeText(window.location.href).then(() => true, () => false);
  say(isCopied ? done : "The browser does not allow copying; the link is in the address bar");
}

/** Puts the commit that is shown into the address and copies the link. */
function usePin() {
  const navigate = useNavigate();
  const { dataset, ref } = useHere();
  const client = useQueryClient();
  const list = useQuery(datasets());
  const known = useQuery({ ...refs(dataset ?? ""), enabled: dataset !== undefined });
  return async () => {
    const row = list.data?.items.find((item) => item.name === dataset);
    const named = known.data?.items.find((item) => item.name === (branchOf(ref) ?? ref));
    const commit = ref && !named ? ref : named?.commit;
    const dirty = ref ? client.getQueryData(overview(dataset ?? "", ref).queryKey)?.dirty : row?.dirty;
    if (!commit || (branchOf(ref) !== null && dirty)) {
      say("Commit the uncommitted changes first; a link can only name a commit");
      return;
    }
    await navigate({ to: ".", replace: true, search: (before: Record<string, unknown>) => ({ ...before, ref: commit.slice(0, 12) }) } as never);
    await copyAddress("Link to this commit copied");
  };
}
