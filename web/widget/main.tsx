import { render } from "preact";
import { chooseLanguage, loadTexts } from "./languages/choose";
import { Panel } from "./Panel";

const language = chooseLanguage(navigator.languages);
document.documentElement.lang = language;
render(<Panel texts={await loadTexts(language)} />, document.body);
