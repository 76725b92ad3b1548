import type { Texts } from "./languages/texts";

export function Panel({ texts }: { texts: Texts }) {
  return (
    <main>
      <h1>{texts.title}</h1>
      <p>Balie</p>
    </main>
  );
}
