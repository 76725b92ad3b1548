import { Group } from "./Appearance";
import { CopyButton } from "./pieces";
import { tell } from "./tell";

/** The one line that puts Balie on a site, and the chat by link alone. */
export function Snippet({ siteKey }: { siteKey: string }) {
  const { sites } = tell();
  const code = `<script async src="${location.origin}/balie.js" data-site="${siteKey}"></script>`;
  const hosted = `${location.origin}/chat/${siteKey}`;
  return (
    <>
      <Group title={sites.snippet}>
        <div class="snippet">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard */}
          <pre tabIndex={0}>{code}</pre>
          <CopyButton text={code} />
        </div>
        <p class="hint">{sites.snippet_hint}</p>
      </Group>
      <Group title={sites.hosted}>
        <div class="snippet">
          <a href={hosted} target="_blank" rel="noopener">
            {hosted}
          </a>
          <CopyButton text={hosted} />
        </div>
      </Group>
    </>
  );
}
