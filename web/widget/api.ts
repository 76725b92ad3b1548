// Balie over HTTP, as a visitor.

import type { WireEvent } from "../protocol/types";

const ROOT = `${location.origin}/api/v1`;

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code = "",
    /** When to try again, ms. */
    readonly wait = 0,
  ) {
    super(code);
  }
}

export const access = { token: "" };

export async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${access.token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  for (;;) {
    const answer = await fetch(ROOT + path, init);
    if (answer.ok) return answer;
    const { code = "", retry_after_ms = 1_000 } = await problemOf(answer);
    // What is only read can wait.
    if (method !== "GET" || answer.status !== 429) throw new Refused(answer.status, code);
    await new Promise((done) => setTimeout(done, retry_after_ms));
  }
}

export async function page(
  conversation: string,
  query: { after?: number; before?: number },
): Promise<WireEvent[]> {
  const words = new URLSearchParams(
    Object.entries({ ...query, limit: 200 }).map(([name, value]) => [name, `${value}`]),
  );
  const path = `/visitor/conversations/${conversation}/events?${words}`;
  return (await (await ask("GET", path)).json()).data;
}

export interface Upload {
  done: Promise<unknown>;
  stop(): void;
}

/** Send one file; `progress` hears how much of it is there, 0…1. */
export function upload(file: globalThis.File, progress: (part: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("POST", `${ROOT}/files`);
    request.setRequestHeader("Authorization", `Bearer ${access.token}`);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name || "file"));
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    // What is no JSON, such as a proxy's page, is null then.
    request.responseType = "json";
    request.onload = () => {
      const { status, response } = request;
      if (status < 300 && response) resolve(response);
      else reject(new Refused(status, response?.code, response?.retry_after_ms));
    };
    request.onerror = request.onabort = () => reject(new Refused(0));
    request.send(file);
  });
  return { done, stop: () => request.abort() };
}

const problemOf = (answer: Response): Promise<{ code?: string; retry_after_ms?: number }> =>
  answer.json().catch(() => ({}));
