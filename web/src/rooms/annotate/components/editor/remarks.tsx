import { Pill, When } from "@/kit/basics";
import type { Thread } from "../session/types";

/** What reviewers said of the image and its annotations, and what was asked about it. */
export function Remarks({ threads, onShow }: { threads: readonly Thread[]; onShow: (thread: Thread) => void }) {
  if (threads.length === 0) return null;
  return (
    <section aria-label="Remarks and questions">
      <header><h2>Remarks</h2><span className="dim num">{threads.length}</span></header>
      <ul className="remarks">
        {threads.map((thread) => (
          <li key={thread.id} data-open={thread.state === "open"}>
            <button type="button" className="remark" onClick={() => onShow(thread)}>
              <span className="remark-head">
                <Pill tone={thread.state === "open" ? "warn" : "plain"}>{thread.kind === "question" ? "question" : (thread.category || "remark").replaceAll("-", " ")}</Pill>
                {thread.state === "open" ? null : <span className="dim">{thread.state}</span>}
              </span>
              {thread.comments.map((comment, at) => <span key={at} className="remark-text"><strong>{comment.author}</strong> {comment.text} <span className="dim"><When at={comment.at} /></span></span>)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
