import { useParams, useSearch } from "@tanstack/react-router";

/** The dataset and ref of the address, if it has them. `ref` "" is the working state of main. */
export function useHere(): { dataset: string | undefined; ref: string } {
  const params: { dataset?: string } = useParams({ strict: false });
  const search: { ref?: string | undefined } = useSearch({ strict: false });
  return { dataset: params.dataset, ref: search.ref ?? "" };
}

/** The same for pages below a dataset. */
export function useDataset(): { dataset: string; ref: string } {
  const { dataset, ref } = useHere();
  return { dataset: dataset ?? "", ref };
}
