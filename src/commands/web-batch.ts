import type { ServerContext } from "../contexts/context.ts";
import { ShimError } from "../errors/shim-error.ts";
import { step, type Plan, type Work } from "../task/plan.ts";
import { presentText, type WebFileChange } from "../web/web-file.ts";
import type { RemoteServer } from "../web/remote-server.ts";
import { changeWebConfig, type WebSettings } from "../web/web-transaction.ts";

interface Pending {
  /** Name of the context whose file it is. */
  readonly context: string;
  readonly file: WebFileChange;
  /** What was there when the file was made. */
  readonly before: string | undefined;
}

/** A web server, and how it is reached when it is on another machine. */
export interface WebHost {
  readonly server: ServerContext;
  readonly remote?: RemoteServer | undefined;
}

interface Host extends WebHost {
  /** By path: several sites may have one certificate. */
  readonly files: Map<string, readonly Pending[]>;
}

/**
 * The web servers' files of several contexts that are verified together: collected while their tasks run, then one transaction for each server, which tests and reloads
 * it once.
 */
export class WebBatch {
  readonly #settings: WebSettings;
  readonly #hosts = new Map<string, Host>();

  constructor(settings: WebSettings) {
    this.#settings = settings;
  }

  /** A server of this machine that is to run what is in its files at the end, also when none of them changes. */
  expect(server: ServerContext): void {
    this.#host({ server });
  }

  add(place: WebHost, context: string, files: readonly WebFileChange[]): void {
    const host = this.#host(place);
    for (const file of files) {
      const others = (host.files.get(file.path) ?? []).filter((one) => one.context !== context);
      host.files.set(file.path, [...others, { context, file, before: presentText(file.path) }]);
    }
  }

  /** Leaves out what was collected for a context whose verify has failed, and was undone. */
  drop(context: string): void {
    for (const { files } of this.#hosts.values()) {
      for (const [path, pending] of files) {
        const others = pending.filter((one) => one.context !== context);
        if (others.length === 0) files.delete(path);
        else files.set(path, others);
      }
    }
  }

  /** The contexts whose files are the reason of that error. */
  blamed({ files }: ShimError): string[] {
    const pending = [...this.#hosts.values()].flatMap((host) => files.flatMap((path) => host.files.get(path) ?? []));
    return [...new Set(pending.map(({ context }) => context))];
  }

  /** One for each server; each makes the plan with what is collected by then. */
  plans(): (() => Plan)[] {
    return [...this.#hosts.values()].map((host) => () => ({
      title: `write the web server's configuration for ${host.files.size} files of @${host.server.name}`,
      context: host.server.name,
      steps: [step("test and write the web server's configuration and reload it", (work) => this.#change(work, host))],
    }));
  }

  async #change(work: Work, { server, remote, files }: Host): Promise<void> {
    // What one site gives up, such as a certificate, another one may need.
    const pending = [...files.values()].flatMap((ones) => ones.findLast(({ file }) => file.content !== undefined) ?? ones.at(-1) ?? []);
    // Their tasks have ended, so another one may have changed them: what it wrote is newer.
    const stale = pending.filter(({ file, before }) => presentText(file.path) !== before);
    for (const { context, file } of stale) {
      work.flaw(new ShimError("PROVISION_CONTEXT_CHANGED", `@${context} was changed by another task meanwhile, so its ${file.label} was left as that task wrote it.`, { hint: `verify @${context} again` }));
    }
    await changeWebConfig(work, server, pending.filter((one) => !stale.includes(one)).map(({ file }) => file), { ...this.#settings, remote });
  }

  #host(place: WebHost): Host {
    let host = this.#hosts.get(place.server.name);
    if (host === undefined) this.#hosts.set(place.server.name, (host = { ...place, files: new Map() }));
    return host;
  }
}
