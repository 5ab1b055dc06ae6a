import { useState } from "react";
import type { StageHandle } from "@/canvas/stage";
import type { Turn } from "@/canvas/view_turn";
import { useCommands } from "@/kit/commands";
import { LOOK_KEYS } from "../../keys";
import { AS_IT_IS, type Adjustment } from "./adjust";

/** How the image is looked at; it stays from image to image. */
export function useLooks(stage: { current: StageHandle | null }) {
  const [overlays, setOverlays] = useState(true);
  const [names, setNames] = useState(false);
  const [turn, setTurn] = useState<Turn>(0);
  const [adjustment, setAdjustment] = useState<Adjustment>(AS_IT_IS);
  const [isAdjusting, setAdjusting] = useState(false);
  const [panel, setPanel] = useState(true);
  useCommands(LOOK_KEYS, {
    "look.fit": () => stage.current?.fit(), "look.actual": () => stage.current?.actual(), "look.in": () => stage.current?.zoom(1.4), "look.out": () => stage.current?.zoom(1 / 1.4),
    "look.overlays": () => setOverlays(!overlays), "look.names": () => setNames(!names), "look.adjust": () => setAdjusting(!isAdjusting), "look.panel": () => setPanel(!panel),
    "look.rotate": () => setTurn(((turn + 90) % 360) as Turn),
    "look.reset": () => {
      setAdjustment(AS_IT_IS);
      setTurn(0);
    },
  });
  const isAdjusted = adjustment.brightness !== 1 || adjustment.contrast !== 1 || adjustment.gamma !== 1;
  return { overlays, names, turn, adjustment, isAdjusting, panel, isAdjusted, setAdjustment, setAdjusting };
}
