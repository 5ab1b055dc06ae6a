import { useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Problem } from "@/api/client";
import * as queries from "@/api/queries";
import { useCommands, useKeyboard, type Command } from "@/app/commands";
import { useHere } from "@/app/here";
import { Dialogs, openKeys, openPalette } from "@/app/palette";
import { Sidebar } from "@/app/sidebar";
import { SignIn } from "@/app/states";
import { say, Said } from "@/kit/said";
import { ErrorState } from "@/kit/page";

/** What stands on every page: the navigation, the keyboard, the palette, the door. */
export function Shell() {
  const session = useQuery(queries.session());
  const [narrow, setNarrow] = useState(false);
  useKeyboard();
  useShellCommands(() => setNarrow((before) => !before));
  const refused = session.error instanceof Problem && session.error.status === 401;
  if (refused) return <SignIn />;
  if (session.error) {
    return <ErrorState error={session.error} onRetry={() => void session.refetch()} />;
  }
  return (
    <div className="shell" data-narrow={narrow}>
      <a className="skip" href="#main">Skip to the content</a>
      <Sidebar session={session.data} />
      <main id="main" className="main" tabIndex={-1}>
        <Outlet />
      </main>
      <Dialogs />
      <Said />
    </div>
  );
}

function useShellCommands(toggleSidebar: () => void) {
  const navigate = useNavigate();
  const { dataset, ref } = useHere();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const list = useQuery(queries.datasets());
  const refs = useQuery({ ...queries.refs(dataset ?? ""), enabled: dataset !== undefined });
  const go = (title: string, keys: string, run: () => void): Command => ({ id: `go.${keys}`, title, group: "Go to", keys: [keys], run });

  const pin = async () => {
    const row = list.data?.items.find((one) => one.name === dataset);
    const named = refs.data?.items.find((one) => one.name === (ref || "main"));
    const commit = ref && !named ? ref : named?.commit;
    if (!commit || (!ref && row?.dirty)) {
      say("There are uncommitted changes: commit them first, then the link can name the commit");
      return;
    }
    await navigate({ to: ".", replace: true, search: (before: Record<string, unknown>) => ({ ...before, ref: commit.slice(0, 12) }) } as never);
    await navigator.clipboard.writeText(window.location.href).catch(() => undefined);
    say("Link to this commit copied");
  };
  const inside: Command[] = dataset
    ? [
        go("Overview", "g o", () => void navigate({ to: "/d/$dataset", params: { dataset } })),
        go("Samples", "g s", () => void navigate({ to: "/d/$dataset/samples", params: { dataset } })),
        go("Checks", "g c", () => void navigate({ to: "/d/$dataset/checks", params: { dataset } })),
        go("History", "g h", () => void navigate({ to: "/d/$dataset/history", params: { dataset } })),
        go("Merges", "g m", () => void navigate({ to: "/d/$dataset/merges", params: { dataset }, search: {} })),
        go("Releases", "g r", () => void navigate({ to: "/d/$dataset/releases", params: { dataset } })),
        { id: "pin", title: "Pin the address to this commit and copy it", group: "Dataset", keys: ["y"], run: () => void pin() },
      ]
    : [];
  useCommands([
    ...inside,
    go("Datasets", "g d", () => void navigate({ to: "/" })),
    go("Runs", "g u", () => void navigate({ to: "/runs" })),
    go("Audit", "g a", () => void navigate({ to: "/audit" })),
    { id: "palette", title: "All commands", group: "App", keys: ["mod+k"], run: openPalette, quiet: true },
    { id: "keys", title: "Show all keys", group: "App", keys: ["?"], run: openKeys },
    { id: "sidebar", title: "Narrow or widen the navigation", group: "App", keys: ["["], run: toggleSidebar },
    {
      id: "theme", title: "Switch between light and dark", group: "App", keys: ["mod+."],
      run: () => setColorScheme(colorScheme === "dark" ? "light" : "dark"),
    },
  ]);
}
