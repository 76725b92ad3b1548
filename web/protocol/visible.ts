// Whether a text shows anything: as in balie.kernel.visible, which says why.

const SEEN =
  /[^\p{Cc}\p{Cf}\p{Cs}\p{Mn}\p{Me}\p{Z}\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0-\ufff8\u{e0000}-\u{e0fff}]/u;

export const showsSomething = (text: string): boolean => SEEN.test(text);
