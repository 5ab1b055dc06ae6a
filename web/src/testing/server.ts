import { expect, vi } from "vitest";
import type { Answer, Method, Path } from "@/api/client";

/** A server at the HTTP boundary: it answers `fetch` with recorded JSON, typed by the API's description. */
type Sent = { method: string; path: string; query: Record<string, string>; body: unknown; accept: string };
type Reply = (sent: Sent) => Response | Promise<Response>;

const replies = new Map<string, Reply>();
const requests: Sent[] = [];
const unanswered: string[] = [];

/** The address that a path has with these names. */
const addressOf = (path: string, names: Record<string, string>) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ""));

const asJson = (value: unknown, status = 200, type = "application/json") =>
  new Response(value === undefined ? null : JSON.stringify(value), { status, headers: value === undefined ? {} : { "content-type": type } });

/** Answer a request with JSON; a function is given the request. */
export function answer<M extends Method, P extends Path<M>>(
  method: M, path: P, names: Record<string, string>, json: Answer<M, P> | ((sent: Sent) => Answer<M, P>),
): void {
  replies.set(`${method} ${addressOf(path, names)}`, (sent) =>
    asJson(typeof json === "function" ? (json as (sent: Sent) => Answer<M, P>)(sent) : json));
}

/** Answer a request with JSON and, where a stream is asked for, with events that the test sends or ends. */
export function answerEvents<P extends Path<"get">>(path: P, names: Record<string, string>, json: Answer<"get", P>) {
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  let now = json;
  const event = () => new TextEncoder().encode(`data: ${JSON.stringify(now)}\n\n`);
  const open = (controller: typeof stream) => {
    stream = controller;
    controller?.enqueue(event());
  };
  replies.set(`get ${addressOf(path, names)}`, ({ accept }) =>
    accept === "text/event-stream"
      ? new Response(new ReadableStream<Uint8Array>({ start: open, cancel: () => void (stream = undefined) }), { headers: { "content-type": accept } })
      : asJson(now));
  return {
    send: (value: Answer<"get", P>) => {
      now = value;
      stream?.enqueue(event());
    },
    end: () => stream?.close(),
    isOpen: () => stream !== undefined,
  };
}

/** Answer a request with bytes. */
export function answerBytes(path: Path<"get">, names: Record<string, string>, bytes: Uint8Array<ArrayBuffer>): void {
  replies.set(`get ${addressOf(path, names)}`, () => new Response(bytes, { headers: { "content-type": "application/octet-stream" } }));
}

export type Refusal = { status: number; code: string; detail: string; where?: string; fix?: string; action?: string; resource?: string };

/** Refuse a request as the server does: problem+json. */
export function refuse<M extends Method>(method: M, path: Path<M>, names: Record<string, string>, refusal: Refusal): void {
  const { status, code, detail, where = "", fix = "", ...question } = refusal;
  const problem = { type: `urn:calotype:error:${code}`, title: code.replaceAll("-", " "), status, code, detail, where, fix, ...question };
  replies.set(`${method} ${addressOf(path, names)}`, () => asJson(problem, status, "application/problem+json"));
}

/** Leave a request without an answer. */
export function keepWaiting<M extends Method>(method: M, path: Path<M>, names: Record<string, string>): void {
  replies.set(`${method} ${addressOf(path, names)}`, () => new Promise(() => {}));
}

/** Answer a request with JSON that the test has later. */
export function answerLater<M extends Method, P extends Path<M>>(method: M, path: P, names: Record<string, string>, json: () => Promise<Answer<M, P>>): void {
  replies.set(`${method} ${addressOf(path, names)}`, async () => asJson(await json()));
}

/** What was asked of a path, oldest first. */
export const sentTo = <M extends Method>(method: M, path: Path<M>, names: Record<string, string>): Sent[] =>
  requests.filter((sent) => sent.method === method && sent.path === addressOf(path, names));

export function resetServer(): void {
  replies.clear();
  requests.length = 0;
  unanswered.length = 0;
  vi.stubGlobal("fetch", async (address: string, init: RequestInit = {}) => {
    const url = new URL(address, "http://server");
    const method = (init.method ?? "GET").toLowerCase();
    const sent = {
      method, path: url.pathname, query: Object.fromEntries(url.searchParams),
      body: typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : undefined,
      accept: new Headers(init.headers).get("accept") ?? "",
    };
    requests.push(sent);
    const reply = replies.get(`${method} ${url.pathname}`);
    if (reply) return reply(sent);
    unanswered.push(`${method} ${url.pathname}`);
    return asJson({ status: 500, code: "unanswered", detail: `no answer for ${method} ${url.pathname}` }, 500);
  });
}

/** Fails a test whose page asked for something that the test did not answer. */
export const expectNothingUnanswered = (): void => expect(unanswered).toEqual([]);
