import { IconArrowLeft, IconArrowRight, IconSquarePlus, IconTag, IconTagOff, IconVectorTriangle, IconVectorTriangleOff, IconZoomReset } from "@tabler/icons-react";
import { IconButton } from "@/kit/basics";
import { useSignal, type Signal } from "@/kit/signal";

type Props = {
  scale: Signal<number>;
  labels: boolean;
  overlays: boolean;
  hasPrevious: boolean;
  hasNext: boolean;
  /** Draw a new box; absent where nothing can be edited. */
  onBox?: (() => void) | undefined;
  isDrawing: boolean;
  onActual: () => void;
  onFit: () => void;
  onLabels: () => void;
  onOverlays: () => void;
  onPrevious: () => void;
  onNext: () => void;
};

/** What can be done with the image, in the bar of the page. */
export function SampleActions(props: Props) {
  const { labels, overlays } = props;
  return (
    <>
      {props.onBox ? <IconButton label="Draw a new box (n)" aria-pressed={props.isDrawing} onClick={props.onBox}><IconSquarePlus size={16} /></IconButton> : null}
      <Zoom scale={props.scale} onActual={props.onActual} />
      <IconButton label="Fit to window" onClick={props.onFit}><IconZoomReset size={16} /></IconButton>
      <IconButton label="Class names" aria-pressed={labels} onClick={props.onLabels}>{labels ? <IconTag size={16} /> : <IconTagOff size={16} />}</IconButton>
      <IconButton label="Show annotations" aria-pressed={overlays} onClick={props.onOverlays}>
        {overlays ? <IconVectorTriangle size={16} /> : <IconVectorTriangleOff size={16} />}
      </IconButton>
      <IconButton label="Previous sample" disabled={!props.hasPrevious} onClick={props.onPrevious}><IconArrowLeft size={16} /></IconButton>
      <IconButton label="Next sample" disabled={!props.hasNext} onClick={props.onNext}><IconArrowRight size={16} /></IconButton>
    </>
  );
}

function Zoom({ scale, onActual }: { scale: Signal<number>; onActual: () => void }) {
  const percent = useSignal(scale, (value) => Math.round(value * 100));
  return <button type="button" className="zoom" onClick={onActual} title="Zoom to 100 %: one pixel of the image on one of the screen">{percent} %</button>;
}
