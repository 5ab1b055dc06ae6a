import { useQuery } from "@tanstack/react-query";
import type { UnknownValue } from "@/api/schema.gen";
import { quoted } from "@/api/where";
import { Button } from "@/kit/basics";
import { useDataset } from "@/kit/here";
import { Words } from "@/kit/words";
import * as api from "../api";

/** A query that compares with a text. */
const HAS_TEXT = /(?:=|<>|\bhas|\bin\s*\()\s*["'\p{L}]/iu;

/** Values of the query that nothing has, each with the one that was probably meant. */
export function UnknownValues({ where, onWhere }: { where: string; onWhere: (where: string) => void }) {
  const { dataset, ref } = useDataset();
  const found = useQuery({ ...api.unknownValues(dataset, ref, where), enabled: HAS_TEXT.test(where) });
  const items = found.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <ul role="alert" className="query-unknown" aria-label="Values that no sample has">
      {items.map((item) => (
        <li key={`${item.column} ${item.value}`}>
          <span><Words>{item.message}</Words></span>
          {item.close.map((value) => (
            <Button key={value} className="small" onClick={() => onWhere(replaced(where, item, value))}>Use {quoted(value)}</Button>
          ))}
        </li>
      ))}
    </ul>
  );
}

/** The query with another value in the place of an unknown one. */
export function replaced(where: string, { column, value }: Pick<UnknownValue, "column" | "value">, by: string): string {
  const letters = [...where]; // the server counts characters, not halves of them
  const head = letters.slice(0, column - 1).join("");
  const rest = letters.slice(column - 1).join("");
  for (const written of [quoted(value), `'${value}'`]) {
    if (rest.includes(written)) return head + rest.replace(written, () => quoted(by));
  }
  const bare = new RegExp(`(^|[\\s(,=])${value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=$|[\\s),])`, "u");
  return head + rest.replace(bare, (_, before: string) => before + quoted(by));
}
