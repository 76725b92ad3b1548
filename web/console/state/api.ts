// The one door to the server over HTTP.

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(typeof body.detail === "string" ? body.detail : code);
  }

  /** Milliseconds to wait before trying again, or 0. */
  get retryAfter(): number {
    return typeof this.body.retry_after_ms === "number" ? this.body.retry_after_ms : 0;
  }
}

/** The network or the server was not there: what was asked may be asked again. */
export const UNREACHABLE = "unreachable";

export interface Page<Item> {
  data: Item[];
  next_cursor?: string | null;
}

type Verb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

let onSignedOut = () => {};

/** `act` is called when the server no longer knows who we are. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

export async function call<Answer>(verb: Verb, path: string, body?: unknown): Promise<Answer> {
  const request: RequestInit = { method: verb, headers: { Accept: "application/json" } };
  if (body instanceof Blob) request.body = body;
  else if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { ...request.headers, "Content-Type": "application/json" };
  }
  return understand<Answer>(await reach(path, request), path);
}

/** A file, whole; for what is handed over, not for what is shown. */
export async function callForFile(path: string): Promise<Blob> {
  const response = await reach(path, {});
  if (!response.ok) await understand(response, path);
  return response.blob();
}

async function reach(path: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(`/api/v1${path}`, { credentials: "same-origin", ...request });
  } catch {
    throw new Problem(0, UNREACHABLE);
  }
}

async function understand<Answer>(response: Response, path: string): Promise<Answer> {
  const body = await readBody(response);
  if (response.ok) return body as Answer;
  if (isSignedOut(response, body, path)) onSignedOut();
  const retry = Number(response.headers.get("Retry-After")) * 1000;
  throw new Problem(response.status, codeOf(body, response.status), {
    ...(retry > 0 && { retry_after_ms: retry }),
    ...body,
  });
}

/** A wrong password is a 401 as well, and no reason to leave. */
function isSignedOut({ status }: Response, { code }: Record<string, unknown>, path: string) {
  return status === 401 && path !== "/session" && code !== "wrong_password";
}

async function readBody(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return {};
  }
}

function codeOf(body: Record<string, unknown>, status: number): string {
  if (typeof body.code === "string") return body.code;
  return status >= 500 ? UNREACHABLE : "refused";
}

/** What went wrong, when it is one of ours; a fault of the program goes on its way. */
export function asProblem(fault: unknown): Problem {
  if (fault instanceof Problem) return fault;
  throw fault;
}
