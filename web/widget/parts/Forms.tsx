// The two small forms in a conversation: how to reach you, and how it was.

import { useSignal } from "@preact/signals";
import { say, site } from "../boot";
import { scoreNames } from "../format";
import { identify } from "../identity";
import { rate } from "../live";
import { asking, me, rating, skipped, standing } from "../state";
import { Icon, type IconName } from "./Icon";

const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/;

export function ContactForm() {
  const bad = useSignal("");
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const name = `${form.get("name") ?? ""}`.trim();
    const email = `${form.get("email") ?? ""}`.trim();
    bad.value = ADDRESS.test(email) ? "" : say("emailBad");
    if (bad.value) return;
    try {
      await identify({ email, ...(name && { name }) });
      asking.value = "never";
    } catch {
      bad.value = say("notSaved");
    }
  };
  return (
    <form class="card" onSubmit={save} noValidate>
      <label class="field">
        <span class="field-label">
          {say("name")} <small>{say("optional")}</small>
        </span>
        <input class="input" name="name" autocomplete="name" defaultValue={me.value?.name ?? ""} />
      </label>
      <label class="field">
        <span class="field-label">{say("email")}</span>
        <input
          class="input"
          name="email"
          type="email"
          inputMode="email"
          autocomplete="email"
          defaultValue={me.value?.email ?? ""}
          aria-invalid={!!bad.value}
          aria-describedby="email-note"
        />
      </label>
      {bad.value ? (
        <p class="error" id="email-note" role="alert">
          <Icon name="alert" small />
          {bad.value}
        </p>
      ) : (
        <p class="hint" id="email-note">
          {say("emailWhy")}
        </p>
      )}
      <div class="foot">
        <button
          type="button"
          class="text-button"
          onClick={() => {
            asking.value = "never";
          }}
        >
          {say("rather")}
        </button>
        <button type="submit" class="button">
          {say("save")}
        </button>
      </div>
    </form>
  );
}

export function RatingForm({ conversation }: { conversation: string }) {
  const score = useSignal(0);
  const comment = useSignal("");
  const bad = useSignal(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!score.value) return;
    try {
      await rate(conversation, score.value, comment.value.trim());
      skipped.value = conversation;
    } catch {
      bad.value = true;
    }
  };
  return (
    <form class="rating" onSubmit={send}>
      <fieldset class="scale">
        <legend>{say("rate")}</legend>
        {scoreNames().map((name, index) => (
          <label key={name}>
            <input
              type="radio"
              name="score"
              onChange={() => {
                score.value = index + 1;
              }}
            />
            <Icon name={(index + 1) as IconName} />
            {name}
          </label>
        ))}
      </fieldset>
      {score.value > 0 && (
        <textarea
          class="input"
          rows={2}
          maxLength={2_000}
          aria-label={say("comment")}
          placeholder={say("comment")}
          onInput={({ currentTarget }) => {
            comment.value = currentTarget.value;
          }}
        />
      )}
      {bad.value && (
        <p class="error" role="alert">
          {say("notSaved")}
        </p>
      )}
      <div class="foot">
        <button
          type="button"
          class="text-button"
          onClick={() => {
            skipped.value = conversation;
          }}
        >
          {say("skip")}
        </button>
        <button type="submit" class="button" aria-disabled={!score.value}>
          {say("send")}
        </button>
      </div>
    </form>
  );
}

export const wantsRating = (conversation: string) =>
  site.after_close === "rate" &&
  standing.value === "closed" &&
  !rating.value &&
  skipped.value !== conversation;
