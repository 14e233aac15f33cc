import { textOrUndefined } from "../php-values/convert.ts";
import type { PhpArray } from "../php-values/php-array.ts";
import type { PlatformContext, ServerContext } from "./context.ts";
import { PropertyBuilder } from "./options.ts";
import { MASTER } from "./server.ts";

export interface PlatformSources {
  readonly name: string;
  readonly record: PhpArray | undefined;
  readonly options: PhpArray;
  /** Finds the server of that name, which must exist. */
  readonly server: (name: string) => Promise<ServerContext>;
}

export async function buildPlatform(sources: PlatformSources): Promise<PlatformContext> {
  const build = new PropertyBuilder(sources.options);
  build.compute("context_type", "platform");
  build.compute("server", `@${MASTER}`);
  const webServer = textOrUndefined(build.set("web_server", `@${MASTER}`)) ?? MASTER;
  const root = build.set("root", null);
  const makefile = build.set("makefile", "");
  build.set("make_working_copy", false);
  return {
    type: "platform",
    name: sources.name,
    properties: build.properties,
    record: sources.record,
    webServer: await sources.server(webServer),
    root: textOrUndefined(root),
    makefile: textOrUndefined(makefile),
  };
}
