/** The key that leads to maturity. */
export const GO = { maturity: "g v" } as const;
