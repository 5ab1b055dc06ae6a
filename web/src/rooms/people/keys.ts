/** Keys that lead to people and to one's own account, and the commands there. */
export const GO = { people: "g p", access: "g w", account: "g y" } as const;

export const PEOPLE_KEYS = {
  "people.add": { title: "Add a person", group: "Page", keys: ["n"] },
  "people.team": { title: "Create a team", group: "Page" },
} as const;

export const PERSON_KEYS = {
  "people.grant": { title: "Grant a role to the selected person", group: "Page", keys: ["a"] },
  "people.member": { title: "Put the selected person into a team", group: "Page" },
  "people.invite": { title: "New invitation for the selected person", group: "Page" },
  "people.state": { title: "Disable or enable the selected person", group: "Page" },
  "people.revoke": { title: "Revoke the newest grant of the selected person", group: "Page" },
} as const;

export const ACCOUNT_KEYS = {
  "account.token": { title: "Create an API token", group: "Page", keys: ["n"] },
  "account.sign-out": { title: "Sign out", group: "Page" },
} as const;

export const SESSION_KEYS = {
  "account.end-others": { title: "End the newest of the other sessions", group: "Page" },
} as const;

export const TOKEN_KEYS = {
  "account.revoke-token": { title: "Revoke the newest API token", group: "Page" },
} as const;

export const DEVICE_KEYS = {
  "device.allow": { title: "Let the program in", group: "Page" },
  "device.refuse": { title: "Refuse the program", group: "Page" },
} as const;

export const REQUESTS_KEYS = {
  "access.ask": { title: "Ask for access", group: "Page", keys: ["n"] },
} as const;

export const OWN_REQUEST_KEYS = {
  "access.withdraw": { title: "Withdraw my newest access request", group: "Page" },
} as const;

export const ANSWER_KEYS = {
  "access.yes": { title: "Say yes to the oldest access request", group: "Page" },
  "access.no": { title: "Say no to the oldest access request", group: "Page" },
} as const;

export const ANSWERED_KEYS = {
  "access.undo": { title: "Undo the yes: revoke its grant", group: "Page", keys: ["u"] },
} as const;

export const REVIEW_KEYS = {
  "review.revoke": { title: "Revoke the first grant or token of the review", group: "Page" },
  "review.keep": { title: "Keep the first row of the review", group: "Page" },
} as const;

export const FOUR_EYES_KEYS = {
  "access.four-eyes": { title: "Turn four eyes on governing roles on or off", group: "Page" },
} as const;
