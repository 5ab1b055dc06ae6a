/** An error of the server (RFC 9457): what went wrong, where, and how to fix it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly where: string,
    readonly fix: string,
  ) {
    super(detail);
    this.name = "Problem";
  }

  static of(status: number, body: unknown): Problem {
    const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const text = (key: string) => (typeof fields[key] === "string" ? (fields[key] as string) : "");
    return new Problem(
      status,
      text("code") || `http-${status}`,
      text("detail") || text("title") || `the server answered ${status}`,
      text("where"),
      text("fix"),
    );
  }
}

/** The server cannot be reached at all. */
export function unreachable(): Problem {
  return new Problem(0, "unreachable", "cannot reach the server", "", "check that `calotype serve` is running, then reload the page");
}

type Value = string | number | boolean | undefined | null;

/** Query text of the values that are set, in a stable order. */
export function queryText(values: Record<string, Value>): string {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") asked.set(key, String(value));
  }
  const text = asked.toString();
  return text ? `?${text}` : "";
}

export const API = "/api/v1";

/** Ask the server; throws Problem. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(API + path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (answer.status === 204) return undefined as T;
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const body: unknown = isJson ? await answer.json() : await answer.text();
  if (!answer.ok) throw Problem.of(answer.status, body);
  return body as T;
}

/** Send JSON to the server. */
export function send<T>(path: string, body: unknown = {}, method = "POST"): Promise<T> {
  return ask<T>(path, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

/** One part of an address: names may hold anything. */
export const part = encodeURIComponent;

export const thumbUrl = (sha256: string, size = 256) => `${API}/thumbs/${sha256}?size=${size}`;
export const mediaUrl = (sha256: string) => `${API}/media/${sha256}`;
