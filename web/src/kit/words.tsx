import { Fragment } from "react";
import { sentence } from "@/kit/format";

/** A message of the server: what stands between backticks is code. Nothing else in it has a meaning. */
export function Words({ children }: { children: string }) {
  return sentence(children).split("`").map((piece, at) => (at % 2 ? <code key={at}>{piece}</code> : <Fragment key={at}>{piece}</Fragment>));
}
