import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { Button } from "../ui/buttons";
import { SignIn } from "./account/SignIn";
import { lazily } from "./lazily";
import { asProblem } from "./state/api";
import { me, recognise, say, words } from "./state/me";
import { type Route, route } from "./state/route";

const Invitation = lazily(() => import("./account/Invitation").then((module) => module.Invitation));
const Desk = lazily(() => import("./Desk").then((module) => module.Desk));

export function App() {
  const [crash, recover] = useErrorBoundary((fault) => console.error(fault));
  if (!words.value) return null;
  if (crash) return <Crash recover={recover} />;
  return <Screen route={route.value} />;
}

function Screen({ route: here }: { route: Route }) {
  if (here.at === "invitation") return <Invitation token={here.token} />;
  return <Recognised />;
}

function Recognised() {
  const [unreachable, setUnreachable] = useState(false);
  const ask = () => {
    setUnreachable(false);
    recognise().catch((fault) => {
      asProblem(fault);
      setUnreachable(true);
    });
  };
  useEffect(() => {
    if (me.value === undefined) ask();
  }, []);
  if (unreachable) return <Unreachable again={ask} />;
  if (me.value === undefined)
    return <div class="loading" role="status" aria-label={say().loading} />;
  return me.value ? <Desk /> : <SignIn />;
}

function Unreachable({ again }: { again: () => void }) {
  return (
    <main class="empty alone">
      <h1>{say().sign_in.offline}</h1>
      <Button kind="primary" onClick={again}>
        {say().again}
      </Button>
    </main>
  );
}

function Crash({ recover }: { recover: () => void }) {
  return (
    <main class="empty alone">
      <h1>{say().crashed}</h1>
      <Button kind="primary" onClick={recover}>
        {say().again}
      </Button>
    </main>
  );
}
