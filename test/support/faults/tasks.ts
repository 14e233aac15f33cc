import { readFileSync } from "node:fs";
import { join } from "node:path";
import { good, SERVER, type FrontEnd } from "../front-end.ts";
import { copyStandIn } from "../stand-in.ts";
import { installSite, openPlatform } from "../front-end.ts";
import type { Page } from "./judge.ts";

/** A task that things go wrong in, on a site that is there and serves. */
export interface FaultyTask {
  readonly name: string;
  /** Brings the base world to where the task begins. */
  readonly prepare?: (arena: Arena) => Promise<void>;
  readonly words: (arena: Arena) => readonly string[];
  readonly pages: (arena: Arena) => { readonly before: readonly Page[]; readonly after: readonly Page[] };
  /** A next task, in the place of `provision recover`: it must leave "before" or "after", too. */
  readonly next: (arena: Arena) => readonly string[];
}

export interface Arena {
  readonly frontEnd: FrontEnd;
  readonly root: string;
  readonly other: string;
  readonly uri: string;
  /** What `prepare` has made: a backup. */
  archive: string;
}

/** A site with aliases, files and rows on one platform, and another platform. */
export async function openArena(frontEnd: FrontEnd): Promise<Arena> {
  const root = await openPlatform(frontEnd);
  const other = copyStandIn(frontEnd.stage.home, "other");
  await good(frontEnd.save("platform_other", { context_type: "platform", server: `@${SERVER}`, web_server: `@${SERVER}`, root: other }));
  await good(frontEnd.task("platform_other", "verify"));
  const uri = "s1.test";
  await installSite(frontEnd, root, uri, { aliases: ["www.s1.test", "more.test"] });
  await good(frontEnd.task(uri, "verify"));
  const arena: Arena = { frontEnd, root, other, uri, archive: "" };
  await name(arena, "Now");
  frontEnd.stage.home.write(`${join(root, "sites", uri).slice(frontEnd.home.length + 1)}/files/picture.txt`, "a picture", 0o664);
  return arena;
}

/** Gives the site a name that its page shows. */
async function name({ frontEnd, root, uri }: Arena, title: string): Promise<void> {
  const database = /'db_name'\] = '([^']+)'/.exec(readFileSync(join(root, "sites", uri, "drushrc.php"), "utf8"))?.[1] ?? "";
  await frontEnd.stage.mariadb.query(`USE \`${database}\`; UPDATE variable SET value = 's:${title.length}:"${title}";' WHERE name = 'site_name'; DELETE FROM cache_bootstrap`);
}

const serves: Page = { host: "s1.test", status: 200, contains: "Now" };
const picture: Page = { host: "more.test", path: "/sites/s1.test/files/picture.txt", status: 200, contains: "a picture" };

export const TASKS: readonly FaultyTask[] = [
  {
    name: "clone",
    words: ({ uri }) => [`@${uri}`, "provision-clone", "@copy.test", "@platform_other"],
    pages: () => ({ before: [serves, picture, { host: "copy.test", status: 404 }], after: [serves, { host: "copy.test", status: 200, contains: "Now" }] }),
    next: ({ uri }) => [`@${uri}`, "provision-verify"],
  },
  {
    name: "migrate",
    words: ({ uri }) => [`@${uri}`, "provision-migrate", "@platform_other"],
    pages: () => ({ before: [serves, picture], after: [serves, picture] }),
    next: ({ uri }) => [`@${uri}`, "provision-verify"],
  },
  {
    name: "rename",
    words: ({ uri }) => [`@${uri}`, "provision-migrate", "@platform_standin", "@new.test"],
    pages: () => ({ before: [serves, picture, { host: "new.test", status: 404 }], after: [{ host: "new.test", status: 200, contains: "Now" }, { host: "s1.test", status: 404 }] }),
    next: ({ uri }) => [`@${uri}`, "provision-verify"],
  },
  {
    name: "in-place",
    words: ({ uri }) => [`@${uri}`, "provision-migrate", "@platform_standin"],
    pages: () => ({ before: [serves, picture], after: [serves, picture] }),
    next: ({ uri }) => [`@${uri}`, "provision-verify"],
  },
  {
    name: "restore",
    prepare: async (arena) => {
      const { frontEnd, root, uri } = arena;
      const { frame } = await good(frontEnd.task(uri, "backup"));
      arena.archive = String((frame["context"] as Record<string, unknown>)["backup_file"]);
      await name(arena, "Later");
      frontEnd.stage.home.write(`${join(root, "sites", uri).slice(frontEnd.home.length + 1)}/files/later.txt`, "later", 0o664);
    },
    words: ({ uri, archive }) => [`@${uri}`, "provision-restore", archive],
    pages: () => ({ before: [{ ...serves, contains: "Later" }, picture], after: [serves, picture, { host: "s1.test", path: "/sites/s1.test/files/later.txt", status: 404 }] }),
    next: ({ uri }) => [`@${uri}`, "provision-verify"],
  },
  {
    name: "install",
    prepare: async ({ frontEnd }) => {
      await good(frontEnd.save("fresh.test", { context_type: "site", uri: "fresh.test", platform: "@platform_standin", db_server: `@${SERVER}`, profile: "standard", client_name: "admin" }));
    },
    words: () => ["@fresh.test", "provision-install"],
    pages: () => ({ before: [serves, { host: "fresh.test", status: 404 }], after: [serves, { host: "fresh.test", status: 200 }] }),
    next: () => ["@fresh.test", "provision-verify"],
  },
  {
    name: "delete",
    words: ({ uri }) => [`@${uri}`, "provision-delete"],
    pages: () => ({ before: [serves, picture], after: [{ host: "s1.test", status: 404 }, { host: "more.test", status: 404 }] }),
    next: ({ uri }) => [`@${uri}`, "provision-verify"],
  },
];
