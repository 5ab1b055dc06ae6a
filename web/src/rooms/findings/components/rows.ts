import type { FindingGroup } from "@/api/schema.gen";

/** A row of the list: the head of a group, or the finding at a place. */
export type RowAt = { head: number } | { finding: number };

/** Where the heads of groups stand between the findings: places by arithmetic, for lists of any length. */
export class Rows {
  private readonly starts: number[] = [];
  readonly total: number;

  constructor(private readonly groups: readonly Pick<FindingGroup, "findings">[], findings: number) {
    let at = 0;
    for (const group of groups) {
      this.starts.push(at);
      at += group.findings + 1;
    }
    this.total = groups.length ? at : findings;
  }

  /** What stands in a row. */
  at(row: number): RowAt {
    if (!this.groups.length) return { finding: row };
    const group = this.groupOf(row);
    return row === this.starts[group] ? { head: group } : { finding: row - group - 1 };
  }

  /** The row of a finding. */
  of(finding: number): number {
    if (!this.groups.length) return finding;
    let low = 0;
    for (let high = this.starts.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) - middle <= finding) low = middle;
      else high = middle - 1;
    }
    return finding + low + 1;
  }

  private groupOf(row: number): number {
    let low = 0;
    for (let high = this.starts.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
