// Every text that a visitor reads in the panel. A language is a file beside this one.
export interface Texts {
  title: string;
}
