import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ofClass, tagged } from "@/api/where";
import { useFindingFinds } from "@/app/finds_findings";
import { compact, plural, short } from "@/kit/format";
import { useHere } from "@/kit/here";
import type { Pick } from "@/kit/picker";
import { overview, samplesNamed } from "@/rooms/browse/api";
import { datasets } from "@/rooms/datasets/api";
import { releases } from "@/rooms/release/api";
import { log, refs } from "@/rooms/versions/api";

/** Groups of what the palette finds, below the commands. */
export const FOUND = ["Samples", "Classes", "Sample tags", "Findings", "Checks", "Releases", "Branches and tags", "Commits"] as const;
const MIN_LETTERS = 2;

/** What the open dataset, and the releases of all datasets, hold by these letters. The picker ranks it. */
export function useFinds(typed: string): Pick[] {
  const { dataset, ref } = useHere();
  const navigate = useNavigate();
  const [asked] = useDebouncedValue(typed.trim(), 150);
  const isAsked = asked.length >= MIN_LETTERS;
  const inDataset = { enabled: isAsked && dataset !== undefined };
  const name = dataset ?? "";
  const rows = useQuery(datasets());
  const about = useQuery({ ...overview(name, ref), ...inDataset });
  const named = useQuery({ ...samplesNamed(name, ref, asked), ...inDataset });
  const known = useQuery({ ...refs(name), ...inDataset });
  const commits = useQuery({ ...log(name, ref), ...inDataset });
  const released = useQuery({ ...releases(name), ...inDataset });
  const ofChecks = useFindingFinds({ dataset: name, ref, asked, isAsked: inDataset.enabled });
  if (!isAsked) return [];

  const at = ref || undefined;
  const toSamples = (where: string) => () => void navigate({ to: "/d/$dataset/samples", params: { dataset: name }, search: { ref: at, where } });
  const toRef = (chosen: string) => () => void navigate({ to: "/d/$dataset", params: { dataset: name }, search: { ref: chosen } });
  const toRelease = (of: string, version: string) => () =>
    void navigate({ to: "/d/$dataset/releases/$version", params: { dataset: of, version }, search: {} });
  const elsewhere = (rows.data?.items ?? []).filter((row) => row.name !== dataset);
  return [
    ...(named.data?.items ?? []).map((sample): Pick => ({
      id: `sample:${sample.id}`, title: sample.name, group: "Samples", hint: plural(sample.annotations.length, "annotation"),
      run: () => void navigate({ to: "/d/$dataset/samples/$sample", params: { dataset: name, sample: sample.id }, search: { ref: at } }),
    })),
    ...(about.data?.classes ?? []).map((one): Pick => ({
      id: `class:${one.id}`, title: one.name, group: "Classes", hint: plural(one.samples, "sample"), run: toSamples(ofClass(one.name)),
    })),
    ...(about.data?.tags ?? []).filter(({ value }) => value).map(({ value, count }): Pick => ({
      id: `tag:${value}`, title: String(value), group: "Sample tags", hint: `${compact(count)} samples`, run: toSamples(tagged(String(value))),
    })),
    ...ofChecks,
    ...(released.data?.items ?? []).map(({ version }): Pick => ({
      id: `release:${version}`, title: `${name} ${version}`, group: "Releases", run: toRelease(name, version),
    })),
    ...elsewhere.flatMap((row) => row.releases.map((version): Pick => ({
      id: `release:${row.name}:${version}`, title: `${row.name} ${version}`, group: "Releases", run: toRelease(row.name, version),
    }))),
    ...(known.data?.items ?? []).map((one): Pick => ({
      id: `ref:${one.name}`, title: one.name, group: "Branches and tags", hint: one.kind, run: toRef(one.name),
    })),
    ...(commits.data?.items ?? []).map((one): Pick => ({
      id: `commit:${one.id}`, title: `${one.message || "(no message)"} ${short(one.id)}`, group: "Commits", hint: one.author, run: toRef(one.id.slice(0, 12)),
    })),
  ];
}
