import type { ComponentChildren } from "preact";
import { Mark } from "../../ui/icons";
import { chooseLanguage, language } from "../state/me";

const OTHER = {
  nl: { tag: "en", word: "English" },
  en: { tag: "nl", word: "Nederlands" },
} as const;

/** The quiet sheet on which somebody says who he is. */
export function Frame({ children }: { children: ComponentChildren }) {
  const other = OTHER[language.value];
  return (
    <main class="account">
      <div class="sheet">
        <span class="mark-box">
          <Mark size={32} />
        </span>
        {children}
        <footer>
          <button
            type="button"
            class="link"
            lang={other.tag}
            onClick={() => chooseLanguage(other.tag)}
          >
            {other.word}
          </button>
          <span class="quiet">{location.host}</span>
        </footer>
      </div>
    </main>
  );
}
