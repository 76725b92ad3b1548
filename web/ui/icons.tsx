/*! Icons: Lucide, ISC licence, (c) Lucide Icons and Contributors; parts from Feather, MIT, (c) Cole Bemis. */
import {
  Archive,
  ArrowDown,
  ArrowLeft,
  ArrowLeftRight,
  ArrowUp,
  Bell,
  Building2,
  Check,
  CheckCheck,
  CircleAlert,
  CircleCheck,
  Clock3,
  Copy,
  Download,
  Ellipsis,
  EllipsisVertical,
  Eye,
  EyeOff,
  File,
  FileText,
  Globe,
  ImagePlus,
  Inbox,
  Keyboard,
  KeyRound,
  LogOut,
  MessageCircle,
  MessageSquarePlus,
  Monitor,
  Moon,
  Palette,
  PanelRight,
  Paperclip,
  Plus,
  RotateCcw,
  Search,
  Settings2,
  Smartphone,
  StickyNote,
  Sun,
  Tag as TagIcon,
  Trash2,
  Undo2,
  User,
  UserRound,
  Users,
  WifiOff,
  X,
} from "lucide";
import { type ComponentChildren, h } from "preact";

const shapes = {
  archive: Archive,
  "arrow-down": ArrowDown,
  back: ArrowLeft,
  hand: ArrowLeftRight,
  send: ArrowUp,
  bell: Bell,
  organisation: Building2,
  check: Check,
  read: CheckCheck,
  alert: CircleAlert,
  verified: CircleCheck,
  clock: Clock3,
  copy: Copy,
  download: Download,
  more: Ellipsis,
  dots: EllipsisVertical,
  eye: Eye,
  "eye-off": EyeOff,
  file: File,
  document: FileText,
  globe: Globe,
  picture: ImagePlus,
  inbox: Inbox,
  keyboard: Keyboard,
  key: KeyRound,
  leave: LogOut,
  chat: MessageCircle,
  new: MessageSquarePlus,
  desktop: Monitor,
  moon: Moon,
  palette: Palette,
  panel: PanelRight,
  attach: Paperclip,
  plus: Plus,
  reopen: RotateCcw,
  search: Search,
  settings: Settings2,
  phone: Smartphone,
  note: StickyNote,
  sun: Sun,
  tag: TagIcon,
  bin: Trash2,
  undo: Undo2,
  profile: User,
  person: UserRound,
  people: Users,
  offline: WifiOff,
  close: X,
};

export type IconName = keyof typeof shapes;

interface IconProps {
  name: IconName;
  size?: "small" | "large" | undefined;
  class?: string;
}

export function Icon({ name, size, class: extra }: IconProps) {
  return (
    <svg
      class={["icon", size, extra].filter(Boolean).join(" ")}
      viewBox="0 0 24 24"
      aria-hidden="true"
    >
      {shapes[name].map(([tag, attributes]) => h(tag, attributes)) as ComponentChildren}
    </svg>
  );
}

/** The mark of the house: a desk bell. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg
      class="icon mark"
      style={{ width: size, height: size }}
      viewBox="0 0 24 24"
      aria-hidden="true"
    >
      <path d="M4.5 15.5a7.5 7.5 0 0 1 15 0" />
      <path d="M2.5 19h19" />
      <path d="M12 5v3" />
    </svg>
  );
}
