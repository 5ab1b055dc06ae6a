/** Where the lines of a log graph run: every commit has a lane, its lines go down to its parents. No pixels here. */
export type Node = { id: string; parents: readonly string[] };

export type GraphRow<T extends Node> = {
  commit: T;
  /** The lane of the commit. */
  lane: number;
  /** Lanes whose line comes from above and ends at the commit; its own too, where it has a child. */
  into: number[];
  /** Lanes to which a line leaves downwards, one for each parent. */
  out: number[];
  /** Lanes whose line passes by. */
  past: number[];
};

export type Graph<T extends Node> = { rows: GraphRow<T>[]; lanes: number };

/** Lay out commits that come newest first. Children stand above their parents, whatever the clocks said. */
export function layOut<T extends Node>(commits: readonly T[]): Graph<T> {
  const open: (string | null)[] = []; // the commit that the line of each lane leads to
  let lanes = 0;
  const rows = childrenFirst(commits).map((commit): GraphRow<T> => {
    const into = open.flatMap((id, lane) => (id === commit.id ? [lane] : []));
    const lane = into[0] ?? free(open);
    for (const one of [...into, lane]) open[one] = null;
    const past = open.flatMap((id, at) => (id === null ? [] : [at]));
    const out: number[] = [];
    for (const parent of new Set(commit.parents)) {
      const known = open.indexOf(parent);
      const to = known >= 0 ? known : open[lane] === null ? lane : free(open);
      open[to] = parent;
      out.push(to);
    }
    lanes = Math.max(lanes, lane + 1, ...out.map((one) => one + 1));
    return { commit, lane, into, out, past };
  });
  return { rows, lanes };
}

function free(open: (string | null)[]): number {
  const at = open.indexOf(null);
  return at < 0 ? open.push(null) - 1 : at;
}

/** The same order, but a commit waits until all its children were there. */
function childrenFirst<T extends Node>(commits: readonly T[]): T[] {
  const waitsFor = new Map(commits.map(({ id }) => [id, 0]));
  for (const { parents } of commits) for (const parent of new Set(parents)) if (waitsFor.has(parent)) waitsFor.set(parent, (waitsFor.get(parent) ?? 0) + 1);
  const place = new Map(commits.map(({ id }, at) => [id, at]));
  const ready = commits.filter(({ id }) => waitsFor.get(id) === 0);
  const ordered: T[] = [];
  for (let next = ready.shift(); next; next = ready.shift()) {
    ordered.push(next);
    for (const parent of new Set(next.parents)) {
      const left = (waitsFor.get(parent) ?? 0) - 1;
      const commit = commits[place.get(parent) ?? -1];
      if (!commit) continue;
      waitsFor.set(parent, left);
      if (left > 0) continue;
      const at = ready.findIndex(({ id }) => (place.get(id) ?? 0) > (place.get(parent) ?? 0));
      ready.splice(at < 0 ? ready.length : at, 0, commit);
    }
  }
  return ordered;
}
