// Two soft notes, made on the spot: no file to fetch. Browsers allow it once somebody has typed or clicked here.

let context: AudioContext | undefined;

export function beep(): void {
  context ??= new AudioContext();
  const { currentTime } = context;
  for (const [delay, pitch] of [
    [0, 659],
    [0.12, 880],
  ] as const) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const from = currentTime + delay;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.001, from);
    volume.gain.exponentialRampToValueAtTime(0.08, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.35);
    tone.connect(volume).connect(context.destination);
    tone.start(from);
    tone.stop(from + 0.4);
  }
}
