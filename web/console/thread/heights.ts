/** How high each of very many items is, and so where each stands. Items count from 0; pixels. */
export class Heights {
  private heights: Float64Array;
  private sums: Float64Array;

  constructor(
    public count: number,
    private readonly estimate: number,
  ) {
    this.heights = new Float64Array(count).fill(estimate);
    this.sums = sumChunks(this.heights, count);
  }

  grow(count: number): void {
    if (count <= this.count) return;
    if (count > this.heights.length)
      this.enlarge(Math.max(count, Math.ceil(this.heights.length * 1.5)));
    this.count = count;
    this.sums = sumChunks(this.heights, count);
  }

  /** True when it changed. */
  set(index: number, height: number): boolean {
    const before = this.heights[index] ?? 0;
    if (Math.abs(before - height) < 0.5) return false;
    this.heights[index] = height;
    const chunk = index >> SHIFT;
    this.sums[chunk] = (this.sums[chunk] ?? 0) + height - before;
    return true;
  }

  height(index: number): number {
    return this.heights[index] ?? this.estimate;
  }

  /** The top of an item; of `count`, the height of all. */
  top(index: number): number {
    const end = Math.min(index, this.count);
    const chunk = end >> SHIFT;
    let top = 0;
    for (let one = 0; one < chunk; one++) top += this.sums[one] ?? 0;
    for (let one = chunk << SHIFT; one < end; one++) top += this.heights[one] ?? 0;
    return top;
  }

  get total(): number {
    return this.top(this.count);
  }

  /** The item that stands at this height, between the first and the last. */
  at(height: number): number {
    let [chunk, rest] = [0, height];
    const chunks = Math.ceil(this.count / SIZE);
    while (chunk < chunks - 1 && rest >= (this.sums[chunk] ?? 0)) rest -= this.sums[chunk++] ?? 0;
    let index = chunk << SHIFT;
    while (index < this.count - 1 && rest >= (this.heights[index] ?? 0))
      rest -= this.heights[index++] ?? 0;
    return index;
  }

  private enlarge(room: number): void {
    const { heights } = this;
    this.heights = new Float64Array(room).fill(this.estimate);
    this.heights.set(heights);
  }
}

const SHIFT = 8;
const SIZE = 1 << SHIFT;

function sumChunks(heights: Float64Array, count: number): Float64Array {
  const sums = new Float64Array(Math.ceil(heights.length / SIZE) + 1);
  for (let index = 0; index < count; index++) {
    const chunk = index >> SHIFT;
    sums[chunk] = (sums[chunk] ?? 0) + (heights[index] ?? 0);
  }
  return sums;
}
