import { MantineProvider } from "@mantine/core";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { CopyAs, copyCommand } from "./copy_as";

test("a button opens the three forms, each with its own copy button; Escape closes them", async () => {
  const user = userEvent.setup();
  render(<MantineProvider env="test"><CopyAs panel="overview" shown={{ dataset: "streets", ref: "v1" }} /></MantineProvider>);
  const button = screen.getByRole("button", { name: "Copy as code" });
  expect(button.getAttribute("aria-expanded")).toBe("false");
  await user.click(button);
  const menu = within(await screen.findByRole("dialog", { name: "Copy as code" }));
  expect(menu.getAllByRole("region").map((one) => one.getAttribute("aria-label"))).toEqual(["Python", "CLI", "curl"]);
  await user.click(menu.getByRole("button", { name: "Copy as CLI" }));
  expect(await navigator.clipboard.readText()).toBe("calotype count streets@v1 --by class");
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog", { name: "Copy as code" })).toBeNull();
});

test("the key copies the command of the grid, or the request where no command can ask for it", async () => {
  userEvent.setup();
  await copyCommand({ dataset: "streets", where: "width > 3" });
  expect(await navigator.clipboard.readText()).toBe("calotype samples streets --where 'width > 3' --limit 500");
  await copyCommand({ dataset: "streets", within: "own:0,0;1,0;1,1" });
  expect(await navigator.clipboard.readText()).toMatch(/^curl .*within=own/);
});
