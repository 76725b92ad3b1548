// Which part of a very long thread is drawn, and how it stays where the reader left it.

import type { History } from "../state/history";
import { Entries, type Entry } from "./entries";
import { Heights } from "./heights";

const ESTIMATE = 46;
/** Pixels drawn above and below what is seen. */
const BEYOND = 450;
/** Items by which what is seen may come nearer to the edge of what is drawn before more is drawn. */
const SLACK = 3;
/** Nearer to the end than this counts as being at the end. */
const NEAR = 48;
/** Milliseconds that drawing may take of one frame. */
const BUDGET = 4;
const AT_FIRST = 12;

interface Place {
  /** The item at the top of what is seen, and how far it is scrolled past. */
  index: number;
  past: number;
}

interface Drawn {
  index: number;
  /** undefined: not loaded, or its turn has not come. */
  entry: Entry | null | undefined;
  height: number;
}

export interface Drawing {
  first: number;
  /** One past the last. */
  last: number;
  items: Drawn[];
  /** Pixels of what is not drawn. */
  above: number;
  below: number;
}

export class Viewport {
  atEnd = true;
  private readonly heights: Heights;
  private readonly entries: Entries;
  private place: Place = { index: 0, past: 0 };
  private span: { first: number; last: number };
  private shown = new Set<number>();
  private box: HTMLElement | null = null;
  private observer: ResizeObserver | null = null;
  private readonly observed = new Map<number, Element>();
  private cost = BUDGET / AT_FIRST;
  private started = 0;
  private fresh = 0;
  private frame = 0;

  constructor(
    history: History,
    private readonly redraw: () => void,
  ) {
    this.heights = new Heights(history.last, ESTIMATE);
    this.entries = new Entries((seq) => history.events.get(seq));
    this.span = endSpan(history.last);
  }

  /** What to draw now. New items come a few at a time, so that no frame is held up. */
  draw(count: number): Drawing {
    this.heights.grow(count);
    if (this.atEnd) this.span = endSpan(count);
    const { first, last } = this.span;
    this.started = performance.now();
    const turn = this.takeTurns(first, last);
    const items: Drawn[] = [];
    for (let index = first; index < last; index++)
      items.push({
        index,
        entry: turn.has(index) ? this.entries.at(index + 1) : undefined,
        height: this.heights.height(index),
      });
    this.shown = turn;
    return {
      first,
      last,
      items,
      above: this.heights.top(first),
      below: this.heights.total - this.heights.top(last),
    };
  }

  private takeTurns(first: number, last: number): Set<number> {
    const turn = new Set<number>();
    const waiting: number[] = [];
    for (let index = first; index < last; index++) {
      if (this.shown.has(index)) turn.add(index);
      else if (this.entries.at(index + 1) !== undefined) waiting.push(index);
    }
    const middle = this.atEnd ? last : this.place.index + 6;
    waiting.sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
    const room = Math.max(2, Math.floor(BUDGET / this.cost));
    for (const index of waiting.slice(0, room)) turn.add(index);
    this.fresh = Math.min(room, waiting.length);
    if (waiting.length > room) this.drawMoreSoon();
    return turn;
  }

  private drawMoreSoon(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(this.redraw);
  }

  /** Call when the drawing stands in the document. */
  drawn(list: HTMLElement | null, { items }: Drawing): void {
    const now = new Map<number, Element>();
    items.forEach(({ index }, at) => {
      const element = list?.children[at];
      if (element) now.set(index, element);
    });
    for (const [index, element] of this.observed)
      if (now.get(index) !== element) this.observer?.unobserve(element);
    for (const [index, element] of now)
      if (this.observed.get(index) !== element) this.observer?.observe(element);
    this.observed.clear();
    for (const [index, element] of now) this.observed.set(index, element);
  }

  attach(box: HTMLElement | null, list: HTMLElement | null): () => void {
    this.box = box;
    this.observer = new ResizeObserver((sizes) => this.measured(sizes));
    if (box) this.observer.observe(box);
    if (list) this.observer.observe(list);
    for (const end of box?.querySelectorAll(".pending") ?? []) this.observer.observe(end);
    for (const element of this.observed.values()) this.observer.observe(element);
    return () => {
      cancelAnimationFrame(this.frame);
      this.observer?.disconnect();
      this.observer = null;
      this.box = null;
    };
  }

  private measured(sizes: readonly ResizeObserverEntry[]): void {
    for (const { target, borderBoxSize } of sizes) {
      const { index } = (target as HTMLElement).dataset;
      if (index !== undefined) this.heights.set(Number(index), borderBoxSize[0]?.blockSize ?? 0);
    }
    this.learnCost();
    this.keepPlace();
    this.look();
  }

  /** Smoothed, so that one slow frame does not decide for the next. */
  private learnCost(): void {
    if (!this.fresh) return;
    const cost = (performance.now() - this.started) / this.fresh;
    this.cost = Math.min(BUDGET / 2, Math.max(0.1, (this.cost + cost) / 2));
    this.fresh = 0;
  }

  /** What somebody reads stays where it is, whatever grows above or below it. */
  private keepPlace(): void {
    if (!this.box) return;
    const { scrollHeight, clientHeight, scrollTop } = this.box;
    const wanted = this.atEnd
      ? scrollHeight - clientHeight
      : this.heights.top(this.place.index) + this.place.past;
    if (Math.abs(scrollTop - wanted) > 1) this.box.scrollTop = wanted;
  }

  goToEnd(): void {
    this.atEnd = true;
    this.keepPlace();
    this.redraw();
  }

  scrolled(): void {
    if (!this.box) return;
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const index = this.heights.at(scrollTop);
    this.place = { index, past: scrollTop - this.heights.top(index) };
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    this.look();
  }

  /** Draws elsewhere when what is seen comes too near to the edge of what is drawn. */
  private look(): void {
    if (!this.box || this.atEnd) return;
    const { scrollTop, clientHeight } = this.box;
    const first = this.heights.at(Math.max(0, scrollTop - BEYOND));
    const last = Math.min(
      this.heights.count,
      this.heights.at(scrollTop + clientHeight + BEYOND) + 1,
    );
    const above = first < this.span.first - (first === 0 ? 0 : SLACK);
    const below = last > this.span.last + (last === this.heights.count ? 0 : SLACK);
    if (!above && !below) return;
    this.span = { first, last };
    this.redraw();
  }
}

/** Enough for the highest screen. */
function endSpan(count: number): { first: number; last: number } {
  return { first: Math.max(0, count - 40), last: count };
}
