import { readFileSync } from "node:fs";
import { userInfo } from "node:os";

export interface Group {
  readonly name: string;
  readonly gid: number;
  /** The users listed in the entry; users who have it as primary group are usually not among them. */
  readonly members: readonly string[];
}

let known: readonly Group[] | undefined;

/** The groups of /etc/group, read once per process. */
export function systemGroups(): readonly Group[] {
  known ??= parseGroups(readFileSync("/etc/group", "utf8"));
  return known;
}

export function parseGroups(text: string): Group[] {
  const groups: Group[] = [];
  for (const line of text.split("\n")) {
    const [name, , gid, members] = line.split(":");
    if (name === undefined || gid === undefined || !/^\d+$/.test(gid)) continue;
    groups.push({ name, gid: Number(gid), members: members === undefined || members === "" ? [] : members.split(",") });
  }
  return groups;
}

export function groupNamed(name: string): Group | undefined {
  return systemGroups().find((group) => group.name === name || String(group.gid) === name);
}

export function groupNumbered(gid: number): Group | undefined {
  return systemGroups().find((group) => group.gid === gid);
}

/** Name and ids of the user that this process runs as. */
export function currentUser(): { readonly name: string; readonly uid: number; readonly gid: number } {
  const { username, uid, gid } = userInfo();
  return { name: username, uid, gid };
}
