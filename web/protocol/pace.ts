// How fast a client sends what may wait: below what the server takes, and slower once it was told so.

/** Milliseconds to a frame in the long run: half of what one connection may send. */
const EVERY = 20;
/** Frames before that counts. */
const AT_ONCE = 100;
/** After so long without a complaint the learned distance between frames is halved. */
const RELAX = 10_000;
const MAX_GAP = 30_000;
/** Where the server names no time. */
const USUAL_WAIT = 1_000;

/** When the next frame may go. All conversations of a client share one. */
export class Pace {
  /** Between two frames, learned from the server's refusals. */
  private gap = 0;
  private next = 0;
  private easedAt = 0;
  /** The moment up to which frames have been spent, each taking EVERY. */
  private spent = 0;

  /** When a frame may go; often in the past. */
  freeAt(): number {
    return Math.max(this.next, this.spent - (AT_ONCE - 1) * EVERY);
  }

  /** May a frame go now? Then it is counted. */
  take(now: number): boolean {
    if (now < this.freeAt()) return false;
    this.ease(now);
    this.spent = Math.max(this.spent, now) + EVERY;
    this.next = now + this.gap;
    return true;
  }

  /** The server has refused a frame: nothing goes for `wait`, and later not faster than that. */
  slowDown(now: number, wait = USUAL_WAIT): void {
    const pause = Math.min(MAX_GAP, wait);
    this.gap = Math.max(this.gap, pause);
    this.next = Math.max(this.next, now + pause);
    this.easedAt = now;
  }

  /** A new connection stands: what was learned counts from here. */
  begin(now: number): void {
    this.easedAt = now;
  }

  private ease(now: number): void {
    while (this.gap && now >= this.easedAt + RELAX) {
      this.easedAt += RELAX;
      this.gap = this.gap > EVERY ? Math.floor(this.gap / 2) : 0;
    }
  }
}
