import { hostname } from "node:os";
import { addressInHosts } from "../files/hosts-file.ts";

/** What was found out of names in this process. */
const known = new Map<string, Promise<boolean>>();

/** Is the machine with that `remote_host` this one? As provision_is_local_host() of Provision 7.x-3.x: an external address of this machine is not. */
export async function isLocalHost(host: string): Promise<boolean> {
  const name = host.toLowerCase();
  if (name === "localhost" || name === "127.0.0.1" || name === hostname().toLowerCase()) return true;
  const found = known.get(name) ?? isOwnName(name);
  known.set(name, found);
  return found;
}

async function isOwnName(name: string): Promise<boolean> {
  const address = await addressOf(name);
  if (address === "127.0.0.1" || address === "127.0.1.1") return true;
  return address !== undefined && name === (await ownName());
}

async function addressOf(name: string): Promise<string | undefined> {
  const listed = addressInHosts(name);
  if (listed !== undefined) return listed;
  try {
    const { lookup } = await import("node:dns/promises");
    return (await lookup(name, { family: 4 })).address;
  } catch {
    return undefined;
  }
}

/** This machine's full name: what its own address is called. */
async function ownName(): Promise<string | undefined> {
  const address = await addressOf(hostname());
  if (address === undefined) return undefined;
  try {
    const { reverse } = await import("node:dns/promises");
    return (await reverse(address))[0]?.toLowerCase();
  } catch {
    return undefined;
  }
}
