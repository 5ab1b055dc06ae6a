import { IconCircleCheck, IconCircleDashed, IconCircleX, IconEqual, IconLoader2, IconPlayerPause } from "@tabler/icons-react";
import { Pill, type Tone } from "@/kit/basics";

type Look = { tone: Tone; word: string; icon: typeof IconCircleCheck };

const STATES: Record<string, Look> = {
  done: { tone: "good", word: "Done", icon: IconCircleCheck },
  unchanged: { tone: "plain", word: "Unchanged", icon: IconEqual },
  failed: { tone: "bad", word: "Failed", icon: IconCircleX },
  running: { tone: "accent", word: "Running", icon: IconLoader2 },
  waiting: { tone: "plain", word: "Waiting", icon: IconCircleDashed },
  interrupted: { tone: "warn", word: "Interrupted", icon: IconPlayerPause },
};

/** The state of a run or stage as icon and word. */
export function RunState({ state }: { state: string }) {
  const { tone, word, icon: Icon } = STATES[state] ?? { tone: "plain", word: state, icon: IconCircleDashed };
  return <Pill tone={tone} icon={<Icon size={13} />}>{word}</Pill>;
}
