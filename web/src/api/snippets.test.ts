import { expect, test, vi } from "vitest";
import { snippets, type Panel, type PanelOf } from "./snippets";

vi.stubGlobal("location", { origin: "http://localhost:8080" });

const example = <P extends Panel>(panel: P, shown: PanelOf<P>) => ({ panel, shown, snippets: snippets(panel, shown) });
const shop = { dataset: "shop" };
const FINDINGS = { ...shop, run: "RUN" };

/** One example of each panel at least; `tests/journeys/test_snippets.py` runs them against a server. */
const EXAMPLES = [
  example("datasets", {}),
  example("overview", shop), example("overview", { ...shop, ref: "v1" }),
  example("grid", shop), example("grid", { ...shop, ref: "v1", where: 'class = "car" and not name = "it\'s $HOME"', sort: "-name" }),
  example("grid", { ...shop, where: 'class = "car"', labels: "model:a" }), example("grid", { ...shop, within: "own:-2,-2;2,-2;2,2;-2,2" }),
  example("sample", { ...shop, id: "SAMPLE", name: "NAME", labelSet: "ground_truth" }),
  example("checks", shop), example("contract", shop), example("contract", { ...shop, ref: "v1" }),
  example("findings", FINDINGS), example("findings", { ...FINDINGS, check: "label-errors", severity: "warning", shown: "all" }),
  example("findings", { ...FINDINGS, where: "width > 3", shown: "decided" }),
  example("history", shop), example("history", { ...shop, ref: "main" }),
  example("diff", { ...shop, a: "v1", b: "" }), example("diff", { ...shop, a: "v1", b: "main" }),
  example("merges", shop), example("releases", shop), example("releasePlan", shop), example("release", { ...shop, version: "1.0.0" }),
  example("map", { ...shop, model: "own", by: "class" }),
  example("runs", {}), example("runs", shop), example("audit", {}), example("audit", shop),
];

test("the examples are those that a server answers", async () => {
  await expect(`${JSON.stringify(EXAMPLES, null, 2)}\n`).toMatchFileSnapshot("../../../tests/journeys/snippets.json");
});

test("what only the server can narrow down has no Python and no command", () => {
  const names = (of: { snippets: readonly { name: string }[] }) => of.snippets.map(({ name }) => name);
  expect(names(example("grid", { ...shop, within: "own:0,0;1,0;1,1" }))).toEqual(["curl"]);
  expect(names(example("grid", { ...shop, labels: "model:a" }))).toEqual(["curl"]);
  expect(names(example("findings", { ...FINDINGS, assignee: "bo" }))).toEqual(["curl"]);
  expect(names(example("findings", FINDINGS))).toEqual(["Python", "CLI", "curl"]);
});

test("names are quoted for Python, the shell and addresses", () => {
  const [python, cli, curl] = snippets("overview", { dataset: "a'b\"c", ref: "x/y" });
  expect(python?.text).toContain('ws.dataset("a\'b\\"c").at("x/y")');
  expect(cli?.text).toBe("calotype count 'a'\\''b\"c@x/y' --by class");
  expect(curl?.text).toContain("/datasets/a'\\''b%22c?ref=x%2Fy");
});
