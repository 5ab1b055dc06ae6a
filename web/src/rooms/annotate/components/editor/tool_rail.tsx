import {
  IconBrush, IconCircleDot, IconEraser, IconLine, IconOval, IconPointer, IconPolygon, IconRectangle, IconRulerMeasure, IconScissors, IconStretching, IconTag, IconRotateRectangle,
  type TablerIcon,
} from "@tabler/icons-react";
import { TOOL_KEYS } from "../../keys";
import { toolsFor, type EditorTool } from "./tools";
import type { Editor } from "./use_editor";

const ICONS: Readonly<Record<Exclude<EditorTool, "part">, TablerIcon>> = {
  select: IconPointer, box: IconRectangle, rotated_box: IconRotateRectangle, polygon: IconPolygon, polyline: IconLine, brush: IconBrush, eraser: IconEraser,
  cut: IconScissors, ellipse: IconOval, point: IconCircleDot, keypoints: IconStretching, tag: IconTag, ruler: IconRulerMeasure,
};
/** Where a hairline divides the rail. */
const GROUPS_AFTER: ReadonlySet<EditorTool> = new Set(["select", "cut", "keypoints"]);

/** The tools, one above the other, with their keys. */
export function ToolRail({ editor }: { editor: Editor }) {
  const tools = toolsFor(editor.work.classes);
  return (
    <div className="tool-rail" role="toolbar" aria-label="Tools" aria-orientation="vertical">
      {tools.map((tool) => {
        const Icon = ICONS[tool as keyof typeof ICONS];
        const line = TOOL_KEYS[`tool.${tool}`];
        return (
          <button
            key={tool} type="button" className="tool" data-command={`tool.${tool}`} aria-pressed={editor.tool === tool} disabled={!editor.editable && tool !== "select"}
            title={`${line.title} (${line.keys[0]?.toUpperCase()})`} aria-label={line.title} onClick={() => editor.setTool(tool)} data-ends={GROUPS_AFTER.has(tool)}
          >
            <Icon size={18} stroke={1.6} /><kbd aria-hidden="true">{line.keys[0]?.toUpperCase()}</kbd>
          </button>
        );
      })}
    </div>
  );
}
