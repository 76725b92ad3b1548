import { expect, test } from "vitest";
import { isRunnable } from "./runnable";

test.each([
  "a.exe",
  "foto.jpg.EXE",
  "a.exe. ",
  "a.exe::$DATA",
  "x.js",
  "x.lnk",
  "install.msi",
  "a.ps1",
])("%s would run", (name) => {
  expect(isRunnable({ name })).toBe(true);
});

test.each([
  "foto.jpg",
  "exe",
  "bon.pdf",
  "a.exe.txt",
  "page.html",
  "logo.svg",
  "alles.zip",
  "",
  ".",
  "js.docx",
])("%s would not", (name) => {
  expect(isRunnable({ name })).toBe(false);
});
