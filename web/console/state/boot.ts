// What the server writes into the console's page (`ConsoleBoot` in `balie.http.screens`).

interface Boot {
  /** The largest file that the server takes. */
  max_file_bytes: number;
}

export function readBoot(page: Document): Partial<Boot> {
  return JSON.parse(page.getElementById("balie-boot")?.textContent || "{}");
}

/** A page that does not tell leaves it to the server to refuse. */
export const { max_file_bytes: MAX_FILE_BYTES = Number.POSITIVE_INFINITY } = readBoot(document);
