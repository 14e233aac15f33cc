import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ShimError } from "../../src/errors/shim-error.ts";
import type { RemoteHost, RemoteMeans } from "../../src/remote/remote-host.ts";
import { isRemovable, removeRemote } from "../../src/remote/remove-remote.ts";
import { fetchPath, filterWord, pushPaths, type RsyncOptions } from "../../src/remote/rsync.ts";
import { runRemote } from "../../src/remote/run-remote.ts";
import { shellCommand } from "../../src/remote/shell-quote.ts";
import { sshWords } from "../../src/remote/ssh-options.ts";
import { commandWords } from "../../src/web/restart-command.ts";
import { makeAegirHome, type AegirHome } from "../support/aegir-home.ts";
import { makeSshHosts, whyNoHosts, type SshHost, type SshHosts } from "../support/ssh-hosts.ts";
import { treeOf } from "../support/tree.ts";

const reason = whyNoHosts();
if (reason !== undefined) console.warn(`test/remote: ${reason}`); // eslint-disable-line no-console

const PLAIN: RsyncOptions = { includeVcs: false, filters: [], global: new Map() };

it("http 88: only what is strictly below the home of Aegir may be removed, and nothing that holds more than one thing", () => {
  const remote = { root: "/var/aegir" } as RemoteHost;
  const may = (path: string): boolean => isRemovable(remote, path);
  expect(["/var/aegir/platforms/d7", "/var/aegir/platforms/d7/sites/a.test/", "/var/aegir/config/web1/apache/vhost.d/a.test", "/var/aegir/x"].filter((path) => !may(path))).toEqual([]);
  expect(["/var/aegir", "/var/aegir/", "/var/aegir/.", "/", "", "/var/aegir/..", "/var/aegir/../x", "/var/aegir/a/../../x", "/var/aegirs", "/var", "var/aegir/x", "/var/aegir//x", "/var/aegir/a\nb",
    "/var/aegir/config", "/var/aegir/platforms", "/var/aegir/platforms/", "/var/aegir/clients", "/var/aegir/backups", "/var/aegir/.ssh", "/var/aegir/.drush", "/var/aegir/config/includes"].filter(may)).toEqual([]);
  for (const root of ["/", "", "var", "/var/..", "/var//aegir"]) expect(isRemovable({ root } as RemoteHost, `${root}/x`)).toBe(false);
});

it("words reach the shell over there as they are", () => {
  expect(shellCommand(["a", "b c", "it's", "$(x)", "`x`", "&&", ";", "|", "*", "", "ü"])).toBe("a 'b c' 'it'\\''s' '$(x)' '`x`' '&&' ';' '|' '*' '' 'ü'");
});

it("a filter means exactly that path", () => {
  expect(filterWord("exclude", "/a/sites", "/*")).toBe("--exclude=/a/sites/*");
  expect(filterWord("include", "/a/b\\c")).toBe("--include=/a/b\\c");
  expect(filterWord("include", "/a/[b]*?\\")).toBe("--include=/a/\\[b]\\*\\?\\\\");
});

it("an administrator's options of ssh come before ours, but nobody is asked anything", () => {
  const words = sshWords({ server: "s", host: "h", user: "u", root: "/a", sshOptions: ["-o", "ConnectTimeout=3"] }, { variables: {}, home: "/nonexistent" });
  expect(words.slice(0, 4)).toEqual(["-o", "BatchMode=yes", "-o", "ConnectTimeout=3"]);
  expect(words.join(" ")).not.toMatch(/StrictHostKeyChecking|UserKnownHostsFile/);
});

describe.skipIf(reason !== undefined)("another host", () => {
  let home: AegirHome;
  let hosts: SshHosts;
  let host: SshHost;

  beforeAll(async () => {
    home = makeAegirHome();
    hosts = await makeSshHosts(home, 1);
    host = hosts.hosts[0]!;
  }, 60_000);
  afterAll(async () => {
    await hosts.stop();
    home.remove();
  });
  afterEach(() => host.fault(undefined));

  /** As the test's user would, because ssh asks who it is. */
  const remote = (change: Partial<RemoteHost> = {}): RemoteHost => ({ server: "web1", host: host.address, user: home.user.name, root: home.path, sshOptions: commandWords(hosts.sshOptions), ...change });
  const means = (more: Partial<RemoteMeans> = {}): RemoteMeans => ({ variables: home.user.env, home: home.path, ...more });
  const run = (...words: string[]) => runRemote(remote(), { words, timeoutMs: 30_000 }, means());
  const there = (path: string): string => join(host.tree, path);

  async function codeOf(doing: Promise<unknown>): Promise<string> {
    try {
      await doing;
      return "";
    } catch (thrown) {
      return thrown instanceof ShimError ? thrown.code : String(thrown);
    }
  }

  it("runs words as they are, and answers status and output", async () => {
    expect(await run("printf", "%s|", "a b", "it's", "$HOME", "&&", "x;y")).toEqual({ status: 0, output: "a b|it's|$HOME|&&|x;y|" });
    expect(await run("sh", "-c", "echo no >&2; exit 7")).toEqual({ status: 7, output: "no" });
  });

  it("http 83; contexts 64: a push has the options of the original, and leaves version control and what is excluded", async () => {
    for (const path of ["tree/.git/config", "tree/code.php", "tree/sites/all/x", "tree/sites/a.test/files/up", "tree/sites/a.test/modules/m/files/part", "tree/sites/b.test/settings.php"]) home.write(path, path);
    symlinkSync("code.php", join(home.path, "tree/link"));
    const root = join(home.path, "tree");
    mkdirSync(there("tree/sites/c.test"), { recursive: true });
    writeFileSync(there("tree/old.php"), "old");
    home.user.own(there("tree"));
    host.forgetCommands();
    const filters = [filterWord("exclude", join(root, "sites/a.test/files"), "/*"), filterWord("include", join(root, "sites/all")), filterWord("include", join(root, "sites/a.test")), filterWord("exclude", join(root, "sites"), "/*")];
    await pushPaths(remote(), { paths: [root], filters }, { means: means(), rsync: PLAIN });
    const sent = Object.keys(treeOf(there("tree")));
    expect(sent.sort()).toEqual(["", "code.php", "link", "sites", "sites/a.test", "sites/a.test/files", "sites/a.test/modules", "sites/a.test/modules/m", "sites/a.test/modules/m/files", "sites/a.test/modules/m/files/part", "sites/all", "sites/all/x", "sites/c.test"]);
    const [command = ""] = host.commands();
    // a: links, owners, groups, devices, times, permissions, recursively; k, K; z; O; R; delete.
    expect(command).toMatch(/^rsync --server -\w*l\w*/);
    for (const letter of ["O", "g", "o", "D", "t", "p", "r", "R", "z", "K"]) expect(command.split(" ")[2]).toContain(letter);
    expect(command).toContain("--delete");
  });

  it("contexts 64: the administrator's options come last; without delete nothing is removed", async () => {
    writeFileSync(there("tree/old.php"), "old");
    const root = join(home.path, "tree");
    await pushPaths(remote(), { paths: [root], filters: [] }, { means: means(), rsync: { ...PLAIN, includeVcs: true, global: new Map<string, string | boolean>([["delete", false], ["chmod", "F640"]]) } });
    const tree = treeOf(there("tree"));
    expect([tree["old.php"] !== undefined, tree[".git/config"] !== undefined, tree["code.php"]?.slice(0, 3)]).toEqual([true, true, "640"]);
  });

  it("contexts 68: a fetch brings back what is there, and removes what is not", async () => {
    home.write("fetched/a", "mine");
    home.write("fetched/gone", "mine");
    mkdirSync(there("fetched"));
    writeFileSync(there("fetched/a"), "theirs");
    home.user.own(there("fetched"));
    host.forgetCommands();
    await fetchPath(remote(), `${home.path}/fetched/`, { means: means(), rsync: PLAIN });
    expect([readFileSync(join(home.path, "fetched/a"), "utf8"), Object.keys(treeOf(join(home.path, "fetched"))).length]).toEqual(["theirs", 2]);
    expect(host.commands()[0]).toContain(`/${home.path}/fetched/`);
    expect(host.commands()[0]?.split(" ")[3]).not.toContain("R");
  });

  it("http 83, 88; contexts 65: a removal is an rm below the home, whatever characters the name has", async () => {
    const odd = join(home.path, "odd $(touch x) 'q'");
    mkdirSync(there("odd $(touch x) 'q'/deep"), { recursive: true });
    home.user.own(host.tree);
    host.forgetCommands();
    await removeRemote(remote(), [odd], means());
    expect([Object.keys(treeOf(host.tree)).filter((path) => path.startsWith("odd") || path === "x"), host.commands()]).toEqual([[], [shellCommand(["rm", "-rf", "--", odd])]]);
    host.forgetCommands();
    expect(await codeOf(removeRemote(remote(), [odd, home.path], means()))).toBe("PROVISION_REMOTE_REMOVAL_REFUSED");
    expect(host.commands()).toEqual([]);
  });

  it.each([
    ["exit 12", "PROVISION_REMOTE_UNREACHABLE"],
    ["case $SSH_ORIGINAL_COMMAND in rsync*) { dd bs=1 count=60000 2>/dev/null; drop; } | sh -c \"$SSH_ORIGINAL_COMMAND\";; esac", "PROVISION_REMOTE_UNREACHABLE"],
    ["echo 'rsync: write failed: No space left on device (28)' >&2; exit 11", "PROVISION_REMOTE_NO_SPACE"],
    ["echo 'sh: 1: rsync: not found' >&2; exit 127", "DRUSH_RSYNC_FAILED"],
  ])("a push that fails by %s has a code of its own", async (fault, code) => {
    home.write("big/file", randomBytes(200_000));
    host.fault(fault);
    const thrown = await pushPaths(remote(), { paths: [join(home.path, "big")], filters: [] }, { means: means(), rsync: PLAIN }).catch((error: unknown) => error as ShimError);
    expect([thrown?.code, ((thrown?.cause ?? thrown) as ShimError).code]).toEqual(["DRUSH_RSYNC_FAILED", code]);
  });

  it("a command that does not end is ended, and one that is told to stop stops", async () => {
    expect(await codeOf(runRemote(remote(), { words: ["sleep", "60"], timeoutMs: 300 }, means()))).toBe("PROVISION_REMOTE_TIMEOUT");
    const abort = new AbortController();
    const running = codeOf(runRemote(remote(), { words: ["sleep", "60"], timeoutMs: 60_000 }, means({ signal: abort.signal })));
    abort.abort();
    expect(await running).toBe("PROVISION_INTERRUPTED");
    // The shared connection is still there for others.
    expect((await run("true")).status).toBe(0);
  });

  it("names that ssh could take for options are refused", async () => {
    for (const change of [{ host: "-oProxyCommand=touch x" }, { host: "a b" }, { user: "-l" }, { user: "a@b" }]) expect(await codeOf(runRemote(remote(change), { words: ["true"], timeoutMs: 1000 }, means()))).toBe("PROVISION_REMOTE_BAD_NAME");
  });

  it("a host that is down, not known, has another key or does not know us is an error with a code of its own, not a question", async () => {
    const alone = commandWords(`${hosts.sshOptions} -o ControlMaster=no -o ControlPath=none`);
    const attempt = (change: Partial<RemoteHost> = {}) => codeOf(runRemote(remote({ sshOptions: alone, ...change }), { words: ["true"], timeoutMs: 30_000 }, means()));
    expect(await attempt()).toBe("");
    expect(await attempt({ user: "nobody" })).toBe("PROVISION_REMOTE_REFUSED");
    expect(await attempt({ host: "no.such.host.invalid" })).toBe("PROVISION_REMOTE_UNREACHABLE");
    await host.shut();
    expect(await attempt()).toBe("PROVISION_REMOTE_UNREACHABLE");
    await host.open("new");
    expect(await attempt()).toBe("PROVISION_REMOTE_KEY_CHANGED");
    hosts.forget(host);
    expect(await attempt()).toBe("PROVISION_REMOTE_KEY_UNKNOWN");
    hosts.know(host);
    expect(await attempt()).toBe("");
  });
});
