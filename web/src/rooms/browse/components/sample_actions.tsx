import { IconArrowLeft, IconArrowRight, IconSquarePlus, IconTag, IconTagOff, IconVectorTriangle, IconVectorTriangleOff, IconZoomReset } from "@tabler/icons-react";
import type { Tool } from "@/canvas/gestures";
import { IconButton } from "@/kit/basics";
import { useSignal, type Signal } from "@/kit/signal";

type ToolProps = {
  scale: Signal<number>;
  labels: boolean;
  overlays: boolean;
  /** Draw a new box; absent where nothing can be edited. */
  onBox?: (() => void) | undefined;
  tool: Tool;
  onActual: () => void;
  onFit: () => void;
  onLabels: () => void;
  onOverlays: () => void;
};

const HINTS: Record<Tool, string> = {
  look: "", box: "drag a box, Esc to stop", brush: "drag to paint, or arrows and Space; Esc to stop", eraser: "drag to erase, or arrows and Space; Esc to stop",
};

/** What can be done with the image, in its corner. */
export function ImageTools(props: ToolProps) {
  const { labels, overlays, tool } = props;
  return (
    <div className="image-tools" role="toolbar" aria-label="Image">
      {props.onBox ? <IconButton className="small" label="Draw a new box (n)" aria-pressed={tool === "box"} onClick={props.onBox}><IconSquarePlus size={15} /></IconButton> : null}
      <IconButton className="small" label="Show annotations" aria-pressed={overlays} onClick={props.onOverlays}>
        {overlays ? <IconVectorTriangle size={15} /> : <IconVectorTriangleOff size={15} />}
      </IconButton>
      <IconButton className="small" label="Class names" aria-pressed={labels} onClick={props.onLabels}>{labels ? <IconTag size={15} /> : <IconTagOff size={15} />}</IconButton>
      <IconButton className="small" label="Fit to window" onClick={props.onFit}><IconZoomReset size={15} /></IconButton>
      <Zoom scale={props.scale} onActual={props.onActual} />
      {HINTS[tool] ? <span className="image-tools-hint">{HINTS[tool]}</span> : null}
    </div>
  );
}

function Zoom({ scale, onActual }: { scale: Signal<number>; onActual: () => void }) {
  const percent = useSignal(scale, (value) => Math.round(value * 100));
  return <button type="button" className="zoom" onClick={onActual} title="Zoom to 100 %: one pixel of the image on one of the screen">{percent} %</button>;
}

type StepProps = { hasPrevious: boolean; hasNext: boolean; onPrevious: () => void; onNext: () => void };

/** On to the neighbours in the list that one came from. */
export function Steps({ hasPrevious, hasNext, onPrevious, onNext }: StepProps) {
  return (
    <>
      <IconButton label="Previous sample" disabled={!hasPrevious} onClick={onPrevious}><IconArrowLeft size={16} /></IconButton>
      <IconButton label="Next sample" disabled={!hasNext} onClick={onNext}><IconArrowRight size={16} /></IconButton>
    </>
  );
}
