import { randomInt } from "node:crypto";

/** Provision's alphabet, without characters that look alike. */
const LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/** What url-encoding leaves alone: the value passes through the web server encoded and is not decoded. */
const SPECIALS = "-_.";
const LENGTH = 24;

/**
 * A password for a site's account, from the system's cryptographic source: 24 characters, of each kind that a server may ask for (validate_password of MySQL at
 * MEDIUM). Provision's are ten characters of mt_rand().
 */
export function newPassword(): string {
  for (;;) {
    const letters = Array.from({ length: LENGTH }, () => one(LETTERS));
    // Not at the ends, where such a character is easily lost when it is copied.
    letters[1 + randomInt(LENGTH - 2)] = one(SPECIALS);
    const password = letters.join("");
    if (/[a-z]/.test(password) && /[A-Z]/.test(password) && /\d/.test(password)) return password;
  }
}

function one(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}
