import { IconBrush, IconEraser } from "@tabler/icons-react";
import { RADII } from "@/canvas/brush";
import type { Tool } from "@/canvas/gestures";
import { Button, KeyHint } from "@/kit/basics";

export type MaskToolsProps = { tool: Tool; radius: number; onRadius: (radius: number) => void };

/** The brush and the eraser of a mask, and how thick they are. */
export function MaskTools({ tool, radius, onRadius }: MaskToolsProps) {
  return (
    <div className="mask-tools" role="group" aria-label="Paint the mask">
      <Button className="small" aria-pressed={tool === "brush"} command="edit.brush">
        <IconBrush size={13} /> Brush <KeyHint keys="p" />
      </Button>
      <Button className="small" aria-pressed={tool === "eraser"} command="edit.eraser">
        <IconEraser size={13} /> Eraser <KeyHint keys="x" />
      </Button>
      <label className="mask-radius">
        <span className="dim">radius</span>
        <input type="range" min={RADII.min} max={RADII.max} value={radius} aria-label="Radius of the brush in pixels" onChange={(event) => onRadius(Number(event.target.value))} />
        <output className="num">{radius} px</output>
      </label>
    </div>
  );
}
