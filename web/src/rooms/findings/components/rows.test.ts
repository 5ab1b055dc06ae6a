import { expect, test } from "vitest";
import { Rows } from "./rows";

test("a list without groups has its findings in order", () => {
  const rows = new Rows([], 3);
  expect([rows.total, rows.at(2), rows.of(2)]).toEqual([3, { finding: 2 }, 2]);
});

test("each group has a head before its findings", () => {
  const rows = new Rows([{ findings: 2 }, { findings: 1 }, { findings: 3 }], 6);
  expect(Array.from({ length: rows.total }, (_, row) => rows.at(row))).toEqual([
    { head: 0 }, { finding: 0 }, { finding: 1 }, { head: 1 }, { finding: 2 }, { head: 2 }, { finding: 3 }, { finding: 4 }, { finding: 5 },
  ]);
  for (let finding = 0; finding < 6; finding += 1) expect(rows.at(rows.of(finding))).toEqual({ finding });
});
