import { useQuery } from "@tanstack/react-query";
import { CommandLine } from "@/kit/basics";
import { short } from "@/kit/format";
import { Panel } from "@/kit/page";
import * as api from "./api";
import "./panel.css";

/** The contract that the gates come from, to be read. */
export function ContractPanel({ dataset, refName }: { dataset: string; refName: string }) {
  const found = useQuery(api.contract(dataset, refName));
  const contract = found.data;
  if (!contract) return null;
  return (
    <Panel title="Contract" meta={<span className="mono">{short(contract.sha256)}</span>}>
      {contract.text ? (
        <details className="contract">
          <summary>Read it</summary>
          <pre>{contract.text}</pre>
        </details>
      ) : (
        <>
          <p className="contract-none">
            The default: readable images, known classes, no leak between splits. Write down what the product needs, and the
            gates test that:
          </p>
          <CommandLine>{`calotype contract init ${dataset}`}</CommandLine>
        </>
      )}
    </Panel>
  );
}
