import { Fragment } from "react";

/** A message of the server: what stands between backticks is code. Nothing else in it has a meaning. */
export function Words({ children }: { children: string }) {
  const text = children.charAt(0).toUpperCase() + children.slice(1);
  return text.split("`").map((piece, at) => (at % 2 ? <code key={at}>{piece}</code> : <Fragment key={at}>{piece}</Fragment>));
}
