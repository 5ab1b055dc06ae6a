import { expect, test } from "vitest";

const sources: Record<string, string> = import.meta.glob(["../**/*.{ts,tsx}", "!../**/*.test.*", "!../testing/**"], {
  query: "?raw", import: "default", eager: true,
});

test("the keyboard is listened to in the registry of commands only", () => {
  const listening = Object.entries(sources).filter(([, text]) => /key(?:down|up|press)/i.test(text)).map(([file]) => file);
  expect(listening).toEqual(["./commands.tsx"]);
});
