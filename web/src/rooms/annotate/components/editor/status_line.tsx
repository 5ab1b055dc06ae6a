import { IconAdjustments, IconMagnet, IconMagnetOff, IconRotateClockwise, IconTag, IconTagOff, IconZoomReset } from "@tabler/icons-react";
import { lengthOf } from "@/canvas/shapes";
import { IconButton } from "@/kit/basics";
import { runCommand } from "@/kit/commands";
import { useSignal, type Signal } from "@/kit/signal";
import { HINTS } from "./tools";
import type { Editor } from "./use_editor";

type Props = { editor: Editor; scale: Signal<number>; names: boolean; isAdjusted: boolean };

/** The line below the image: what to do next, what is measured, and how the image is looked at. */
export function StatusLine({ editor, scale, names, isAdjusted }: Props) {
  const measured = useSignal(editor.drafted, (draft) => sizeOf(draft, editor));
  const percent = useSignal(scale, (value) => Math.round(value * 100));
  return (
    <div className="status-line">
      <span className="cut status-hint">{measured ?? (editor.editable ? HINTS[editor.tool] : "only looked at")}</span>
      {editor.tool === "brush" || editor.tool === "eraser" ? <span className="num dim">{editor.radius} px</span> : null}
      <span className="status-tools">
        <IconButton className="small" label="Draw points to neighbouring outlines" aria-pressed={editor.snaps} command="draw.snap">{editor.snaps ? <IconMagnet size={15} /> : <IconMagnetOff size={15} />}</IconButton>
        <IconButton className="small" label="Class names" aria-pressed={names} command="look.names">{names ? <IconTag size={15} /> : <IconTagOff size={15} />}</IconButton>
        <IconButton className="small" label="Brightness, contrast and gamma" aria-pressed={isAdjusted} command="look.adjust"><IconAdjustments size={15} /></IconButton>
        <IconButton className="small" label="Turn the view" command="look.rotate"><IconRotateClockwise size={15} /></IconButton>
        <IconButton className="small" label="Fit to window" command="look.fit"><IconZoomReset size={15} /></IconButton>
        <button type="button" className="zoom" data-command="look.actual" onClick={() => runCommand("look.actual")} title="Zoom to 100 %">{percent} %</button>
      </span>
    </div>
  );
}

/** What is being drawn in pixels; for a skeleton, the joint that comes next. */
function sizeOf(draft: ReturnType<Editor["drafted"]["get"]>, editor: Editor): string | null {
  if (editor.tool === "keypoints") {
    const joints = editor.current?.keypoints ?? [];
    const next = joints[draft ? Math.floor(draft.keypoints.length / 3) : 0];
    return next ? `${editor.current?.name}: place ${next} (${(draft ? Math.floor(draft.keypoints.length / 3) : 0) + 1} of ${joints.length}); o hides the last, O leaves it out` : null;
  }
  if (!draft) return null;
  if (editor.tool === "ruler") {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = draft.rings[0] ?? [];
    return `${lengthOf(draft.rings).toFixed(1)} px (${Math.abs(x1 - x0).toFixed(1)} across, ${Math.abs(y1 - y0).toFixed(1)} down)`;
  }
  if (draft.bbox && draft.kind !== "polyline") return `${Math.round(draft.bbox[2])} × ${Math.round(draft.bbox[3])} px`;
  return null;
}
