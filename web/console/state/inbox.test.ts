import { afterEach, expect, it, vi } from "vitest";
import type { Row } from "../../protocol/types";
import {
  findRow,
  forgetRows,
  loadInbox,
  loads,
  reloadInbox,
  sections,
  waitingForOthers,
} from "./inbox";

const row = (id: string, more: Partial<Row>) =>
  ({ id, status: "open", last_seq: 1, started_at: 1, agent: null, ...more }) as Row;

const tom = { id: "tom", name: "Tom" };
const PAGES: Record<string, { data: Row[]; next_cursor?: string }> = {
  mine: { data: [] },
  waiting: { data: [row("c1", { waiting_since: 2 })] },
  team: { data: [row("c2", { agent: tom, waiting_since: 3 }), row("c3", { agent: tom })] },
};

afterEach(() => vi.unstubAllGlobals());

it("knows from the first moment whom colleagues have, and who of them wait", async () => {
  vi.stubGlobal("fetch", async (address: string) => {
    const view = new URL(address, "http://balie.test").searchParams.get("view") as string;
    return Response.json(PAGES[view]);
  });
  await loadInbox();
  expect(sections.value.queue).toEqual(["c1"]);
  expect(sections.value.team).toEqual(["c2", "c3"]);
  expect(waitingForOthers.value).toBe(1);
  expect(loads.team.value.state).toBe("whole");
});

it("reads again what came while the first answer was on its way", async () => {
  const waiting = [row("c4", { waiting_since: 4 })];
  let asked = 0;
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  vi.stubGlobal("fetch", async (address: string) => {
    const view = new URL(address, "http://balie.test").searchParams.get("view");
    const data = view === "waiting" ? [...waiting] : [];
    asked++;
    await answered;
    return Response.json({ data });
  });
  forgetRows();
  const first = loadInbox();
  await vi.waitFor(() => expect(asked).toBe(3));
  waiting.push(row("c5", { waiting_since: 5 }));
  const again = reloadInbox();
  answer();
  await first;
  const states: string[] = [];
  const stop = loads.waiting.subscribe(({ state }) => states.push(state));
  await again;
  stop();
  expect(sections.value.queue).toEqual(["c4", "c5"]);
  expect(new Set(states)).toEqual(new Set(["whole"]));
});

it("takes out of sight what a colleague closed while the connection was away", async () => {
  const lists: Record<string, Row[]> = {
    mine: [],
    waiting: [row("c6", {}), row("c7", {})],
    team: [],
  };
  const single: Record<string, Row> = {};
  vi.stubGlobal("fetch", async (address: string) => {
    const { pathname, searchParams } = new URL(address, "http://balie.test");
    const view = searchParams.get("view");
    if (view) return Response.json({ data: lists[view] });
    const found = single[pathname.split("/").at(-1) as string];
    return found ? Response.json(found) : Response.json({ code: "not_found" }, { status: 404 });
  });
  forgetRows();
  await loadInbox();
  expect(sections.value.queue).toEqual(["c6", "c7"]);
  // One was closed, one is no more.
  lists.waiting = [];
  single.c6 = row("c6", { status: "closed", last_seq: 2 });
  await reloadInbox();
  expect(sections.value.queue).toEqual([]);
  expect(sections.value.closed).toEqual(["c6"]);
  expect(findRow("c7")).toBeUndefined();
});

it("asks for what stands further down only when it is looked for", async () => {
  const many = Array.from({ length: 200 }, (_, index) => row(`d${index}`, { agent: tom }));
  const asked: string[] = [];
  let team = many;
  vi.stubGlobal("fetch", async (address: string) => {
    const { pathname, searchParams } = new URL(address, "http://balie.test");
    if (searchParams.get("view")) {
      const isTeam = searchParams.get("view") === "team";
      return Response.json({ data: isTeam ? team : [], next_cursor: isTeam ? "later" : null });
    }
    asked.push(pathname);
    return Response.json(many[0]);
  });
  forgetRows();
  await loadInbox();
  team = many.slice(0, 50);
  await reloadInbox();
  expect(sections.value.team.length).toBe(50);
  expect(loads.team.value.state).toBe("more");
  expect(asked).toEqual([]);
});
