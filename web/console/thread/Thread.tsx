import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Button } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { Strip } from "../../ui/marks";
import type { History } from "../state/history";
import { say } from "../state/me";
import { nameOf } from "../state/people";
import { Announcer } from "./Announcer";
import { Item, Unloaded } from "./Item";
import { Pending } from "./Pending";
import { TypingLine } from "./TypingLine";
import { Viewport } from "./viewport";

interface ThreadProps {
  row: Row;
  history: History;
  /** The thread's end is in sight, or no longer. */
  onEnd: (atEnd: boolean) => void;
  /** Changes when somebody asks to see the end. */
  endWish: number;
}

/** Only what is in sight is drawn; the rest is empty height. Numbers have no holes, so every place is known. */
export function Thread({ row, history, onEnd, endWish }: ThreadProps) {
  const box = useRef<HTMLElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [, redraw] = useState(0);
  const [away, setAway] = useState<number | null>(null);
  const view = useViewport(history, () => redraw((count) => count + 1));

  history.version.value;
  const drawing = view.draw(history.last);

  useEffect(
    () => history.want(drawing.first + 1, drawing.last),
    [history, drawing.first, drawing.last],
  );
  useEffect(() => view.attach(box.current, list.current), [view]);
  useLayoutEffect(() => view.drawn(list.current, drawing));
  useEffect(() => {
    if (endWish) toEnd();
  }, [endWish]);

  function toEnd() {
    view.goToEnd();
    setAway(null);
    onEnd(true);
  }

  function scrolled() {
    const was = view.atEnd;
    view.scrolled();
    if (was === view.atEnd) return;
    setAway(view.atEnd ? null : history.last);
    onEnd(view.atEnd);
  }

  const { thread, again } = say();
  return (
    <div class="thread-box">
      <section
        ref={box}
        class="thread"
        aria-label={thread.label(nameOf(row))}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={scrolled}
      >
        <div style={{ height: `${drawing.above}px` }} />
        <div ref={list} class="entries">
          {drawing.items.map(({ index, entry, height }) =>
            entry === undefined ? (
              <Unloaded key={index} index={index} height={height} />
            ) : (
              <Item key={index} index={index} entry={entry} row={row} />
            ),
          )}
        </div>
        <div style={{ height: `${drawing.below}px` }} />
        <Pending conversation={row.id} />
        <TypingLine row={row} />
      </section>
      {history.failed.value && (
        <Strip tone="late" icon="alert" role="alert">
          <span class="grow">{thread.load_failed}</span>
          <Button size="small" onClick={() => history.retry()}>
            {again}
          </Button>
        </Strip>
      )}
      {away !== null && <ToEnd fresh={history.last - away} onClick={toEnd} />}
      <Announcer row={row} />
    </div>
  );
}

function useViewport(history: History, redraw: () => void): Viewport {
  const kept = useRef<{ history: History; view: Viewport } | null>(null);
  if (kept.current?.history !== history)
    kept.current = { history, view: new Viewport(history, redraw) };
  return kept.current.view;
}

function ToEnd({ fresh, onClick }: { fresh: number; onClick: () => void }) {
  const { thread } = say();
  return (
    <Button class="to-end" size="small" onClick={onClick}>
      <Icon name="arrow-down" size="small" />
      {fresh > 0 ? thread.new_below(fresh) : thread.to_end}
    </Button>
  );
}
