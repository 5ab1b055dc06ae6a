import { eventsOf } from "@/api/events";
import type { paths } from "@/api/schema.gen";

/** An error of the server (RFC 9457): what went wrong, where, and how to fix it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly where: string,
    readonly fix: string,
    /** What was not permitted, as the question why takes it. */
    readonly question?: { action: string; resource: string },
  ) {
    super(detail);
    this.name = "Problem";
  }

  static of(status: number, body: unknown): Problem {
    const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const text = (key: string) => (typeof fields[key] === "string" ? fields[key] : "");
    return new Problem(
      status,
      text("code") || `http-${status}`,
      text("detail") || text("title") || `the server answered ${status}`,
      text("where"),
      text("fix"),
      text("action") && text("resource") ? { action: text("action"), resource: text("resource") } : undefined,
    );
  }
}

/** The server cannot be reached at all. */
export const unreachable = (): Problem =>
  new Problem(0, "unreachable", "cannot reach the server", "", "check that `calotype serve` is running, then reload the page");

export type Method = "get" | "post" | "put" | "delete";

/** The paths of the API that answer to a method. */
export type Path<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never }[keyof paths];

type Json<Part> = Part extends { content: { "application/json": infer Body } } ? Body : undefined;
type Answers<Op> = Op extends { responses: infer Responses } ? Responses[keyof Responses & (200 | 201 | 204)] : never;
/** What a path answers to a method. */
export type Answer<M extends Method, P extends Path<M>> = Json<Answers<paths[P][M]>>;

type Params<Op> = Op extends { parameters: infer P } ? P : never;

/** What the operation takes of `path`, `query` and `body`, and a signal. */
type Request<Op> = { signal?: AbortSignal } & (Params<Op> extends { path: infer Names } ? { path: Names } : unknown) &
  (Params<Op> extends { query: infer Query } ? { query: Query } : Params<Op> extends { query?: infer Query } ? { query?: Query } : unknown) &
  (Op extends { requestBody: infer Content } ? { body: Json<Content> } : unknown);

type Plain = { path?: Record<string, string | number>; query?: Record<string, unknown>; body?: unknown; signal?: AbortSignal };

/**
 * Call the API; methods, paths, parameters and answers are typed by `schema.gen.ts`.
 * Rejects with a Problem where the answer is not 2xx, with an AbortError where the signal says so.
 */
export async function call<M extends Method, P extends Path<M>>(
  method: M, path: P, request: Request<paths[P][M]> = {} as Request<paths[P][M]>,
): Promise<Answer<M, P>> {
  const answer = await send(method, path, request as Plain);
  return (isJson(answer) ? await answer.json() : undefined) as Answer<M, P>;
}

/** Get the bytes that a path answers. Rejects as `call` does. */
export async function callBytes<P extends Path<"get">>(path: P, request: Request<paths[P]["get"]>): Promise<ArrayBuffer> {
  return (await send("get", path, request as Plain)).arrayBuffer();
}

const EVENTS = "text/event-stream";

/** What a path answers, again whenever it changes. Rejects as `call` does, and where the answer is not a stream. */
export async function* callEvents<P extends Path<"get">>(path: P, request: Request<paths[P]["get"]>): AsyncGenerator<Answer<"get", P>> {
  const answer = await send("get", path, request as Plain, EVENTS);
  if (!answer.body || !(answer.headers.get("content-type") ?? "").startsWith(EVENTS)) throw unreachable();
  yield* eventsOf(answer.body) as AsyncGenerator<Answer<"get", P>>;
}

const isJson = (answer: Response): boolean => (answer.headers.get("content-type") ?? "").includes("json");

async function send(method: Method, path: string, { path: names = {}, query, body, signal }: Plain, accept?: string): Promise<Response> {
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => part(names[name] ?? "")) + queryText(query);
  const init: RequestInit = { method: method.toUpperCase(), credentials: "same-origin" };
  if (signal) init.signal = signal;
  if (accept) init.headers = { accept };
  if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const answer = await fetch(address, init).catch((error: unknown) => {
    throw error instanceof DOMException && error.name === "AbortError" ? error : unreachable();
  });
  if (!answer.ok) throw Problem.of(answer.status, isJson(answer) ? await answer.json() : undefined);
  return answer;
}

function queryText(query: Record<string, unknown> = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value as unknown[]) params.append(key, String(one));
    else if (value !== undefined && value !== null) params.set(key, String(value));
  }
  return params.size ? `?${params.toString()}` : "";
}

export const API = "/api/v1";

/** One part of an address: names may hold anything. */
export const part = encodeURIComponent;

const imageUrl = (dataset: string, kind: "thumbs" | "media", media: string) => `${API}/datasets/${encodeURIComponent(dataset)}/${kind}/${media}`;
/** The thumbnail of a dataset's image, its longer side `size` pixels or the next larger size. */
export const thumbUrl = (dataset: string, media: string, size = 256) => `${imageUrl(dataset, "thumbs", media)}?size=${size}`;
/** The display image of a dataset's image. */
export const mediaUrl = (dataset: string, media: string) => imageUrl(dataset, "media", media);
