// One browser is one visitor: the first of its tabs that keeps its visitor makes him, every other takes that one.

export interface Known {
  id: string;
  token: string;
}

/** Where the visitor is kept, for all tabs. */
export interface Shelf {
  get(): Known | undefined;
  set(known: Known): void;
}

/** What one process wrote, another may see later than it can have a lock. */
const LATE = 5_000;
const POLL = 50;

let goBack: (() => void) | undefined;

/** Whom this tab, which would be `own`, goes on as. Without locks: whoever is kept by now. */
export async function agree(root: string, own: Known, shelf: Shelf): Promise<Known> {
  let chosen = own;
  const choose = () => {
    const other = shelf.get();
    if (other?.id && other.id !== own.id) chosen = other;
    shelf.set(chosen);
  };
  try {
    await navigator.locks.request(`${root}visitor`, async () => {
      await untilSeen(root, own, shelf);
      choose();
      await comeForward(root);
    });
  } catch {
    choose();
  }
  return chosen;
}

/** When another tab has made a visitor, wait until this one can read who it is. */
async function untilSeen(root: string, own: Known, shelf: Shelf): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  if (!held.some(({ name }) => name === somebody(root))) return;
  const isSeen = () => shelf.get()?.id && shelf.get()?.id !== own.id;
  for (let waited = 0; !isSeen() && waited < LATE; waited += POLL)
    await new Promise((done) => setTimeout(done, POLL));
}

/** From now on, as long as this tab lives, others can tell that there is a visitor. */
export async function comeForward(root: string): Promise<void> {
  if (goBack) return;
  await new Promise<void>((done, fail) => {
    const hold = () => {
      done();
      return new Promise<void>((back) => {
        goBack = back;
      });
    };
    navigator.locks.request(somebody(root), { mode: "shared" }, hold).catch(fail);
  });
}

/** There is none any more. */
export function stepBack(): void {
  goBack?.();
  goBack = undefined;
}

const somebody = (root: string) => `${root}somebody`;
