import { IconArrowLeft, IconArrowRight, IconSquarePlus, IconTag, IconTagOff, IconVectorTriangle, IconVectorTriangleOff, IconZoomReset } from "@tabler/icons-react";
import type { Tool } from "@/canvas/gestures";
import { IconButton } from "@/kit/basics";
import { runCommand } from "@/kit/commands";
import { useSignal, type Signal } from "@/kit/signal";

type ToolProps = {
  scale: Signal<number>;
  labels: boolean;
  overlays: boolean;
  /** Whether a new box can be drawn. */
  canDraw: boolean;
  tool: Tool;
};

const HINTS: Partial<Record<Tool, string>> = {
  look: "", box: "drag a box, Esc to stop", brush: "drag to paint, or arrows and Space; Esc to stop", eraser: "drag to erase, or arrows and Space; Esc to stop",
};

/** What can be done with the image, in its corner. */
export function ImageTools(props: ToolProps) {
  const { labels, overlays, tool } = props;
  return (
    <div className="image-tools" role="toolbar" aria-label="Image">
      {props.canDraw ? <IconButton className="small" label="Draw a new box" aria-pressed={tool === "box"} command="edit.box"><IconSquarePlus size={15} /></IconButton> : null}
      <IconButton className="small" label="Show annotations" aria-pressed={overlays} command="sample.overlays">
        {overlays ? <IconVectorTriangle size={15} /> : <IconVectorTriangleOff size={15} />}
      </IconButton>
      <IconButton className="small" label="Class names" aria-pressed={labels} command="sample.labels">{labels ? <IconTag size={15} /> : <IconTagOff size={15} />}</IconButton>
      <IconButton className="small" label="Fit to window" command="sample.fit"><IconZoomReset size={15} /></IconButton>
      <Zoom scale={props.scale} />
      {HINTS[tool] ? <span className="image-tools-hint">{HINTS[tool]}</span> : null}
    </div>
  );
}

function Zoom({ scale }: { scale: Signal<number> }) {
  const percent = useSignal(scale, (value) => Math.round(value * 100));
  return <button type="button" className="zoom" data-command="sample.actual" onClick={() => runCommand("sample.actual")} title="Zoom to 100 %: one pixel of the image on one of the screen">{percent} %</button>;
}

type StepProps = { hasPrevious: boolean; hasNext: boolean };

/** On to the neighbours in the list that one came from. */
export function Steps({ hasPrevious, hasNext }: StepProps) {
  return (
    <>
      <IconButton label="Previous sample" disabled={!hasPrevious} command="sample.previous"><IconArrowLeft size={16} /></IconButton>
      <IconButton label="Next sample" disabled={!hasNext} command="sample.next"><IconArrowRight size={16} /></IconButton>
    </>
  );
}
