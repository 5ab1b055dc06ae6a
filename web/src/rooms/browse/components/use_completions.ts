import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Overview } from "@/api/schema.gen";
import { quoted } from "@/api/where";
import { compact } from "@/kit/format";
import { useDataset } from "@/kit/here";
import { checks } from "@/rooms/checks/api";
import * as api from "../api";
import { asked, completions, hasListedValues, valueWord, type Word } from "./completions";

const NOTHING: Word[] = [];
const MOST_LISTED = 50;

/** What completes the query at the caret; values that the overview does not list are asked of the server. */
export function useCompletions(text: string, caret: number, data: Overview | undefined, open: boolean): Word[] {
  const { dataset, ref } = useDataset();
  const value = open ? asked(text, caret) : null;
  const [typed] = useDebouncedValue(value?.typed ?? "", 120);
  const field = value?.field ?? "";
  const isPartial = data !== undefined && value !== null && hasListedValues(field, data) && !isListed(field, data);
  const found = useQuery({ ...api.fieldValues(dataset, ref, field, typed), enabled: isPartial, placeholderData: keepPreviousData });
  const run = useQuery({ ...checks(dataset, ref), enabled: field === "finding" });
  return useMemo(() => {
    if (!open) return NOTHING;
    const values = isPartial ? (found.data?.items ?? []).flatMap(({ value: one, count }) => (one === null ? [] : [valueWord(one, count)])) : [];
    const often = [...(run.data?.checks ?? [])].sort((a, b) => b.findings - a.findings);
    const named = often.map(({ name, title, findings }) => ({ insert: quoted(name), note: `${title}, ${compact(findings)}` }));
    return completions(text, caret, data, { values, checks: named });
  }, [open, text, caret, data, isPartial, found.data, run.data]);
}

/** Whether the overview has all values of a field. */
function isListed(field: string, data: Overview): boolean {
  if (field === "split") return true;
  const several = { licence: data.licences, source: data.sources, tags: data.tags }[field];
  if (several) return several.length < MOST_LISTED;
  const known = data.fields.find((one) => one.name === field.replace(/^metadata\./, ""));
  return known !== undefined && known.distinct <= known.top.length;
}
