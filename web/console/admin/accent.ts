// The same correction as the server's, so that the preview shows what will stand on the site. OKLab by Björn
// Ottosson, 2020; contrast as in WCAG 2.2. Pure.

type Triple = [number, number, number];

const READABLE = 4.5;
/** The least light and the least dark surface on which the accent itself is text. */
const LIGHT = "#f3f1ee";
const DARK = "#282b32";
const INKS = ["#ffffff", "#101218"] as const;

export interface Accent {
  colour: string;
  ink: string;
  corrected: boolean;
  /** Of the colour and its ink. */
  ratio: number;
  /** In the dark. */
  dark: string;
  darkInk: string;
}

export function isColour(text: string): boolean {
  return /^#[0-9a-f]{6}$/i.test(text);
}

/** Darker or lighter only as far as it must be; the hue stays. */
export function correctAccent(asked: string): Accent {
  const colour = moved(asked.toLowerCase(), LIGHT, 0);
  const dark = moved(asked.toLowerCase(), DARK, 1);
  const ink = inkOn(colour);
  return {
    colour,
    ink,
    corrected: colour !== asked.toLowerCase(),
    ratio: contrast(ink, colour),
    dark,
    darkInk: inkOn(dark),
  };
}

function inkOn(colour: string): string {
  const [white, black] = INKS.map((ink) => contrast(ink, colour)) as [number, number];
  return white >= black ? INKS[0] : INKS[1];
}

/** In lightness towards black (0) or white (1) until it is readable on `surface`. */
function moved(colour: string, surface: string, towards: number): string {
  if (contrast(colour, surface) >= READABLE) return colour;
  const start = oklab(linearOf(colour))[0];
  for (let step = 1; step <= 100; step++) {
    const other = withLightness(colour, start + ((towards - start) * step) / 100);
    if (contrast(other, surface) >= READABLE) return other;
  }
  return towards ? "#ffffff" : "#000000";
}

export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = linearOf(colour);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function withLightness(colour: string, wanted: number): string {
  const [, a, b] = oklab(linearOf(colour));
  if (fits(linear([wanted, a, b]))) return hexOf(linear([wanted, a, b]));
  let [low, high] = [0, 1];
  for (let round = 0; round < 20; round++) {
    const share = (low + high) / 2;
    if (fits(linear([wanted, a * share, b * share]))) low = share;
    else high = share;
  }
  return hexOf(linear([wanted, a * low, b * low]));
}

function linearOf(colour: string): Triple {
  return [1, 3, 5].map((place) =>
    expand(Number.parseInt(colour.slice(place, place + 2), 16) / 255),
  ) as Triple;
}

function expand(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function compress(value: number): number {
  const kept = Math.min(1, Math.max(0, value));
  return kept <= 0.0031308 ? kept * 12.92 : 1.055 * kept ** (1 / 2.4) - 0.055;
}

function hexOf(triple: Triple): string {
  const digits = triple.map((value) =>
    Math.round(compress(value) * 255)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${digits.join("")}`;
}

function fits(triple: Triple): boolean {
  return triple.every((value) => value >= -0.0001 && value <= 1.0001);
}

function oklab([red, green, blue]: Triple): Triple {
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

function linear([light, a, b]: Triple): Triple {
  const long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}
