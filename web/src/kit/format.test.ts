import { expect, test } from "vitest";
import { ago, bytes, duration, measured, percent, plural, sentence, shown } from "@/kit/format";

test("counts and sizes", () => {
  expect(plural(1, "sample")).toBe("1 sample");
  expect(plural(1801, "sample")).toBe("1,801 samples");
  expect([bytes(999), bytes(1500), bytes(999_900), bytes(2_500_000_000)]).toEqual(["999 B", "1.5 kB", "1.0 MB", "2.5 GB"]);
  expect([percent(1, 3), percent(1, 20), percent(1, 5000), percent(0, 0)]).toEqual(["33 %", "5 %", "< 0.1 %", "0 %"]);
});

test("measures keep the digits that matter", () => {
  expect([measured(65), measured(0.04123), measured(12.3456), measured(1234.5)]).toEqual(["65", "0.0412", "12.35", "1235"]);
  expect([shown(null), shown(false), shown({ a: 1 })]).toEqual(["\u2013", "false", '{"a":1}']);
});

test("times", () => {
  const now = Date.parse("2026-01-10T12:00:00Z");
  expect(ago("2026-01-10T11:59:30Z", now)).toBe("just now");
  expect(ago("2026-01-10T11:00:00Z", now)).toBe("1 h ago");
  expect(ago("2026-01-07T12:00:00Z", now)).toBe("3 days ago");
  expect(ago("2025-11-07T12:00:00Z", now)).toBe("2025-11-07");
  expect([duration(0.25), duration(4.31), duration(75), duration(3700)]).toEqual(["250 ms", "4.3 s", "1 min 15 s", "1 h 1 min"]);
});

test("messages become sentences, names stay names", () => {
  expect(sentence("no dataset 'x' in this workspace")).toBe("No dataset 'x' in this workspace");
  expect(sentence("it is longer than it may be")).toBe("It is longer than it may be");
  expect(sentence("streets has no branch")).toBe("streets has no branch");
  expect(sentence("streets 1.1.0 is not released")).toBe("streets 1.1.0 is not released");
  expect(sentence("my_set@main: gone")).toBe("my_set@main: gone");
});
