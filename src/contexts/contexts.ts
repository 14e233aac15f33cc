import { ShimError } from "../errors/shim-error.ts";
import { textOrUndefined } from "../php-values/convert.ts";
import { PhpArray } from "../php-values/php-array.ts";
import type { Context, PlatformContext, ServerContext } from "./context.ts";
import type { Machine } from "./guesses.ts";
import { checkedContextName } from "./names.ts";
import { mergedOptions, type CallOptions } from "./options.ts";
import { buildPlatform } from "./platform.ts";
import { buildServer, MASTER } from "./server.ts";
import { buildSite } from "./site.ts";

export interface ContextSources {
  /** The alias record of that name (without `@`), or undefined when there is no such alias. */
  readonly findAlias: (name: string) => Promise<PhpArray | undefined>;
  readonly call: CallOptions;
  readonly machine: Machine;
  /** The front end's feature `subdirs` is on. */
  readonly subdirs: boolean;
}

/** The contexts of one call: each is loaded once, from its alias record and the options of the call. */
export class Contexts {
  readonly #sources: ContextSources;
  readonly #loaded = new Map<string, Promise<Context>>();
  readonly #loading = new Set<string>();

  constructor(sources: ContextSources) {
    this.#sources = sources;
  }

  /**
   * The context, made from the call's options alone when it has no alias (as provision's d() does). A new one is a server unless the options give
   * its type.
   *
   * @throws ShimError PROVISION_MISSING_CONTEXT when it refers to a context that does not exist, PROVISION_UNKNOWN_CONTEXT_TYPE
   */
  get(name: string): Promise<Context> {
    const key = checkedContextName(name);
    let loading = this.#loaded.get(key);
    if (loading === undefined) {
      loading = this.#load(key);
      this.#loaded.set(key, loading);
    }
    return loading;
  }

  /** The context that an alias file describes; as d(name, FALSE, FALSE) it must exist. */
  async existing(name: string): Promise<Context> {
    if ((await this.#sources.findAlias(checkedContextName(name))) === undefined) throw missing(name);
    return this.get(name);
  }

  /** The context, or undefined when it has no alias. */
  async find(name: string): Promise<Context | undefined> {
    return (await this.#sources.findAlias(checkedContextName(name))) === undefined ? undefined : this.get(name);
  }

  /** `@server_master`, from which other servers take defaults. */
  async master(): Promise<ServerContext> {
    return asServer(await this.get(MASTER));
  }

  /** A server that others name, as a cluster its members; with or without `@`. */
  async server(name: string): Promise<ServerContext> {
    return asServer(await this.existing(name));
  }

  async #load(name: string): Promise<Context> {
    if (this.#loading.has(name)) throw new ShimError("PROVISION_MISSING_CONTEXT", `The context @${name} refers to itself.`);
    this.#loading.add(name);
    try {
      return await this.#build(name);
    } finally {
      this.#loading.delete(name);
    }
  }

  async #build(name: string): Promise<Context> {
    const { findAlias, call, machine, subdirs } = this.#sources;
    const record = await findAlias(name);
    const options = mergedOptions(record, call);
    const common = { name, record, options };
    const server = async (reference: string): Promise<ServerContext> => asServer(await this.#reference(reference, name));
    switch (contextType(record, call)) {
      case "server":
        return buildServer({ ...common, machine, subdirs, master: name === MASTER ? undefined : await this.master() });
      case "platform":
        return buildPlatform({ ...common, server });
      case "site":
        return buildSite({ ...common, server, platform: async (reference) => asPlatform(await this.#reference(reference ?? "", name)) });
      default:
        throw new ShimError("PROVISION_UNKNOWN_CONTEXT_TYPE", `@${name} cannot be a "${contextType(record, call)}".`, { hint: "context_type is server, platform or site" });
    }
  }

  async #reference(reference: string, from: string): Promise<Context> {
    if (reference === "") throw new ShimError("PROVISION_MISSING_CONTEXT", `The site @${from} names no platform.`, { hint: "save it with --platform=@name" });
    if (this.#loading.has(checkedContextName(reference))) throw new ShimError("PROVISION_MISSING_CONTEXT", `@${from} and ${reference} refer to each other.`);
    return this.existing(reference);
  }
}

/** The record's own type decides the kind of context; options only when there is none (as provision_context_factory()). */
function contextType(record: PhpArray | undefined, call: CallOptions): string {
  const fromRecord = textOrUndefined(record?.get("context_type"));
  if (fromRecord !== undefined) return fromRecord;
  return textOrUndefined(mergedOptions(new PhpArray(), call).get("context_type")) ?? "server";
}

function missing(name: string): ShimError {
  return new ShimError("PROVISION_MISSING_CONTEXT", `Could not find provision alias named: @${checkedContextName(name)}`, {
    hint: "it has no alias file in ~/.drush; save it first",
  });
}

function asServer(context: Context): ServerContext {
  if (context.type !== "server") throw new ShimError("PROVISION_MISSING_CONTEXT", `@${context.name} is a ${context.type}, but a server is needed here.`);
  return context;
}

function asPlatform(context: Context): PlatformContext {
  if (context.type !== "platform") throw new ShimError("PROVISION_MISSING_CONTEXT", `@${context.name} is a ${context.type}, but a platform is needed here.`);
  return context;
}
