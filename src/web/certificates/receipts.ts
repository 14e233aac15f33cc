import { dirname, join } from "node:path";
import type { ServerContext, SiteContext } from "../../contexts/context.ts";
import { lookAt, namesIn, readIfThere } from "../../files/look.ts";
import { textFromBytes } from "../../php-values/text.ts";
import type { Beside, WebFileChange } from "../web-file.ts";
import { DEFAULT_KEY, servedDirectory, serverStore } from "./certificate-source.ts";
import { isProtected, RECEIPT } from "./served-certificate.ts";

/** The note that the site uses the key's certificate on this server; none in a folder that is a link to somebody else's. */
export function receiptOf(site: SiteContext, server: ServerContext, key: string): WebFileChange[] {
  const directory = servedDirectory(server, key);
  if (lookAt(directory)?.isSymbolicLink() === true) return [];
  const path = join(directory, `${site.uri ?? ""}${RECEIPT}`);
  const present = readIfThere(path);
  return [{ path, content: present === undefined ? "" : textFromBytes(present), label: "receipt for the certificate" }];
}

/**
 * What the site no longer needs of the server's copies: its receipts but that for `keep`, and with the last receipt of a key all files of it. Never
 * anything of the central store, nor through a link.
 */
export function releasedCertificates(site: SiteContext, server: ServerContext, keep?: string): WebFileChange[] {
  const uri = site.uri ?? "";
  const store = serverStore(server);
  if (uri === "" || lookAt(store)?.isDirectory() !== true || isProtected(server, uri)) return [];
  return namesIn(store).filter((key) => key !== keep).flatMap((key) => releasedKey(store, key, `${uri}${RECEIPT}`));
}

function releasedKey(store: string, key: string, receipt: string): WebFileChange[] {
  const directory = join(store, key);
  if (lookAt(directory)?.isDirectory() !== true) return [];
  const names = namesIn(directory);
  if (!names.includes(receipt)) return [];
  // The server itself has no receipt for its own.
  const isUsed = ({ written, going }: Beside): boolean => {
    const paths = [...namesIn(directory).map((name) => join(directory, name)), ...written];
    return key === DEFAULT_KEY || paths.some((path) => dirname(path) === directory && path.endsWith(RECEIPT) && path !== join(directory, receipt) && !going.has(path));
  };
  // Which site is the last one is seen when the others cannot change it any more; their receipts are theirs.
  const gone = names.filter((name) => name === receipt || (!name.endsWith(RECEIPT) && lookAt(join(directory, name))?.isDirectory() === false));
  return gone.map((name) => {
    const file = { path: join(directory, name), content: undefined, withDirectory: true };
    return name === receipt ? { ...file, label: "receipt for the certificate" } : { ...file, label: "unused certificate", unless: isUsed };
  });
}
