// All that is not needed before the first word can be typed, as one script.

import { dress } from "./dress";
import { start } from "./live";
import STYLES from "./talk.css?inline";

export { sendFiles } from "./files";
export { post, show, turnTo } from "./live";
export { Talk } from "./parts/Talk";
export { Talks } from "./parts/Talks";

dress(STYLES);
start();
