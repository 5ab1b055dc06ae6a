import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of the work list of findings, and the key that leads there. */
export const GO = { findings: "g f" } as const;

type Lines = Record<string, CommandLine>;

export const LIST_KEYS = {
  "findings.next": { title: "Next finding", group: "Page", keys: ["j", "ArrowDown"], quiet: true },
  "findings.previous": { title: "Previous finding", group: "Page", keys: ["k", "ArrowUp"], quiet: true },
  "findings.first": { title: "First finding", group: "Page", keys: ["Home"], quiet: true },
  "findings.last": { title: "Last finding", group: "Page", keys: ["End"], quiet: true },
  "findings.tick": { title: "Select or deselect this finding", group: "Page", keys: ["Space"] },
  "findings.all": { title: "Select all findings that match", group: "Page", keys: ["A", "mod+a"] },
  "findings.clear": { title: "Clear the selection", group: "Page", keys: ["Escape"], quiet: true },
  "findings.sample": { title: "Open the sample of this finding", group: "Page", keys: ["v"] },
} satisfies Lines;

/** On the page, also while it lists nothing. */
export const PAGE_KEYS = {
  "findings.refresh": { title: "Refresh the list", group: "Page", keys: ["n"] },
  "findings.run": { title: "Run the checks", group: "Page", keys: ["R"] },
} satisfies Lines;

export const ACTION_KEYS = {
  "findings.accept": { title: "Accept the suggested fix", group: "Page", keys: ["a", "Enter"] },
  "findings.class": { title: "Choose another class", group: "Page", keys: ["c"] },
  "findings.reject": { title: "Reject as a false alarm, with a reason", group: "Page", keys: ["x"] },
  "findings.assign": { title: "Assign to someone", group: "Page", keys: ["s"] },
  "findings.risk": { title: "Accept the risk until a date", group: "Page", keys: ["r"] },
  "findings.fixed": { title: "Mark as fixed by hand", group: "Page", keys: ["f"] },
  "findings.reopen": { title: "Reopen", group: "Page", keys: ["o"] },
  "findings.repeat": { title: "Repeat the last decision", group: "Page", keys: ["."] },
  "findings.undo": { title: "Undo the last action", group: "Page", keys: ["u", "mod+z"] },
} satisfies Lines;
