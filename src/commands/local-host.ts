import { lookup, reverse } from "node:dns/promises";
import { hostname } from "node:os";

/** Is the machine with that `remote_host` this one? As provision_is_local_host() of Provision 7.x-3.x: an external address of this machine is not. */
export async function isLocalHost(host: string): Promise<boolean> {
  const name = host.toLowerCase();
  if (name === "localhost" || name === "127.0.0.1" || name === hostname().toLowerCase()) return true;
  const address = await addressOf(name);
  if (address === "127.0.0.1" || address === "127.0.1.1") return true;
  return address !== undefined && name === (await ownName());
}

async function addressOf(name: string): Promise<string | undefined> {
  try {
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
    return (await reverse(address))[0]?.toLowerCase();
  } catch {
    return undefined;
  }
}
