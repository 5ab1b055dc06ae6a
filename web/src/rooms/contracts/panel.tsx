import { useQuery } from "@tanstack/react-query";
import { CommandLine } from "@/kit/basics";
import { CopyAs } from "@/kit/copy_as";
import { short } from "@/kit/format";
import { Panel } from "@/kit/page";
import * as api from "./api";
import "./panel.css";

export { CoverageMap } from "./components/coverage_map";

/** The contract that the gates come from. */
export function ContractPanel({ dataset, refName }: { dataset: string; refName: string }) {
  const query = useQuery(api.contract(dataset, refName));
  const contract = query.data;
  if (!contract) return null;
  return (
    <Panel title="Contract" meta={<><span className="mono">{short(contract.sha256)}</span><CopyAs panel="contract" shown={{ dataset, ref: refName }} /></>}>
      {contract.text ? (
        <details className="contract">
          <summary>Show the contract</summary>
          <pre>{contract.text}</pre>
        </details>
      ) : (
        <>
          <p className="contract-none">
            This dataset uses the default contract: readable images, known classes, no leakage between splits. To set your
            own requirements, create a contract:
          </p>
          <CommandLine>{`calotype contract init ${dataset}`}</CommandLine>
        </>
      )}
    </Panel>
  );
}
