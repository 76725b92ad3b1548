import { useState } from "preact/hooks";
import type { File } from "../../protocol/types";
import { Icon } from "../../ui/icons";
import { Dialog } from "../../ui/overlays";
import { saySize } from "../../ui/size";
import { language, say } from "../state/me";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
const WIDEST = 280;
const HIGHEST = 220;

export const addressOf = (file: File): string => `/api/v1/files/${file.id}`;

export function Files({ files }: { files: readonly File[] }) {
  return (
    <div class="files">
      {files.map((file) =>
        PICTURES.includes(file.media_type) ? (
          <Picture key={file.id} file={file} />
        ) : (
          <FileChip key={file.id} file={file} />
        ),
      )}
    </div>
  );
}

export function FileChip({ file }: { file: File }) {
  return (
    <a
      class="file"
      href={addressOf(file)}
      download={file.name}
      aria-label={say().thread.download(file.name)}
    >
      <span class="thumb">
        <Icon name={file.media_type === "application/pdf" ? "document" : "file"} />
      </span>
      <span class="grow">
        <b class="cut">{file.name}</b>
        <span class="quiet">{saySize(file.size, language.value)}</span>
      </span>
    </a>
  );
}

/** Its size is known before its bytes: nothing jumps when it arrives. */
function Picture({ file }: { file: File }) {
  const [large, enlarge] = useState(false);
  const [broken, setBroken] = useState(false);
  if (broken) return <FileChip file={file} />;
  const { width, height } = scaled(file);
  return (
    <>
      <button
        type="button"
        class="shot"
        aria-label={say().thread.enlarge(file.name)}
        onClick={() => enlarge(true)}
      >
        <img
          src={addressOf(file)}
          alt={file.name}
          width={width}
          height={height}
          loading="lazy"
          onError={() => setBroken(true)}
        />
      </button>
      {large && (
        <Dialog title={file.name} closeWord={say().close} wide onClose={() => enlarge(false)}>
          <img class="large" src={addressOf(file)} alt={file.name} />
          <FileChip file={file} />
        </Dialog>
      )}
    </>
  );
}

function scaled({ width = WIDEST, height = HIGHEST }: File) {
  const scale = Math.min(1, WIDEST / width, HIGHEST / height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}
