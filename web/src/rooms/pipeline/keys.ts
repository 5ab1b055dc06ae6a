/** The key that leads to the runs. */
export const GO = { runs: "g u" } as const;
