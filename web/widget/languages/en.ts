import type { Texts } from "./texts";

export const texts: Texts = {
  title: "Customer service",
};
