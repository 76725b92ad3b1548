import type { File as SentFile } from "../../protocol/types";
import { Button, IconButton } from "../../ui/buttons";
import { Icon } from "../../ui/icons";
import { saySize } from "../../ui/size";
import { MAX_FILE_BYTES } from "../state/boot";
import { changeDraft } from "../state/drafts";
import { language, say } from "../state/me";
import { removeUpload, retryUpload, type Upload } from "../state/uploads";

interface AttachmentsProps {
  conversation: string;
  files: readonly SentFile[];
  uploads: readonly Upload[];
}

/** Files that will go with the message, and those still on their way up. */
export function Attachments({ conversation, files, uploads }: AttachmentsProps) {
  if (!files.length && !uploads.length) return null;
  const remove = (gone: SentFile) =>
    changeDraft(conversation, { files: files.filter((file) => file !== gone) });
  return (
    <ul class="attachments">
      {files.map((file) => (
        <li key={file.id}>
          <Thumb file={file} />
          <About name={file.name} size={file.size} />
          <Remove name={file.name} onClick={() => remove(file)} />
        </li>
      ))}
      {uploads.map((upload) => (
        <UploadItem key={upload.key} conversation={conversation} upload={upload} />
      ))}
    </ul>
  );
}

function Thumb({ file }: { file: SentFile }) {
  const isPicture = /^image\/(png|jpeg|gif|webp|avif)$/.test(file.media_type);
  return (
    <span class="thumb">
      {isPicture ? <img src={`/api/v1/files/${file.id}`} alt="" /> : <Icon name="document" />}
    </span>
  );
}

function UploadItem({ conversation, upload }: { conversation: string; upload: Upload }) {
  const { file, preview, share, fault } = upload;
  return (
    <li class={fault ? "failed" : ""}>
      <span class="thumb">{preview ? <img src={preview} alt="" /> : <Icon name="document" />}</span>
      <span class="grow">
        <b class="cut">{file.name}</b>
        {fault ? (
          <span class="fault" role="alert">
            {explain(fault)}
          </span>
        ) : (
          <progress max={1} value={share} aria-label={file.name} />
        )}
      </span>
      {fault === "failed" && (
        <Button kind="plain" size="small" onClick={() => retryUpload(conversation, upload)}>
          {say().again}
        </Button>
      )}
      <Remove name={file.name} onClick={() => removeUpload(conversation, upload.key)} />
    </li>
  );
}

function About({ name, size }: { name: string; size: number }) {
  return (
    <span class="grow">
      <b class="cut">{name}</b>
      <span class="quiet">{saySize(size, language.value)}</span>
    </span>
  );
}

function Remove({ name, onClick }: { name: string; onClick: () => void }) {
  return <IconButton icon="close" label={say().composer.remove_file(name)} onClick={onClick} />;
}

function explain(fault: NonNullable<Upload["fault"]>): string {
  const { composer } = say();
  if (fault === "too_big") return composer.too_big(saySize(MAX_FILE_BYTES, language.value));
  return fault === "refused" ? composer.file_refused : composer.upload_failed;
}
