import "../ui/tokens.css";
import "../ui/base.css";
import "../ui/parts.css";
import "./shell.css";
import { render } from "preact";
import { App } from "./App";

render(<App />, document.getElementById("app") ?? document.body);
