// Files that run when somebody opens them: the server refuses them, and so they need not travel.

import { RUNNABLE_ENDINGS } from "./types";

const ENDINGS = new Set(RUNNABLE_ENDINGS.split(" "));

/** Whether its name says so. The server looks at the first bytes as well (`balie.conversations.runnable`). */
export function isRunnable({ name }: { name: string }): boolean {
  const [, ending] = /\.([^.]*)$/.exec(name.split(":")[0]?.replace(/[. ]+$/, "") ?? "") ?? [];
  return ENDINGS.has((ending ?? "").toLowerCase());
}
