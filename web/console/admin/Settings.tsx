import "./styles/pages.css";
import "./styles/site.css";
import "./styles/preview.css";
import "./styles/webhooks.css";
import "./styles/narrow.css";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "../../ui/icons";
import { LostStrip } from "../inbox/LostStrip";
import { isAdministrator } from "../state/me";
import { settingsPath } from "../state/route";
import { OrganisationPage } from "./OrganisationPage";
import { PeoplePage } from "./PeoplePage";
import { ProfilePage } from "./ProfilePage";
import { SitePage } from "./SitePage";
import { SitesPage } from "./SitesPage";
import { tell } from "./tell";
import { WebhookPage } from "./WebhookPage";
import { WebhookNotice, WebhooksPage } from "./WebhooksPage";

/** One's own settings for everybody, the organisation's for administrators. */
export function Settings({ page, item }: { page: string; item: string | null }) {
  const shown = isAdministrator.value ? page || "people" : "profile";
  return (
    <div class="settings">
      <Places here={shown} />
      <main id="conversation" class="page" tabIndex={-1}>
        <LostStrip />
        <Page page={shown} item={item} />
      </main>
    </div>
  );
}

function Page({ page, item }: { page: string; item: string | null }) {
  switch (page) {
    case "people":
      return <PeoplePage />;
    case "sites":
      return item ? <SitePage key={item} id={item} /> : <SitesPage />;
    case "webhooks":
      return item ? <WebhookPage key={item} id={item} /> : <WebhooksPage />;
    case "organisation":
      return <OrganisationPage />;
    default:
      return <ProfilePage />;
  }
}

function Places({ here }: { here: string }) {
  const { title, groups, pages } = tell();
  const nav = useRef<HTMLElement>(null);
  // Where the places stand side by side, a phone does not show the last of them.
  useEffect(() => {
    const place = nav.current?.querySelector("[aria-current]");
    place?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [here]);
  return (
    <nav ref={nav} class="places" aria-label={title}>
      <h2>{title}</h2>
      {isAdministrator.value && (
        <>
          <Group title={groups.people}>
            <Place page="people" icon="people" here={here}>
              {pages.people}
            </Place>
          </Group>
          <Group title={groups.sites}>
            <Place page="sites" icon="palette" here={here}>
              {pages.sites}
            </Place>
          </Group>
          <Group title={groups.organisation}>
            <Place page="organisation" icon="organisation" here={here}>
              {pages.organisation}
            </Place>
          </Group>
          <Group title={groups.programs}>
            <Place page="webhooks" icon="globe" here={here}>
              {pages.webhooks}
              <WebhookNotice />
            </Place>
          </Group>
        </>
      )}
      <Group title={groups.you}>
        <Place page="profile" icon="profile" here={here}>
          {pages.profile}
        </Place>
      </Group>
    </nav>
  );
}

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

interface PlaceProps {
  page: string;
  icon: IconName;
  here: string;
  children: ComponentChildren;
}

function Place({ page, icon, here, children }: PlaceProps) {
  return (
    <a href={settingsPath(page)} aria-current={here === page ? "page" : undefined}>
      <Icon name={icon} />
      {children}
    </a>
  );
}
