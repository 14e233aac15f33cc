import { ShimError } from "../errors/shim-error.ts";

/**
 * Values from contexts go into web server files as they are, so each must be harmless there.
 *
 * @throws ShimError PROVISION_WEB_BAD_VALUE naming the property and its value
 */
export function safeHost(host: string, what: string): string {
  // DNS names with `_`, a leading wildcard, and `host/path` of a sub-folder site.
  return checked(host, what, isAscii(host) ? hostPattern("A-Za-z0-9", "") : hostPattern("\\p{L}\\p{N}", "u"));
}

/** Tables of Unicode's letters take 3 ms to load, which few names need. */
function hostPattern(letters: string, flags: string): RegExp {
  return new RegExp(`^(?:\\*\\.)?[${letters}_](?:[${letters}._-]*[${letters}_])?(?:/[${letters}._/-]+)?$`, flags);
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

export function safePath(path: string, what: string): string {
  return checked(path, what, /^\/[^\s"'\\;{}<>#$%*?\x00-\x1f\x7f-\x9f]*$/);
}

export function safePort(port: string, what: string): string {
  return checked(port, what, /^[1-9]\d{0,4}$/);
}

export function safeUrl(url: string, what: string): string {
  return checked(url, what, /^(?:https?:\/)?\/[^\s"'\\;{}<>%\x00-\x1f\x7f-\x9f]*$/);
}

export function safeMail(mail: string, what: string): string {
  return checked(mail, what, /^[^\s"'\\;{}<>\x00-\x1f\x7f-\x9f]+$/);
}

function checked(value: string, what: string, pattern: RegExp): string {
  if (pattern.test(value)) return value;
  throw new ShimError("PROVISION_WEB_BAD_VALUE", `${what} is ${JSON.stringify(value.slice(0, 200))}, which cannot stand in the web server's configuration.`, {
    hint: "correct the property; the present configuration is kept",
  });
}
