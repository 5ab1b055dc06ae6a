import type { CommandLine } from "@/kit/commands";

/** The keyboard commands of a list of findings. */
type Lines = Record<string, CommandLine>;

export const LIST_KEYS = {
  "findings.next": { title: "Next finding", group: "Page", keys: ["j"], quiet: true },
  "findings.previous": { title: "Previous finding", group: "Page", keys: ["k"], quiet: true },
  "findings.all": { title: "Select the findings on screen", group: "Page", keys: ["a"] },
} satisfies Lines;

export const TRIAGE_KEYS = {
  "findings.fix": { title: "Stage the suggested repairs of the selected findings", group: "Page", keys: ["e"] },
  "findings.undo": { title: "Undo the latest fix", group: "Page", keys: ["u"] },
} satisfies Lines;
