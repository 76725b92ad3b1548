// What the button says by itself; a site may give it another label. The panel brings its own texts.

/** For somebody who is there, and for when nobody is. */
export function textsOf(language: string): [string, string] {
  return language.startsWith("nl")
    ? ["Chat met ", "Stuur een bericht"]
    : ["Chat with ", "Send a message"];
}
