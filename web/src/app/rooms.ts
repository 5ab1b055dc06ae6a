/** The rooms with pages. A new room is one line here; its routes, places and keys are its own. */
export * as annotate from "@/rooms/annotate/routes";
export * as browse from "@/rooms/browse/routes";
export * as checks from "@/rooms/checks/routes";
export * as curate from "@/rooms/curate/routes";
export * as findings from "@/rooms/findings/routes";
export * as datasets from "@/rooms/datasets/routes";
export * as govern from "@/rooms/govern/routes";
export * as guidelines from "@/rooms/guidelines/routes";
export * as labelling from "@/rooms/labelling/routes";
export * as maturity from "@/rooms/maturity/routes";
export * as people from "@/rooms/people/routes";
export * as pipeline from "@/rooms/pipeline/routes";
export * as release from "@/rooms/release/routes";
export * as versions from "@/rooms/versions/routes";
