import "../ui/tokens.css";
import "../ui/base.css";
import "../ui/parts.css";
import "../ui/fields.css";
import "../ui/floats.css";
import "./shell.css";
import { render } from "preact";
import { App } from "./App";

const mark = document.createElement("link");
mark.rel = "icon";
mark.href = "/app/icon.svg";
document.head.append(mark);

render(<App />, document.getElementById("app") ?? document.body);
