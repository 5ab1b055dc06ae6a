import { API, part } from "@/api/client";
import { quoted } from "@/api/where";

/** One way to get in code what a panel shows or does. */
export type Snippet = { name: "Python" | "CLI" | "curl"; text: string };

type State = { dataset: string; ref?: string | undefined };
type Parts = { python?: string; cli?: string; curl: string };

/** A text of Python; JSON's escapes are Python's. */
const py = JSON.stringify;
/** A word of a shell. */
const sh = (text: string): string => (/^[\w@./:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const named = ({ dataset, ref }: State): string => (ref ? `${dataset}@${ref}` : dataset);
const line = (...words: (string | false | undefined)[]): string => words.filter(Boolean).join(" ");
const option = (name: string, value: string | undefined): string | undefined => (value ? `--${name} ${sh(value)}` : undefined);

const inWorkspace = (...lines: string[]): string => ["import calotype as ct", "", "with ct.open() as ws:", ...lines.map((one) => `    ${one}`)].join("\n");
const handle = (state: State): string => `ws.dataset(${py(named(state))})`;
const viewOf = ({ dataset, ref }: State, where = ""): string => {
  const asked = where ? `.where(${py(where)})` : "";
  return ref ? `ws.dataset(${py(dataset)}).at(${py(ref)})${asked}` : `ws.dataset(${py(dataset)})${asked || ".where()"}`;
};

type Query = Record<string, string | number | readonly string[] | undefined>;
const request = (path: string, query: Query = {}, method = ""): string => {
  const pairs = Object.entries(query).flatMap(([key, value]) => (Array.isArray(value) ? value : [value]).map((one) => [key, one] as const));
  const params = new URLSearchParams(pairs.flatMap(([key, value]) => (value === undefined || value === "" ? [] : [[key, String(value)]])));
  const address = location.origin + API + path + (params.size ? `?${params.toString()}` : "");
  return line("curl", method && `-X ${method}`, '-H "Authorization: Bearer $CALOTYPE_TOKEN"', sh(address));
};
const under = (dataset: string, rest = ""): string => `/datasets/${part(dataset)}${rest}`;

type Grid = State & { where?: string | undefined; sort?: string | undefined; labels?: string | undefined; within?: string | undefined };
type Findings = State & {
  run: string; where?: string | undefined; check?: string | undefined; class?: string | undefined; fault?: string | undefined;
  severity?: string | undefined; assignee?: string | undefined; shown?: "decided" | "all" | undefined;
};

const STATES = { todo: ["open", "assigned"], decided: ["fixed", "rejected", "accepted", "closed"], all: [] } as const;
const EVERY_STATE = [...STATES.todo, ...STATES.decided];

/** What each panel is in code. Where one of the three cannot narrow down as the panel does, it is left out. */
const PANELS = {
  datasets: (_: Record<string, never>) => ({
    python: inWorkspace("print(ws.datasets())"), cli: "calotype dataset list", curl: request("/datasets"),
  }),
  overview: (state: State) => ({
    python: inWorkspace(`view = ${viewOf(state)}`, "print(view.count())", "print(view.by_class())"),
    cli: line("calotype count", sh(named(state)), "--by class"),
    curl: request(under(state.dataset), { ref: state.ref }),
  }),
  grid: ({ where, sort, labels, within, ...state }: Grid) => {
    const curl = request(under(state.dataset, "/samples"), { ref: state.ref, where, sort, label_set: labels, within, limit: 500 });
    if (labels || within) return { curl };
    return {
      python: inWorkspace(`view = ${viewOf(state, where)}`, "print(view.count())", "for sample in view:", "    print(sample.sample_id, sample.name)"),
      cli: line("calotype samples", sh(named(state)), option("where", where), "--limit 500"), curl,
    };
  },
  sample: ({ id, name, labelSet, ...state }: State & { id: string; name: string; labelSet: string }) => {
    const where = `name = ${quoted(name)}`;
    return {
      python: inWorkspace(
        `view = ${viewOf(state, where)}`, "sample = next(iter(view))", `annotations = view.annotations([sample.sample_id], label_set=${py(labelSet)})`,
        "print(sample.sample_id, annotations.num_rows)",
      ),
      cli: line("calotype --json samples", sh(named(state)), option("where", where)),
      curl: request(under(state.dataset, `/samples/${part(id)}`), { ref: state.ref }),
    };
  },
  checks: (state: State) => ({
    python: inWorkspace(`report = ${handle(state)}.check()`, "print(report)"),
    cli: line("calotype check", sh(named(state))),
    curl: request(under(state.dataset, "/checks"), { ref: state.ref }, "POST"),
  }),
  contract: (state: State) => ({
    python: inWorkspace(`print(${handle(state)}.contract())`),
    cli: line("calotype contract show", sh(named(state))),
    curl: request(under(state.dataset, "/contract"), { ref: state.ref }),
  }),
  findings: ({ run, where, check, class: ofClass, fault, severity, assignee, shown, ...state }: Findings) => {
    const states = STATES[shown ?? "todo"];
    const curl = request(under(state.dataset, "/findings"), { run, state: states, where, check, class: ofClass, fault, severity, assignee, limit: 500 });
    if (state.ref || where || ofClass || fault || assignee) return { curl };
    const listed = states.length ? states : EVERY_STATE;
    const options = [`state=[${listed.map((one) => py(one)).join(", ")}]`, check && `check=${py(check)}`, severity && `severity=${py(severity)}`].filter(Boolean);
    return {
      python: inWorkspace(`for tracked in ${handle(state)}.findings(${options.join(", ")}):`, "    print(tracked.key, tracked.state, tracked.finding.reason)"),
      cli: line("calotype findings", sh(state.dataset), ...listed.map((one) => `--state ${one}`), option("check", check), option("severity", severity), "--limit 500"), curl,
    };
  },
  history: (state: State) => ({
    python: inWorkspace(`for commit in ${handle(state)}.log():`, "    print(commit.id, commit.message)"),
    cli: line("calotype log", sh(named(state)), "--limit 200"),
    curl: request(under(state.dataset, "/log"), { ref: state.ref, limit: 200 }),
  }),
  diff: ({ dataset, a, b }: { dataset: string; a: string; b: string }) => ({
    python: inWorkspace(`print(${handle({ dataset })}.diff(${py(a)}, ${py(b || "main+")}))`),
    cli: line("calotype diff", sh(dataset), sh(a), sh(b || "main+")),
    curl: request(under(dataset, "/diff"), { a, b: b || "main+" }),
  }),
  merges: ({ dataset }: State) => ({
    python: inWorkspace(`for merge in ${handle({ dataset })}.merges():`, "    print(merge.id, merge.source, merge.state)"),
    cli: line("calotype merge", sh(dataset), "--list"), curl: request(under(dataset, "/merges")),
  }),
  releases: ({ dataset }: State) => ({
    python: inWorkspace(`for release in ${handle({ dataset })}.releases():`, "    print(release.version, release.path)"),
    cli: line("calotype releases", sh(dataset)), curl: request(under(dataset, "/releases")),
  }),
  releasePlan: ({ dataset }: State) => ({
    python: inWorkspace(`print(${handle({ dataset })}.plan_release())`),
    cli: line("calotype release", sh(dataset), "next --plan"), curl: request(under(dataset, "/releases/plan")),
  }),
  release: ({ dataset, version }: { dataset: string; version: string }) => ({
    python: inWorkspace(`releases = {release.version: release for release in ${handle({ dataset })}.releases()}`, `print(releases[${py(version)}].card)`),
    cli: line("calotype releases", sh(dataset), sh(version)), curl: request(under(dataset, `/releases/${part(version)}`)),
  }),
  map: ({ model, by, ...state }: State & { model: string; by: string }) => ({ curl: request(under(state.dataset, "/map"), { ref: state.ref, model, by }) }),
  runs: ({ dataset }: { dataset?: string | undefined }) => ({
    python: inWorkspace(`for run in ws.runs(${dataset ? py(dataset) : ""}):`, "    print(run)"),
    cli: line("calotype runs", option("dataset", dataset), "--limit 200"), curl: request("/runs", { dataset }),
  }),
  audit: ({ dataset, who, verb, since, until }: { [Name in "dataset" | "who" | "verb" | "since" | "until"]?: string | undefined }) => ({
    python: inWorkspace(`for event in ws.audit(${[...(dataset ? [py(dataset)] : []), ...Object.entries({ who, verb, since, until }).flatMap(([name, value]) => (value ? [`${name}=${py(value)}`] : []))].join(", ")}):`, "    print(event.actor, event.verb, event.subject)"),
    cli: line("calotype audit", option("dataset", dataset), option("who", who), option("verb", verb), option("since", since), option("until", until), "--limit 200"),
    curl: request("/audit", { dataset, who, verb, since, until }),
  }),
} satisfies Record<string, (panel: never) => Parts>;

export type Panel = keyof typeof PANELS;
export type PanelOf<P extends Panel> = Parameters<(typeof PANELS)[P]>[0];

/** How to get a panel in Python, on the command line and over HTTP. */
export function snippets<P extends Panel>(panel: P, shown: PanelOf<P>): Snippet[] {
  const { python, cli, curl }: Parts = (PANELS[panel] as (of: PanelOf<P>) => Parts)(shown);
  return [
    ...(python ? [{ name: "Python" as const, text: python }] : []), ...(cli ? [{ name: "CLI" as const, text: cli }] : []), { name: "curl", text: curl },
  ];
}
