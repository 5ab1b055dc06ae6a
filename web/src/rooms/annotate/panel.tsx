import "./panel.css";

export { AnnotationEditor } from "./components/annotation_editor";
export { DRAW_KEYS } from "./keys";
export { addBox, setShape, type ClassOf, type Shape } from "./components/changes";
export { byUse } from "./components/class_picker";
export { BrushKeys, MaskKeys } from "./components/mask_keys";
export { hasActivePoint, KeypointKeys, NudgeKeys, ShapeKeys, TurnKeys, withoutActive } from "./components/shape_keys";
export { StagedBar } from "./components/staged_bar";
export { useEditing, type Editing } from "./components/use_editing";
