import { useNavigate, useSearch } from "@tanstack/react-router";
import { EmptyState } from "@/kit/page";
import { AccessFrame, useMay } from "../components/access_frame";
import { Why, WhoCan } from "../components/answers";
import { KindOfData } from "../components/kind_of_data";
import { Question } from "../components/question";
import "../page.css";

/** Who can do something, and why somebody can or cannot. */
export function AccessPage() {
  const search = useSearch({ from: "/access" });
  const navigate = useNavigate({ from: "/access" });
  const seesPeople = useMay("people.read");
  const mayGrant = useMay("grant.manage");
  const { ask, who, action, on } = search;
  const dataset = action && on?.startsWith("dataset:") ? on.slice("dataset:".length) : "";
  return (
    <AccessFrame title="Access">
      <Question key={JSON.stringify(search)} search={search} seesPeople={seesPeople} onAsk={(next) => void navigate({ search: next })} />
      <div className="people-stack">
        {action && on && ask === "who" ? <WhoCan action={action} on={on} /> : null}
        {action && on && ask !== "who" ? <Why action={action} on={on} who={who} mayGrant={mayGrant} /> : null}
        {dataset ? <KindOfData dataset={dataset} /> : null}
      </div>
      {action && on ? null : (
        <EmptyState title="Ask who has access, or why">
          <p>
            {seesPeople ? "“Who can” lists people with the grants that let them. " : ""}
            “Why” names the rule that decides and, for a no, the grants that would change it. The address holds the question, so that an answer can be sent to somebody.
          </p>
        </EmptyState>
      )}
    </AccessFrame>
  );
}
