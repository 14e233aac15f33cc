const MASK = "***";

/** Names of values that nobody may read over an administrator's shoulder: in PHP arrays and assignments, and in Apache's SetEnv. */
const SECRET_NAMES = "db_passwd|password|master_db|hash_salt|drupal_hash_salt|cron_key";

/** The text of a file that holds passwords, for people: each such value is replaced by a mask, whatever stands in it. */
export function masked(text: string): string {
  return text
    .replace(/(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END|$)/gs, `$1\n${MASK}\n$2`)
    .replace(new RegExp(`((?:'(?:${SECRET_NAMES})'\\]?|\\$(?:${SECRET_NAMES}))\\s*=>?\\s*)(?:'(?:[^'\\\\]|\\\\.)*'|"(?:[^"\\\\]|\\\\.)*")`, "gs"), `$1'${MASK}'`)
    .replace(/^(\s*(?:SetEnv|fastcgi_param)\s+db_passwd\s+)(?:\\\n|[^\n])*/gim, `$1${MASK}`)
    .replace(/\b(\w+:\/\/[^:/?#\s'"]*:)[^/\s'"]*@/g, `$1${MASK}@`);
}
