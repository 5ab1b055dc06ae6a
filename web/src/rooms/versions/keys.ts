import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of history, merges and the state picker, and the keys that lead there. */
export const GO = { history: "g h", merges: "g m" } as const;

type Lines = Record<string, CommandLine>;

export const PICKER_KEYS = { "ref.pick": { title: "Switch branch, tag or commit", group: "Dataset", keys: ["b"] } } satisfies Lines;

export const BRANCH_KEYS = { "branch.create": { title: "Create a branch and work on it", group: "Dataset" } } satisfies Lines;

export const HISTORY_KEYS = {
  "history.next": { title: "Next commit", group: "Page", keys: ["j", "ArrowDown"], quiet: true },
  "history.previous": { title: "Previous commit", group: "Page", keys: ["k", "ArrowUp"], quiet: true },
  "history.first": { title: "Newest commit", group: "Page", keys: ["Home"], quiet: true },
  "history.last": { title: "Oldest commit", group: "Page", keys: ["End"], quiet: true },
  "history.open": { title: "Open the dataset at the selected commit", group: "Page", keys: ["Enter", "o"] },
  "history.changes": { title: "View the changes of the selected commit", group: "Page", keys: ["v"] },
  "history.choose": { title: "Select the commit for comparing", group: "Page", keys: ["x", "Space"] },
  "history.tag": { title: "Tag the selected commit", group: "Page", keys: ["t"] },
  "history.approve": { title: "Approve the selected commit", group: "Page", keys: ["a"] },
  "history.rollback": { title: "Roll back to the selected commit", group: "Page" },
  "history.compare": { title: "Compare the two selected commits", group: "Page", keys: ["c"] },
} satisfies Lines;

export const DIFF_KEYS = {
  "diff.next": { title: "Next changed sample", group: "Page", keys: ["n", "j"] },
  "diff.previous": { title: "Previous changed sample", group: "Page", keys: ["p", "k"] },
  "diff.side": { title: "Show before and after side by side", group: "Page", keys: ["s"] },
  "diff.overlay": { title: "Show before and after in one image", group: "Page", keys: ["o"] },
  "diff.blink": { title: "Blink between before and after", group: "Page", keys: ["b"] },
  "diff.fit": { title: "Fit the image", group: "Page", keys: ["0"] },
} satisfies Lines;

export const COMMIT_KEYS = { "history.commit": { title: "Write a commit message", group: "Page", keys: ["m"] } } satisfies Lines;

export const MERGE_KEYS = {
  "merge.next": { title: "Next conflict", group: "Page", keys: ["j"] },
  "merge.previous": { title: "Previous conflict", group: "Page", keys: ["k"] },
  "merge.ours": { title: "Resolve with ours", group: "Page", keys: ["o"] },
  "merge.theirs": { title: "Resolve with theirs", group: "Page", keys: ["t"] },
  "merge.union": { title: "Keep both", group: "Page", keys: ["u"] },
  "merge.base": { title: "Restore the base", group: "Page", keys: ["b"] },
  "merge.review": { title: "Mark for review", group: "Page", keys: ["r"] },
  "merge.land": { title: "Commit the merge", group: "Page" },
  "merge.abandon": { title: "Abandon the merge", group: "Page" },
} satisfies Lines;
