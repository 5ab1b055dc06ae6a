import { afterEach, expect, test, vi } from "vitest";
import { call, Problem } from "@/api/client";

const served = (response: Response | Error) => {
  const fetched = vi.fn<typeof fetch>(() => (response instanceof Error ? Promise.reject(response) : Promise.resolve(response.clone())));
  vi.stubGlobal("fetch", fetched);
  return fetched;
};

afterEach(() => vi.unstubAllGlobals());

test("names are encoded, set parameters are sent, bodies are JSON", async () => {
  const fetched = served(new Response('{"items":[]}', { headers: { "content-type": "application/json" } }));
  await call("get", "/api/v1/datasets/{dataset}/log", { path: { dataset: "a/b c" }, query: { ref: undefined, limit: 5 } });
  expect(fetched.mock.calls[0]?.[0]).toBe("/api/v1/datasets/a%2Fb%20c/log?limit=5");
  await call("post", "/api/v1/datasets/{dataset}/commits", { path: { dataset: "d" }, body: { message: "m" } });
  expect(fetched.mock.calls[1]?.[1]).toMatchObject({ method: "POST", body: '{"message":"m"}', credentials: "same-origin" });
});

test("an answer without a body is undefined", async () => {
  served(new Response(null, { status: 204 }));
  expect(await call("post", "/api/v1/session", { body: { token: "t" } })).toBeUndefined();
});

test("a problem keeps what, where, fix and code", async () => {
  const problem = { code: "not-allowed", detail: "no", where: "streets", fix: "ask" };
  served(new Response(JSON.stringify(problem), { status: 403, headers: { "content-type": "application/problem+json" } }));
  await expect(call("get", "/api/v1/datasets")).rejects.toMatchObject({ status: 403, ...problem });
});

test("an answer that is not JSON, and no answer at all", async () => {
  served(new Response("<h1>bad gateway</h1>", { status: 502, headers: { "content-type": "text/html" } }));
  await expect(call("get", "/api/v1/datasets")).rejects.toMatchObject({ status: 502, code: "http-502", detail: "the server answered 502" });
  served(new TypeError("failed to fetch"));
  await expect(call("get", "/api/v1/datasets")).rejects.toBeInstanceOf(Problem);
  await expect(call("get", "/api/v1/datasets")).rejects.toMatchObject({ code: "unreachable" });
});

test("an aborted call stays an abort", async () => {
  served(new DOMException("stopped", "AbortError"));
  await expect(call("get", "/api/v1/datasets")).rejects.toMatchObject({ name: "AbortError" });
});
