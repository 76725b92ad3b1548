import { useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../ui/buttons";
import { Face } from "../../ui/Face";
import { Icon, type IconName } from "../../ui/icons";
import { sayDate } from "../../ui/intl";
import { Tag } from "../../ui/marks";
import { Dialog, Menu } from "../../ui/overlays";
import { call } from "../state/api";
import { colleagues } from "../state/link";
import { language, me, say } from "../state/me";
import type { Invited, Person, RoleName } from "./people";
import { Fault, PicturePicker } from "./pieces";
import { explain, tell } from "./tell";

interface PersonRowProps {
  person: Person;
  onChange: (person: Person) => void;
  onInvited: (invited: Invited) => void;
}

export function PersonRow({ person, onChange, onInvited }: PersonRowProps) {
  const { people, languages } = tell();
  const [fault, setFault] = useState<string | null>(null);
  const [naming, setNaming] = useState(false);
  const own = person.id === me.value?.agent.id;
  const state = colleagues.value.find((one) => one.id === person.id)?.state ?? person.state;

  async function change(wish: Partial<Person>) {
    setFault(null);
    try {
      onChange(await call<Person>("PATCH", `/agents/${person.id}`, wish));
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  async function invite() {
    setFault(null);
    try {
      onInvited(await call<Invited>("POST", `/agents/${person.id}/invitation`));
    } catch (problem) {
      setFault(explain(problem));
    }
  }
  return (
    <tr class={person.disabled ? "disabled" : ""}>
      <td>
        <div class="person">
          <Face
            name={person.name}
            picture={person.picture}
            presence={person.active ? state : undefined}
          />
          <div class="grow">
            {naming ? (
              <NameField
                person={person}
                onName={(name) => {
                  setNaming(false);
                  if (name && name !== person.name) change({ name });
                }}
              />
            ) : (
              <b>
                {person.name} {own && <Tag>{people.own}</Tag>}
              </b>
            )}
            <p class="quiet">{person.email}</p>
            <Fault text={fault} />
          </div>
        </div>
      </td>
      <td data-label={people.role}>
        <select
          class="input plain"
          aria-label={`${people.role}: ${person.name}`}
          disabled={own}
          value={person.role}
          onChange={(event) => change({ role: event.currentTarget.value as RoleName })}
        >
          {(["agent", "admin", "owner"] as const).map((role) => (
            <option key={role} value={role}>
              {people.roles[role]}
            </option>
          ))}
        </select>
      </td>
      <td data-label={tell().language}>{languages[person.language]}</td>
      <td data-label={people.now}>
        <StateOf person={{ ...person, state }} />
      </td>
      <td class="acts">
        <PersonMenu
          person={person}
          own={own}
          change={change}
          invite={invite}
          rename={() => setNaming(true)}
          onFault={setFault}
          onPicture={(picture) => onChange({ ...person, picture })}
        />
      </td>
    </tr>
  );
}

function NameField({ person, onName }: { person: Person; onName: (name: string) => void }) {
  return (
    <input
      ref={(input) => input?.focus()}
      class="input"
      aria-label={tell().people.name}
      defaultValue={person.name}
      maxLength={80}
      onBlur={(event) => onName(event.currentTarget.value.trim())}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") onName("");
      }}
    />
  );
}

function StateOf({ person }: { person: Person }) {
  const { people } = tell();
  const until =
    person.invitation && sayDate(person.invitation.expires_at, Date.now(), language.value);
  if (person.disabled) return <Tag>{people.disabled}</Tag>;
  if (!person.active) return <>{until ? people.invited(until) : people.expired}</>;
  return <>{until ? people.reset_out(until) : people.states[person.state]}</>;
}

interface PersonMenuProps {
  person: Person;
  own: boolean;
  change: (wish: Partial<Person>) => void;
  invite: () => void;
  rename: () => void;
  onFault: (text: string) => void;
  onPicture: (path: string) => void;
}

function PersonMenu(props: PersonMenuProps) {
  const { person, own, change, invite, rename, onFault, onPicture } = props;
  const { people } = tell();
  const [open, setOpen] = useState(false);
  const [asking, ask] = useState(false);
  const button = useRef<HTMLSpanElement>(null);
  const close = () => setOpen(false);
  const act = (doIt: () => void) => () => {
    close();
    doIt();
  };
  return (
    <span ref={button}>
      <IconButton
        icon="more"
        label={people.acts(person.name)}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(true)}
      />
      {open && (
        <Menu
          label={people.acts(person.name)}
          anchor={() => button.current?.querySelector("button") ?? null}
          onClose={close}
        >
          {!person.disabled && (
            <Item
              icon="key"
              text={person.active ? people.reset_link : people.new_link}
              act={act(invite)}
            />
          )}
          <Item icon="profile" text={people.edit} act={act(rename)} />
          <PicturePicker
            agent={person.id}
            word={people.picture}
            onFault={onFault}
            onPicture={(picture) => {
              close();
              onPicture(picture);
            }}
          />
          {!own && <hr />}
          {!own &&
            (person.disabled ? (
              <Item icon="undo" text={people.enable} act={act(() => change({ disabled: false }))} />
            ) : (
              <Item icon="close" text={people.disable} act={act(() => ask(true))} />
            ))}
        </Menu>
      )}
      {asking && (
        <Dialog
          title={people.disable_title(person.name)}
          closeWord={say().close}
          onClose={() => ask(false)}
        >
          <p>{people.disable_lead}</p>
          <div class="actions">
            <Button
              kind="grave"
              onClick={() => {
                ask(false);
                change({ disabled: true });
              }}
            >
              {people.disable}
            </Button>
            <Button kind="plain" onClick={() => ask(false)}>
              {say().cancel}
            </Button>
          </div>
        </Dialog>
      )}
    </span>
  );
}

function Item({ icon, text, act }: { icon: IconName; text: string; act: () => void }) {
  return (
    <button type="button" role="menuitem" class="item" onClick={act}>
      <Icon name={icon} />
      {text}
    </button>
  );
}
