import { createHmac } from "node:crypto";
import { join } from "node:path";
import type { Db } from "../database/connection.ts";
import { ShimError } from "../errors/shim-error.ts";
import { readIfThere } from "../files/look.ts";
import { bytesFromText, textFromBytes } from "../php-values/text.ts";
import type { DrupalCore } from "./core.ts";

/** What the proof of a one-time link is made of, in order: a value's name or a text between. */
export type ProofRecipe = readonly ({ readonly value: ProofValue } | { readonly text: string })[];

const PROOF_VALUES = ["timestamp", "login", "uid", "mail"] as const;
type ProofValue = (typeof PROOF_VALUES)[number];

/**
 * How this Drupal 7 makes the proof of its one-time links, read from its code: releases differ (7.35 added the account's number, later ones its
 * address and separators). Undefined when it is done in a way that is not known.
 */
export function readProofRecipe(core: DrupalCore): ProofRecipe | undefined {
  const bytes = readIfThere(join(core.root, "modules/user/user.module"));
  const code = bytes === undefined ? "" : textFromBytes(bytes);
  const start = code.indexOf("function user_pass_rehash(");
  const body = start < 0 ? "" : code.slice(start, code.indexOf("\n}", start));
  const expression = /return drupal_hmac_base64\(([^()]+), drupal_get_hash_salt\(\) \. \$password\);\s*$/.exec(body)?.[1];
  if (expression === undefined) return undefined;
  const recipe = expression.split(" . ").map((part) => {
    const value = PROOF_VALUES.find((name) => part === `$${name}`);
    if (value !== undefined) return { value };
    const text = /^'([^'\\]*)'$/.exec(part)?.[1];
    return text === undefined ? undefined : { text };
  });
  const known = recipe.flatMap((part) => (part === undefined ? [] : [part]));
  return known.length === recipe.length && known.some((part) => "value" in part && part.value === "timestamp") ? known : undefined;
}

export interface LoginRequest {
  readonly uid: number;
  /** Address of the front page, without a slash at its end. */
  readonly baseUrl: string;
  readonly salt: string;
  readonly recipe: ProofRecipe;
  readonly now: Date;
}

/**
 * A link that logs the account in once, as user_pass_reset_url() of Drupal 7 with `/login` behind it.
 *
 * @throws ShimError DRUSH_USER_LOGIN_FAILED when there is no such account
 */
export async function loginLink(db: Db, { uid, baseUrl, salt, recipe, now }: LoginRequest): Promise<string> {
  const [account] = await db.rows("SELECT uid, pass, login, mail FROM users WHERE uid = ?", [uid]);
  if (account === undefined) throw new ShimError("DRUSH_USER_LOGIN_FAILED", `There is no account ${uid} in the site's database.`, { hint: "is the site installed?" });
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const values: Record<ProofValue, string> = { timestamp, login: account["login"] ?? "", uid: account["uid"] ?? "", mail: account["mail"] ?? "" };
  const data = recipe.map((part) => ("text" in part ? part.text : values[part.value])).join("");
  const key = bytesFromText(salt + (account["pass"] ?? ""));
  const proof = createHmac("sha256", key).update(bytesFromText(data)).digest("base64url");
  return `${baseUrl}/user/reset/${uid}/${timestamp}/${proof}/login`;
}
