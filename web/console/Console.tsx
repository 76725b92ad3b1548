export function Console() {
  return (
    <main>
      <h1>Balie</h1>
    </main>
  );
}
