import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { plural } from "@/kit/format";
import type { Pick } from "@/kit/picker";
import { checks } from "@/rooms/checks/api";
import { findingsNamed, groups, samplesNamed } from "@/rooms/findings/api";

/** The checks of the open dataset, and the open findings of its latest run: by check, by class, and by the name of the sample. */
export function useFindingFinds({ dataset, ref, asked, isAsked }: { dataset: string; ref: string; asked: string; isAsked: boolean }): Pick[] {
  const navigate = useNavigate();
  const report = useQuery({ ...checks(dataset, ref), enabled: isAsked });
  const run = report.data?.run?.id ?? "";
  const byClass = useQuery({ ...groups(dataset, { run }, "class"), enabled: isAsked && run !== "" });
  const named = useQuery({ ...findingsNamed(dataset, run, asked), enabled: isAsked && run !== "" });
  if (!isAsked) return [];

  const at = ref || undefined;
  const toList = (search: { check?: string; class?: string; where?: string; at?: number }) => () => void navigate({ to: "/d/$dataset/findings", params: { dataset }, search: { ref: at, ...search } });
  return [
    ...(named.data?.items ?? []).map((finding): Pick => ({
      id: `finding:${finding.key}`, title: `${finding.sample_name ?? ""}: ${finding.reason}`, group: "Findings", hint: finding.check,
      run: toList({ where: samplesNamed(asked), at: finding.position }),
    })),
    ...(byClass.data?.groups ?? []).filter(({ value }) => value !== null).map(({ value, findings }): Pick => ({
      id: `findings-on:${value}`, title: `Findings on ${value}`, group: "Findings", hint: plural(findings, "finding"), run: toList({ class: String(value) }),
    })),
    ...(report.data?.checks ?? []).flatMap(({ name, title, findings }): Pick[] => [
      {
        id: `check:${name}`, title: `${title} (${name})`, group: "Checks", hint: "explanation",
        run: () => void navigate({ to: "/d/$dataset/checks", params: { dataset }, search: { ref: at, check: name } }),
      },
      ...(findings ? [{ id: `findings-of:${name}`, title: `${title} (${name})`, group: "Findings", hint: plural(findings, "finding"), run: toList({ check: name }) }] : []),
    ]),
  ];
}
