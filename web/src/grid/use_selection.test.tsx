import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, test } from "vitest";
import { everything, size } from "./selection";
import { useSelection } from "./use_selection";

const appOf = (client = new QueryClient()) => ({ children }: { children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
const shown = (wrapper: ReturnType<typeof appOf>, address = "streets", total: number | undefined = 1) =>
  renderHook(() => useSelection(address, total), { wrapper });

test("a selection is there on the way back to its list, and neither in another list nor in a list that changed", () => {
  const app = appOf();
  const list = shown(app);
  act(() => list.result.current.select(everything(1)));
  list.unmount();
  expect([shown(app), shown(app, "streets", 2), shown(app, "harbours")].map(({ result }) => size(result.current.selection))).toEqual([1, 0, 0]);
});

test("a selection ends with its app", () => {
  const list = shown(appOf());
  act(() => list.result.current.select(everything(1)));
  expect(size(list.result.current.selection)).toBe(1);
  expect(size(shown(appOf()).result.current.selection)).toBe(0);
});

test("what is chosen while the list loads stays chosen, unless the list comes with another length", () => {
  const outcome = [24, 23].map((came) => {
    const list = renderHook(({ total }: { total: number | undefined }) => useSelection("night", total, total ?? 24), {
      wrapper: appOf(), initialProps: { total: undefined as number | undefined },
    });
    act(() => list.result.current.select(everything(24)));
    list.rerender({ total: came });
    return size(list.result.current.selection);
  });
  expect(outcome).toEqual([24, 0]);
});
