import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { datasetChanged, datasetKey } from "./cache";

test("the list of edits is read after everything else of its dataset", async () => {
  const client = new QueryClient();
  const read: string[] = [];
  const ends = ["edits", "sample"].map((name) => new QueryObserver(client, {
    queryKey: datasetKey("streets", name), initialData: 0, staleTime: Infinity,
    queryFn: async () => {
      if (name === "sample") await new Promise((resolve) => setTimeout(resolve, 30));
      return read.push(name);
    },
  }).subscribe(() => undefined));
  await datasetChanged(client, "streets");
  expect(read).toEqual(["sample", "edits"]);
  ends.forEach((end) => end());
});
