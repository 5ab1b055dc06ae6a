export const MAIN = "main";

/** The branch whose working state a ref names: "" is that of main. Null for a commit, a tag and the last commit of a branch. */
export const branchOf = (ref: string): string | null => (ref === "" ? MAIN : ref.endsWith("+") ? ref.slice(0, -1) || MAIN : null);

/** The ref of the working state of a branch, as the address has it. */
export const workingState = (branch: string): string => (branch === MAIN ? "" : `${branch}+`);

/** The branch as a request names it; left out for main. */
export const branchQuery = (branch: string): { branch?: string } => (branch === MAIN ? {} : { branch });

/** " on night", or nothing for main. */
export const onBranch = (branch: string): string => (branch === MAIN ? "" : ` on ${branch}`);
