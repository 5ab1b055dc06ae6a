/** The key that leads to the audit trail. */
export const GO = { audit: "g a" } as const;
