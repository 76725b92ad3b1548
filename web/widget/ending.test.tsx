import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeAll, beforeEach, expect, test, vi } from "vitest";

let ending: typeof import("./ending");
let state: typeof import("./state");
let size: typeof import("./format").size;
let resized: () => void;

beforeAll(async () => {
  document.head.innerHTML = `<script type="application/json" id="balie-boot">${JSON.stringify({
    language: "nl",
    words: {},
    state: { key: "k", name: "Kade 9", texts: {}, desk: { state: "away", agents: [] } },
  })}</script>`;
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(changed: () => void) {
        resized = changed;
      }
      observe() {}
      disconnect() {}
    },
  );
  ending = await import("./ending");
  state = await import("./state");
  size = (await import("./format")).size;
});

/** A paper of this height in a window of 100 px, scrolled to its end. */
function paper(height: number) {
  const place = document.createElement("div");
  const box = { scrollHeight: height, clientHeight: 100, scrollTop: height - 100 };
  for (const name of Object.keys(box) as (keyof typeof box)[])
    Object.defineProperty(place, name, {
      get: () => box[name],
      set: (value: number) => {
        box[name] = Math.min(value, box.scrollHeight - box.clientHeight);
      },
    });
  ending.stayAtEnd(place, document.createElement("div"));
  const scrolled = () => place.dispatchEvent(new Event("scroll"));
  return { box, scrolled };
}

beforeEach(() => {
  state.atEnd.value = true;
});

test("what grows between a scroll and its event does not leave the end out of sight", () => {
  const { box, scrolled } = paper(500);
  box.scrollHeight = 700;
  scrolled();
  resized();
  expect(box.scrollTop).toBe(600);
});

test("a composer that empties takes nobody away from the end", () => {
  const { box, scrolled } = paper(500);
  box.clientHeight = 300;
  box.scrollTop = 200;
  box.scrollHeight = 900;
  scrolled();
  resized();
  expect(box.scrollTop).toBe(600);
});

test("who reads above is left there, until he comes back to the end", () => {
  const { box, scrolled } = paper(500);
  box.scrollTop = 200;
  scrolled();
  box.scrollHeight = 600;
  resized();
  expect(box.scrollTop).toBe(200);
  box.scrollTop = 480;
  scrolled();
  box.scrollHeight = 700;
  resized();
  expect(box.scrollTop).toBe(600);
});

test("what fails comes into view, and only then", async () => {
  const seen = vi.spyOn(Element.prototype, "scrollIntoView").mockImplementation(() => {});
  const Card = ({ failed }: { failed: boolean }) => <div ref={ending.useInView(failed)} />;
  await act(() => render(<Card failed={false} />, document.body));
  expect(seen).not.toHaveBeenCalled();
  await act(() => render(<Card failed />, document.body));
  expect(seen).toHaveBeenCalledExactlyOnceWith({ block: "nearest" });
});

test("a size never breaks between its number and its unit", () => {
  expect(size(10_000_000)).toBe("10\u00a0MB");
  expect(size(68)).toBe("1\u00a0kB");
});
