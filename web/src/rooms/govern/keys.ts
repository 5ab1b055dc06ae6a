/** The key that leads to the audit trail, and the commands there. */
export const GO = { audit: "g a" } as const;

export const AUDIT_KEYS = {
  "audit.checkpoint": { title: "Download a signed checkpoint of the audit trail", group: "Page" },
  "audit.verify": { title: "Verify the audit trail", group: "Page" },
} as const;
