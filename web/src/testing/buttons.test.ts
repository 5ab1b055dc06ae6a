/// <reference types="vite/client" />
import ts from "typescript";
import { expect, test } from "vitest";

/**
 * Every button that acts does so by a registered command, so that the palette, the key and the button never differ. A button
 * may do without one if it only changes what this page shows: it calls setters of `useState`, closes what it stands in, or is
 * listed here.
 */
const BUTTONS = new Set(["button", "Button", "IconButton"]);
/** Props by which a component closes, or shows what the user points at: the one who passes them decides. */
const CLOSES = new Set(["onDone", "onClose", "close"]);
/** What else a handler may call without a command, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  onChange: "picks a value of a field or a filter, which is in the address",
  onWhere: "edits the query in the address, as typing in the query bar does",
  onAdd: "adds a clause to the query in the address",
  onOf: "filters by class in the address",
  onFilter: "sets a filter in the address",
  onClear: "clears filters of an empty list, in the address",
  onHide: "shows or hides classes",
  onFlip: "shows or hides a class",
  flip: "shows or hides a class",
  onPick: "selects the row it is",
  onChoose: "selects the row it is",
  choose: "selects the row it is",
  onShow: "selects what it stands beside",
  onCheck: "opens a check, as a link would",
  onFindings: "opens the findings, as a link would",
  onOpen: "opens the row it is, as a link would",
  navigate: "opens a page, as a link would",
  change: "changes the filter of a diff in the address",
  set: "changes the address of the grid",
  onSet: "changes the value of its row; edit.attributes is the command",
  take: "answers what a command has asked",
  copy: "copies the text that it stands beside; a page has many",
  dismiss: "hides a message", reset: "hides a message", setOutcome: "hides a message",
};

const texts = import.meta.glob<string>(["../**/*.ts", "../**/*.tsx", "!../**/*.test.*"], { query: "?raw", import: "default", eager: true });
const parsed = (file: string, text: string) => ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
const sources = Object.entries(texts).filter(([file]) => file.endsWith(".tsx")).map(([file, text]) => parsed(file.slice(3), text));
/** Ids of commands as they are declared: `"edit.undo": { title: "...` or `palette: { title: "...`. */
const declared = new Set(Object.values(texts).flatMap((text) => [...text.matchAll(/(?:^\s*|\{ )"?([\w.-]+)"?: \{ title: "/gm)].map((match) => match[1] ?? "")));

type Element = ts.JsxOpeningElement | ts.JsxSelfClosingElement;
type Found = { file: string; line: number; element: Element; setters: ReadonlySet<string> };

function* buttonsOf(source: ts.SourceFile): Generator<Found> {
  const setters = new Set([...source.text.matchAll(/const \[\w+, (\w+)\] = useState/g)].map((match) => match[1] ?? ""));
  const queue: ts.Node[] = [source];
  for (let node = queue.pop(); node; node = queue.pop()) {
    if ((ts.isJsxOpeningElement(node) || ts.isJsxSelfClosingElement(node)) && BUTTONS.has(node.tagName.getText())) {
      yield { file: source.fileName, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, element: node, setters };
    }
    node.forEachChild((child) => void queue.push(child));
  }
}

const attribute = (element: Element, ...names: string[]) =>
  element.attributes.properties.find((one): one is ts.JsxAttribute => ts.isJsxAttribute(one) && names.includes(one.name.getText()));

/** Names of what a handler calls: `onClick={close}` calls `close`, `() => actions.setOutcome(null)` calls `setOutcome`. */
function callsOf(handler: ts.Expression): string[] {
  const last = (node: ts.Expression): string => (ts.isPropertyAccessExpression(node) ? node.name.text : node.getText());
  if (ts.isIdentifier(handler) || ts.isPropertyAccessExpression(handler)) return [last(handler)];
  const names: string[] = [];
  const queue: ts.Node[] = [handler];
  for (let node = queue.pop(); node; node = queue.pop()) {
    if (ts.isCallExpression(node)) names.push(last(node.expression));
    // What is passed to a call, such as `isOpen ? undefined : name`, is a value.
    if (ts.isCallExpression(node)) queue.push(node.expression);
    else node.forEachChild((child) => void queue.push(child));
  }
  return names;
}

function problemOf({ file, line, element, setters }: Found): string | null {
  const command = attribute(element, "command", "data-command");
  const literal = command?.initializer && ts.isStringLiteral(command.initializer) ? command.initializer.text : null;
  if (literal !== null && !declared.has(literal)) return `${file}:${line}: no keys file declares the command "${literal}"`;
  const click = attribute(element, "onClick")?.initializer;
  if (command || !click || !ts.isJsxExpression(click) || !click.expression) return null;
  const foreign = callsOf(click.expression).filter((name) => !setters.has(name) && !CLOSES.has(name) && !(name in EXCEPTIONS));
  return foreign.length ? `${file}:${line}: calls ${foreign.join(", ")} without a command` : null;
}

const found = sources.flatMap((source) => [...buttonsOf(source)]);

test("every button that acts has a command", () => {
  expect(found.length).toBeGreaterThan(100);
  expect(found.map(problemOf).filter(Boolean)).toEqual([]);
});

test("a button without a command, and one of an unknown command, are noticed", () => {
  const text = `const [open, setOpen] = useState(false);
    const a = <Button onClick={() => deleting.mutate()}>Delete</Button>;
    const b = <IconButton label="Copy" command="nobody.declares" />;
    const c = <Button onClick={() => setOpen(!open)}>More</Button>;
    const d = <button type="button" onClick={save}>Save</button>;
    const e = <Button onClick={() => { onClose(); save(1); }}>Save</Button>;
    const f = <Button command="edit.undo" onClick={() => undo(row)}>Undo</Button>;`;
  const buttons = [...buttonsOf(parsed("x.tsx", text))];
  const problems = buttons.map(problemOf).filter(Boolean).sort();
  expect(problems).toEqual([
    "x.tsx:2: calls mutate without a command", 'x.tsx:3: no keys file declares the command "nobody.declares"',
    "x.tsx:5: calls save without a command", "x.tsx:6: calls save without a command",
  ]);
});

test("no exception is left that no button needs", () => {
  const used = new Set(found.flatMap(({ element }) => {
    const click = attribute(element, "onClick")?.initializer;
    return click && ts.isJsxExpression(click) && click.expression ? callsOf(click.expression) : [];
  }));
  expect(Object.keys(EXCEPTIONS).filter((name) => !used.has(name))).toEqual([]);
});
