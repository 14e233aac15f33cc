import { ShimError } from "../errors/shim-error.ts";

/**
 * Values from contexts go into web server files as they are, so each must be harmless there.
 *
 * @throws ShimError PROVISION_WEB_BAD_VALUE naming the property and its value
 */
export function safeHost(host: string, what: string): string {
  // DNS names with `_`, a leading wildcard, and `host/path` of a sub-folder site.
  return checked(host, what, /^(?:\*\.)?[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*[\p{L}\p{N}_])?(?:\/[\p{L}\p{N}._/-]+)?$/u);
}

export function safePath(path: string, what: string): string {
  return checked(path, what, /^\/[^\s"'\\;{}<>#$%*?\p{Cc}]*$/u);
}

export function safePort(port: string, what: string): string {
  return checked(port, what, /^[1-9]\d{0,4}$/);
}

export function safeUrl(url: string, what: string): string {
  return checked(url, what, /^(?:https?:\/)?\/[^\s"'\\;{}<>%\p{Cc}]*$/u);
}

export function safeMail(mail: string, what: string): string {
  return checked(mail, what, /^[^\s"'\\;{}<>\p{Cc}]+$/u);
}

function checked(value: string, what: string, pattern: RegExp): string {
  if (pattern.test(value)) return value;
  throw new ShimError("PROVISION_WEB_BAD_VALUE", `${what} is ${JSON.stringify(value.slice(0, 200))}, which cannot stand in the web server's configuration.`, {
    hint: "correct the property; the present configuration is kept",
  });
}
