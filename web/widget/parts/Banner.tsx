import { say } from "../boot";
import { cut } from "../state";
import { Icon } from "./Icon";

/** Says that the connection is gone. */
export function Banner() {
  const why = cut.value;
  return (
    <div role="status">
      {why && (
        <p class="banner">
          <Icon name={why === "noChat" ? "alert" : "cut"} />
          <span>
            <b>{say(why)}</b> {say(`${why}Line`)}
          </span>
        </p>
      )}
    </div>
  );
}
