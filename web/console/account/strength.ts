/** How hard a password is to guess, roughly. Length counts most; repeating and obvious words count little. */

export const SHORTEST = 10;

export type Strength = "short" | "weak" | "fair" | "strong";

const OBVIOUS = /wachtwoord|password|welkom|welcome|qwerty|azerty|12345|balie|letmein/i;

export function judgeStrength(password: string): Strength {
  if ([...password].length < SHORTEST) return "short";
  const different = new Set(password.toLowerCase()).size;
  const words = password.trim().split(/[\s\-_.]+/).length;
  let score = [...password].length + Math.min(different, 14) + 2 * words;
  if (OBVIOUS.test(password)) score -= 14;
  if (different < 5) return "weak";
  return score >= 36 ? "strong" : score >= 26 ? "fair" : "weak";
}
