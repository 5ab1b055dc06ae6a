import type { RefObject } from "react";
import type { StageHandle } from "@/canvas/stage";
import { useCommands } from "@/kit/commands";
import { IMAGE_KEYS } from "../keys";

const STEP = 60;

/** The arrow keys move the image while it has the focus. */
export function ImageKeys({ stage }: { stage: RefObject<StageHandle | null> }) {
  useCommands(IMAGE_KEYS, {
    "image.left": () => stage.current?.move(STEP, 0),
    "image.right": () => stage.current?.move(-STEP, 0),
    "image.up": () => stage.current?.move(0, STEP),
    "image.down": () => stage.current?.move(0, -STEP),
  });
  return null;
}
