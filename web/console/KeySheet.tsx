import { Key } from "../ui/marks";
import { Dialog } from "../ui/overlays";
import { say, settings } from "./state/me";
import { commandKey } from "./state/platform";
import { keySheet } from "./state/sheets";

export function KeySheet() {
  const { keys, close } = say();
  const groups: [string, [string[], string][]][] = [
    [
      keys.groups.go,
      [
        [[commandKey, "K"], keys.palette],
        [["N"], keys.next],
        [["J"], keys.down],
        [["K"], keys.up],
        [["G", "I"], keys.inbox],
        [["G", "S"], keys.settings],
      ],
    ],
    [
      keys.groups.write,
      [
        [["↵"], keys.send],
        [["⇧", "↵"], keys.line],
        [[commandKey, "↵"], keys.send_next],
        [[commandKey, "⇧", "↵"], keys.send_close],
        [["Esc"], keys.leave],
      ],
    ],
    [
      keys.groups.act,
      [
        [["T"], keys.take],
        [["R"], keys.reply],
        [["M"], keys.note],
        [["O"], keys.hand_over],
        [["L"], keys.label],
        [["E"], keys.close],
        [["V"], keys.visitor],
        [["Z"], keys.undo],
        [["?"], keys.keys],
      ],
    ],
  ];
  return (
    <Dialog title={keys.title} closeWord={close} wide onClose={() => keySheet(false)}>
      <p class="quiet">{settings.value.single_keys ? keys.hint : keys.off}</p>
      <div class="key-groups">
        {groups.map(([title, lines]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {lines.map(([names, text]) => (
                <div key={text}>
                  <dt>
                    {names.map((name) => (
                      <Key key={name}>{name}</Key>
                    ))}
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
