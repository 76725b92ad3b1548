import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Row } from "../../protocol/types";
import { Button } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { Strip } from "../../ui/marks";
import type { History } from "../state/history";
import { say } from "../state/me";
import { nameOf } from "../state/people";
import { Announcer } from "./Announcer";
import { describe } from "./entries";
import { Heights } from "./heights";
import { Item } from "./Item";
import { Pending } from "./Pending";
import { TypingLine } from "./TypingLine";

const ESTIMATE = 46;
/** Pixels drawn above and below what is seen. */
const BEYOND = 600;
/** Nearer to the end than this counts as being at the end. */
const NEAR = 48;

interface Place {
  /** The item at the top of what is seen, and how far it is scrolled past. */
  index: number;
  past: number;
  atEnd: boolean;
}

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
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const heights = useMemo(() => new Heights(history.last, ESTIMATE), [history]);
  const place = useRef<Place>({ index: 0, past: 0, atEnd: true });
  const [span, setSpan] = useState(() => endSpan(history.last));
  const [away, setAway] = useState<number | null>(null);

  history.version.value;
  heights.grow(history.last);
  const shown = place.current.atEnd ? endSpan(history.last, span) : span;

  useEffect(() => {
    place.current = { index: 0, past: 0, atEnd: true };
    setSpan(endSpan(history.last));
    setAway(null);
    onEnd(true);
  }, [history]);

  useEffect(() => history.want(shown.first + 1, shown.last), [history, shown.first, shown.last]);

  useLayoutEffect(() => {
    measure(list.current, heights);
    keepPlace(box.current, heights, place.current);
    const wanted = spanOf(box.current, heights);
    if (reachesOut(wanted, shown)) setSpan(wanted);
  });

  useEffect(() => {
    if (endWish) toEnd();
  }, [endWish]);

  useWidth(box, () => {
    heights.forget();
    keepPlace(box.current, heights, place.current);
  });

  function toEnd() {
    place.current.atEnd = true;
    setSpan(endSpan(history.last));
    setAway(null);
    onEnd(true);
  }

  function scrolled() {
    const element = box.current;
    if (!element) return;
    const was = place.current.atEnd;
    place.current = placeOf(element, heights);
    const wanted = spanOf(element, heights);
    if (reachesOut(wanted, span)) setSpan(wanted);
    if (was === place.current.atEnd) return;
    setAway(place.current.atEnd ? null : history.last);
    onEnd(place.current.atEnd);
  }

  const { thread, again } = say();
  return (
    <div class="thread-box">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section ref={box} class="thread" aria-label={thread.label(nameOf(row))} tabIndex={0} onScroll={scrolled}>
        <div style={{ height: `${heights.top(shown.first)}px` }} />
        <div ref={list} class="entries">
          {range(shown).map((index) => (
            <Item
              key={index + 1}
              index={index}
              entry={describe(index + 1, (seq) => history.events.get(seq))}
              row={row}
            />
          ))}
        </div>
        <div style={{ height: `${heights.total - heights.top(shown.last)}px` }} />
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

function ToEnd({ fresh, onClick }: { fresh: number; onClick: () => void }) {
  const { thread } = say();
  return (
    <Button class="to-end" size="small" onClick={onClick}>
      <Icon name="arrow-down" size="small" />
      {fresh > 0 ? thread.new_below(fresh) : thread.to_end}
    </Button>
  );
}

interface Span {
  first: number;
  /** One past the last. */
  last: number;
}

function endSpan(count: number, like?: Span): Span {
  const length = Math.max(40, like ? like.last - like.first : 0);
  return { first: Math.max(0, count - Math.min(length, 80)), last: count };
}

function range({ first, last }: Span): number[] {
  return Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset);
}

function spanOf(element: HTMLElement | null, heights: Heights): Span {
  if (!element || !heights.count) return { first: 0, last: 0 };
  const { scrollTop, clientHeight } = element;
  return {
    first: heights.at(Math.max(0, scrollTop - BEYOND)),
    last: heights.at(scrollTop + clientHeight + BEYOND) + 1,
  };
}

/** A drawn span is good until what is seen comes within half its margin. */
function reachesOut(wanted: Span, drawn: Span): boolean {
  const slack = 4;
  const above = wanted.first < drawn.first - (drawn.first === 0 ? 0 : slack);
  const below = wanted.last > drawn.last + slack;
  const wasteful = drawn.last - drawn.first > 2 * (wanted.last - wanted.first) + 60;
  return above || below || wasteful;
}

function placeOf(element: HTMLElement, heights: Heights): Place {
  const { scrollTop, scrollHeight, clientHeight } = element;
  const index = heights.at(scrollTop);
  return {
    index,
    past: scrollTop - heights.top(index),
    atEnd: scrollHeight - scrollTop - clientHeight < NEAR,
  };
}

function measure(list: HTMLElement | null, heights: Heights): void {
  for (const child of list?.children ?? []) {
    const { index } = (child as HTMLElement).dataset;
    if (index) heights.set(Number(index), child.getBoundingClientRect().height);
  }
}

/** What somebody reads stays where it is, whatever grows above or below it. */
function keepPlace(element: HTMLElement | null, heights: Heights, place: Place): void {
  if (!element) return;
  const wanted = place.atEnd
    ? element.scrollHeight - element.clientHeight
    : heights.top(place.index) + place.past;
  if (Math.abs(element.scrollTop - wanted) > 1) element.scrollTop = wanted;
}

function useWidth(box: { current: HTMLElement | null }, act: () => void): void {
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(act);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
}
