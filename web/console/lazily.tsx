import type { ComponentType, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../ui/buttons";
import { say } from "./state/me";

/** A component whose code is fetched when it is first shown. */
export function lazily<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): FunctionComponent<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [, redraw] = useState(0);
    const [failed, setFailed] = useState(false);
    const fetch = () => {
      setFailed(false);
      load().then(
        (component) => {
          loaded = component;
          redraw((count) => count + 1);
        },
        () => setFailed(true),
      );
    };
    useEffect(() => {
      if (!loaded) fetch();
    }, []);
    const Loaded = loaded;
    if (Loaded) return <Loaded {...props} />;
    if (failed) return <Failed again={fetch} />;
    return <div class="loading" role="status" aria-label={say().loading} />;
  };
}

function Failed({ again }: { again: () => void }) {
  return (
    <div class="empty" role="alert">
      <p>{say().crashed}</p>
      <Button onClick={again}>{say().again}</Button>
    </div>
  );
}
