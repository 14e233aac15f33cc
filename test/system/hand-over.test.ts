import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { phpFrom, type PlainRecord } from "../../src/php-values/convert.ts";
import type { PhpArray } from "../../src/php-values/php-array.ts";
import { openBareProgram, type BareProgram, type DrushCallNote } from "../support/bare-program.ts";
import { answer } from "../support/front-end.ts";
import { failedWith, failure, messages } from "../support/system-checks.ts";
import { type RunResult } from "../support/test-user.ts";
import { treeOf } from "../support/tree.ts";
import { until } from "../support/until.ts";

let program: BareProgram;
let withDrush: NodeJS.ProcessEnv;

beforeAll(() => {
  program = openBareProgram();
  withDrush = { PROVISION_SHIM_DRUSH: program.fakeDrush };
});
afterEach(() => void program.notes());
afterAll(() => program.home.remove());

/** A call that the shell hands over at once, one for which node looks first, and one that it hands over when it has read its input. */
const WAYS = {
  "at once": { words: ["core-status"], stdin: "" },
  "after a look": { words: ["@a,@b", "provision-verify"], stdin: "" },
  "with its input": { words: ["--backend", "@none", "provision-save", "@x"], stdin: '{"simulate":true}' },
} as const;
type Way = keyof typeof WAYS;
const ways = Object.keys(WAYS) as Way[];

function alias(name: string, record: PlainRecord): string {
  return program.home.write(`.drush/${name}.alias.drushrc.php`, aliasFileText(name, phpFrom(record) as PhpArray), 0o440);
}

function only(notes: readonly DrushCallNote[]): DrushCallNote {
  expect(notes).toHaveLength(1);
  return notes[0]!;
}

function backendAnswer({ stdoutBytes, stderr, ...ended }: RunResult) {
  return answer(Buffer.concat([Buffer.from(stderr), stdoutBytes]), ended, 0);
}

/** A program for the test's user. */
function script(name: string, text: string): string {
  const path = join(program.home.beside, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

describe("the call that the real drush gets", () => {
  it.each(ways)("%s: has the same words, whatever stands in them", async (way) => {
    const odd = ["", " ", "two words", "it's", '"', "$HOME `id` \\", "line\nbreak", "é😀", "--=", "--", "-", "--x=", "--y=a=b", "*", "@z"];
    const { status } = await program.run([...WAYS[way].words, ...odd], { env: withDrush, input: WAYS[way].stdin });
    expect([status, only(program.notes()).argv]).toEqual([0, [...WAYS[way].words, ...odd]]);
  });

  it.each(ways)("%s: runs in the same directory with the same environment, and what makes its children come to us", async (way) => {
    const cwd = program.home.makeDirectory("elsewhere");
    const env = { ...withDrush, OWN: "line\nbreak = 'é'", PHP_INI_SCAN_DIR: "/somewhere:" };
    await program.run([...WAYS[way].words], { env, input: WAYS[way].stdin, cwd });
    const note = only(program.notes());
    expect(note.cwd).toBe(cwd);
    const lib = join(program.folder, "lib");
    const { PWD, OLDPWD, _, SHLVL, ...got } = note.env;
    expect([PWD ?? cwd, OLDPWD ?? "", _ ?? "", SHLVL ?? ""][0]).toBe(cwd);
    expect({ ...got, PROVISION_SHIM_LIB: join(got["PROVISION_SHIM_LIB"]!), PHP_INI_SCAN_DIR: got["PHP_INI_SCAN_DIR"]!.replace("bin/../", "") }).toEqual({
      ...program.home.user.env, ...program.env, ...env,
      PHP_INI_SCAN_DIR: `/somewhere::${lib}/php-ini`,
      PROVISION_SHIM_LIB: lib,
      PROVISION_SHIM_REAL: program.fakeDrush,
      PROVISION_SHIM_CHAIN: expect.stringMatching(/^1:\d+$/) as string,
    });
  });

  it.each([[undefined, ":LIB/php-ini"], ["", "LIB/php-ini"], [":/x", ":/x:LIB/php-ini"]])("PHP_INI_SCAN_DIR %j becomes %j, in the shell and in node", async (before, after) => {
    for (const way of ways) {
      await program.run([...WAYS[way].words], { env: { ...withDrush, ...(before === undefined ? {} : { PHP_INI_SCAN_DIR: before }), FAKE_DRUSH: 'children "$DRUSH" core-status' }, input: WAYS[way].stdin });
      const scans = program.notes().map(({ env }) => env["PHP_INI_SCAN_DIR"]!.replace(/[^:]*\/lib(?=\/php-ini)/g, "LIB"));
      expect([way, scans]).toEqual([way, [after, after]]);
    }
  });

  it.each(["at once", "after a look"] as const)("%s: has the caller's own pipe for its input, of which no byte was taken", async (way) => {
    const { stdout } = await program.shell(`printf 'left for drush' | { readlink /proc/self/fd/0; exec "$DRUSH" "$@"; }`.replace('"$@"', WAYS[way].words.join(" ")), { env: { ...withDrush, FAKE_DRUSH: "leave-stdin\nchildren cat" } });
    const [pipe, rest] = stdout.split("\n");
    expect([only(program.notes()).fds[0]!.target, rest]).toEqual([pipe, "left for drush"]);
  });

  it("also in backend mode, when the words alone say that it is drush's", async () => {
    const { stdout } = await program.shell(`printf '{"a":1}' | { readlink /proc/self/fd/0; exec "$DRUSH" --backend=2 @a,@b provision-verify 2>/dev/null; }`, { env: withDrush });
    const note = only(program.notes());
    expect([note.fds[0]!.target, Buffer.from(note.stdin!, "base64").toString()]).toEqual([stdout.trim(), '{"a":1}']);
  });

  it("has a file without a name, for this user only, when its input was read to decide", async () => {
    const input = JSON.stringify({ simulate: true, secret: "x".repeat(300_000) });
    const temporary = program.home.makeDirectory("tmp");
    await program.run([...WAYS["with its input"].words], { env: { ...withDrush, TMPDIR: temporary }, input });
    const note = only(program.notes());
    expect(note.fds[0]).toMatchObject({ kind: "file", mode: "600", links: 0, target: expect.stringContaining(temporary) as string });
    expect(Buffer.from(note.stdin!, "base64").toString()).toBe(input);
    expect(Object.keys(treeOf(temporary))).toEqual([""]);
  });

  it.each(ways)("%s: keeps a terminal and /dev/null as they are", async (way) => {
    const words = WAYS[way === "with its input" ? "after a look" : way].words.join(" ");
    const backend = way === "with its input" ? "--backend" : "";
    const env = { ...withDrush, FAKE_DRUSH: "leave-stdin" };
    await program.shell(`"$DRUSH" ${backend} ${words} < /dev/null`, { env });
    await program.shell(`script -qec '"$DRUSH" ${backend} ${words}' /dev/null < /dev/null`, { env });
    const [fromNull, fromTerminal] = program.notes();
    expect(fromNull!.fds[0]!.target).toBe("/dev/null");
    expect(fromTerminal!.fds.map(({ target }) => target)).toEqual(Array(3).fill(expect.stringMatching(/^\/dev\/(?:pts\/|tty)/)));
  });

  it("a temporary directory that is not there is an error with its code, not a call without its options", async () => {
    const called = await program.run([...WAYS["with its input"].words], { env: { ...withDrush, TMPDIR: "/no/such/place" }, input: WAYS["with its input"].stdin });
    expect(failure(backendAnswer(called))).toEqual(failedWith("DRUSH_PERM_ERROR"));
    expect(program.notes()).toEqual([]);
  });

  it("does not find a byte of ours in what the caller has open", async () => {
    const place = join(program.home.path, "third");
    for (const words of ["@a,@b provision-verify", "--backend @a,@b provision-verify", "--backend=0 @a,@b provision-verify", "-vb @a,@b provision-verify", "--backend provision-save @third"]) {
      await program.shell(`"$DRUSH" ${words} 3> ${place} < /dev/null`, { env: withDrush });
      expect([words, readFileSync(place, "utf8")]).toEqual([words, ""]);
    }
  });
});

describe("how it ends", () => {
  it.each(ways.flatMap((way) => [0, 1, 7, 75, 255].map((status) => [way, status] as const)))("%s: with drush's own exit status %i and its output", async (way, status) => {
    const ended = await program.run([...WAYS[way].words], { env: { ...withDrush, FAKE_DRUSH: `say hello\nexit ${status}` }, input: WAYS[way].stdin });
    expect([ended.status, ended.signal, ended.stdout]).toEqual([status, null, "hello\n"]);
  });

  it.each(["at once", "after a look"] as const)("%s: by the same signal", async (way) => {
    for (const [number, signal] of [[15, "SIGTERM"], [9, "SIGKILL"], [6, "SIGABRT"]] as const) {
      const ended = await program.run([...WAYS[way].words], { env: { ...withDrush, FAKE_DRUSH: `signal ${number}` } });
      expect([ended.status, ended.signal]).toEqual([-1, signal]);
    }
  });

  it("protocol 71: in backend mode with a frame, when a signal ended it", async () => {
    for (const number of [15, 9]) {
      const ended = await program.run([...WAYS["with its input"].words], { env: { ...withDrush, FAKE_DRUSH: `signal ${number}` }, input: WAYS["with its input"].stdin });
      expect(failure(backendAnswer(ended))).toEqual({ ...failedWith("DRUSH_NOT_COMPLETED"), status: 128 + number });
    }
  });

  it("protocol 74: in backend mode there is one frame, its own", async () => {
    const called = await program.call(["@a,@b", "provision-verify"], { env: { ...withDrush, FAKE_DRUSH: "frame\nexit 1" } });
    expect([called.kind, called.frame["object"], called.status, called.errors]).toEqual(["frame", "real", 1, []]);
    expect(messages(called, "ok")).toEqual(["from the real drush"]);
  });

  it.each([...ways, "in backend mode"] as const)("%s: signals are passed on", async (way) => {
    const words = way === "in backend mode" ? ["--backend", ...WAYS["after a look"].words] : [...WAYS[way].words];
    const child = program.home.user.spawn([program.drush, ...words], { env: { ...program.home.user.env, ...program.env, ...withDrush, FAKE_DRUSH: "await-signals\nexit 3" }, stdio: "pipe" });
    child.stdin!.end(way === "with its input" ? WAYS[way].stdin : "");
    let said = "";
    child.stdout!.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise((resolve) => child.once("close", resolve));
    await until("drush waits for signals", () => said.includes("waiting"));
    child.kill("SIGTERM");
    await until("the first signal", () => said.includes("got 15"));
    child.kill("SIGHUP");
    expect(await ended).toBe(3);
    expect(said).toBe("waiting\ngot 15\ngot 1\n");
  });
});

describe("the launcher", () => {
  beforeAll(() => {
    const links = program.home.makeDirectory("links");
    symlinkSync(program.drush, join(links, "drush"));
    symlinkSync("drush", join(links, "again"));
  });

  it.each([
    ["as a program", '"$DRUSH"'],
    ["by a link to a link", "$HOME/links/again"],
    ["by its name in PATH", "PATH=$HOME/links:$PATH; export PATH; drush"],
    ["by a relative path", 'cd "${DRUSH%/bin/drush}/lib"; ../bin/drush'],
    ["as a script of PHP", 'php "$DRUSH"'],
    ["as a script of env's PHP, by a link", "/usr/bin/env php $HOME/links/again"],
    ["as a script of a PHP without its configuration", 'php -n "$DRUSH"'],
    ["as a script of a PHP that cannot replace itself", 'php -n -d disable_functions=pcntl_exec "$DRUSH"'],
    ["by bash", 'bash "${DRUSH%/bin/drush}/lib/launch" "$DRUSH"'],
  ])("works %s", async (_, called) => {
    const handed = await program.shell(`printf stdin | { ${called} '@hostmaster' hosting-dispatch "it's" ''; }`, { env: { ...withDrush, FAKE_DRUSH: "say out\nexit 9" } });
    expect([handed.status, handed.stdout]).toEqual([9, "out\n"]);
    const note = only(program.notes());
    expect([note.argv, Buffer.from(note.stdin!, "base64").toString()]).toEqual([["@hostmaster", "hosting-dispatch", "it's", ""], "stdin"]);
    const ours = await program.shell(`${called} --backend provision-save @launched 2>&1 </dev/null`);
    const saved = answer(ours.stdoutBytes, ours, 0);
    expect([saved.kind, saved.status, saved.errors]).toEqual(["frame", 0, []]);
  });

  it("works in a shell that is bash", async () => {
    const bash = join(program.home.beside, "bash-as-sh");
    mkdirSync(bash, { recursive: true });
    symlinkSync("/bin/bash", join(bash, "sh"));
    const { stdoutBytes, ...ended } = await program.shell(`"${bash}/sh" "\${DRUSH%/bin/drush}/lib/launch" "$DRUSH" --backend provision-save @launched 2>&1 </dev/null`);
    expect(answer(stdoutBytes, ended, 0)).toMatchObject({ kind: "frame", status: 0 });
    const killed = await program.shell(`"${bash}/sh" "\${DRUSH%/bin/drush}/lib/launch" "$DRUSH" --backend provision-save @launched 2>&1 </dev/null`, { env: { PROVISION_SHIM_NODE: script("dying-node", "#!/bin/sh\nkill -9 $$\n") } });
    expect(failure(answer(killed.stdoutBytes, killed, 0))).toEqual({ ...failedWith("DRUSH_NOT_COMPLETED"), status: 255 });
  });

  it("is read by PHP without a word of output of its own", async () => {
    const { stdout } = await program.shell('php -n -l "$DRUSH"');
    expect(stdout).toContain("No syntax errors");
  });

  it.each(["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])("works with descriptors that its caller has closed: %s", async (closed) => {
    const name = `closed${closed.length}`;
    const { status, stdout, stderr } = await program.shell(`"$DRUSH" --backend provision-save @${name} ${closed}`);
    expect([status, existsSync(join(program.home.path, `.drush/${name}.alias.drushrc.php`))]).toEqual([0, true]);
    if (!closed.includes(">&- ")) expect(stdout + stderr).not.toContain("launch");
  });
});

describe("a real drush that leads back to us", () => {
  const drushes: Record<string, () => string> = {
    "our launcher": () => program.drush,
    "a link to it": () => {
      const link = join(program.home.beside, "link-to-us");
      rmSync(link, { force: true });
      symlinkSync(program.drush, link);
      return link;
    },
    "another copy of us": () => {
      const copy = join(program.home.beside, "copy");
      spawnSync("cp", ["-a", program.folder, copy]);
      return join(copy, "bin/drush");
    },
    "a shell script that becomes us": () => script("wrapper-exec", `#!/bin/sh\nexec ${program.drush} "$@"\n`),
    "a shell script that starts us": () => script("wrapper-start", `#!/bin/sh\n${program.drush} "$@"\n`),
    "a script that starts us as a script of PHP": () => script("wrapper-php", `#!/bin/sh\nexec php ${program.drush} "$@"\n`),
    "a program in PHP that starts us": () => script("wrapper-in-php", `#!/usr/bin/env php\n<?php pcntl_exec('${program.drush}', array_slice($argv, 1));\n`),
    "a node program that starts us": () => script("wrapper-node", `#!/usr/bin/env node\nprocess.exit(require("child_process").spawnSync(${JSON.stringify(program.drush)}, process.argv.slice(2), { stdio: "inherit" }).status);\n`),
  };

  it.each(Object.entries(drushes))("%s: is PROVISION_DRUSH_LOOP, at once", async (_, drush) => {
    const env = { PROVISION_SHIM_DRUSH: drush() };
    for (const words of [["core-status"], ["@a,@b", "provision-verify"]]) {
      const inBackend = await program.call(words, { env, timeout: 120_000 });
      expect(failure(inBackend)).toEqual(failedWith("PROVISION_DRUSH_LOOP"));
      const before = performance.now();
      const onTerminal = await program.run(words, { env, timeout: 120_000 });
      expect([onTerminal.status, onTerminal.stdout]).toEqual([1, ""]);
      expect(onTerminal.stderr).toMatch(/\[PROVISION_DRUSH_LOOP\]/);
      // 2 s is promised; a test machine may be busy.
      expect(performance.now() - before).toBeLessThan(60_000);
    }
  });
});

describe("no real drush", () => {
  const nowhere: Record<string, () => string | undefined> = {
    "is known": () => undefined,
    "is there": () => "/no/such/drush",
    "may be run": () => {
      const path = script("not-a-program", "#!/bin/sh\n");
      chmodSync(path, 0o644);
      return path;
    },
    "is a program": () => program.home.beside,
    "has its interpreter": () => script("no-interpreter", "#!/no/such/interpreter\n"),
  };

  it.each(Object.entries(nowhere))("%s: is PROVISION_NO_REAL_DRUSH, in the protocol and for people", async (_, drush) => {
    const path = drush();
    const env = path === undefined ? {} : { PROVISION_SHIM_DRUSH: path };
    const before = treeOf(program.home.path);
    for (const words of [["@a,@b", "provision-verify"], ["no-such-command", "x"]]) {
      // What cannot be started although it may is found out too late for the shell.
      if (words[0] === "no-such-command" && /interpreter|shim-test-\w+$/.test(path ?? "")) continue;
      const inBackend = await program.call(words, { env });
      expect(failure(inBackend)).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
      const onTerminal = await program.run(words, { env });
      expect([onTerminal.status, onTerminal.stdout]).toEqual([1, ""]);
      expect(onTerminal.stderr).toMatch(/\[PROVISION_NO_REAL_DRUSH\]/);
    }
    expect(treeOf(program.home.path)).toEqual(before);
  });
});

describe("what makes a call the real drush's", () => {
  async function handedOver(words: readonly string[], { stdin = "", env = {} }: { stdin?: string; env?: NodeJS.ProcessEnv } = {}) {
    const before = treeOf(program.home.path);
    const called = await program.call(words, { stdin, env: { ...withDrush, FAKE_DRUSH: "frame", ...env } });
    expect([called.kind, called.frame["object"], called.status]).toEqual(["frame", "real", 0]);
    expect(only(program.notes()).argv).toEqual(["--backend=2", ...words]);
    expect(treeOf(program.home.path)).toEqual(before);
    return called;
  }

  it("PROVISION_SHIM_NATIVE=0", async () => {
    await handedOver(["provision-save", "@x"], { env: { PROVISION_SHIM_NATIVE: "0" } });
    expect(failure(await program.call(["provision-save", "@x"], { env: { PROVISION_SHIM_NATIVE: "0" } }))).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
  });

  it("commandsWithDrush in the configuration, for those commands only", async () => {
    program.home.write(".provision-shim/config.json", JSON.stringify({ commandsWithDrush: ["provision-save"] }, null, 2));
    try {
      const called = await handedOver(["provision-save", "@x"]);
      expect(messages(called, "debug").join()).toContain("the configuration, which leaves provision-save to it");
      expect(failure(await program.call(["@nobody", "provision-verify"], { env: withDrush }))).toEqual(failedWith("DRUSH_BOOTSTRAP_NO_ALIAS"));
    } finally {
      rmSync(join(program.home.path, ".provision-shim/config.json"));
    }
  });

  it("an extension in ~/.drush that hooks the command: with one notice", async () => {
    program.home.write(".drush/own/own.drush.inc", "<?php\nfunction drush_own_post_provision_save() {}\n");
    try {
      const called = await handedOver(["provision-save", "@x"], { stdin: '{"context_type":"server"}' });
      expect(messages(called, "notice")).toEqual([expect.stringMatching(/^Handed over to the real drush because of the hook drush_own_post_provision_save in .*own\.drush\.inc\.$/)]);
      expect(called.errors).toEqual([]);
      program.home.write(".provision-shim/config.json", '{\n  "ignoredExtensions": ["own"]\n}\n');
      expect((await program.call(["provision-save", "@ignored"], { env: withDrush })).frame["object"]).toEqual([]);
    } finally {
      rmSync(join(program.home.path, ".drush/own"), { recursive: true });
      rmSync(join(program.home.path, ".provision-shim/config.json"), { force: true });
    }
  });

  it("protocol 97: a list as target, whatever makes it one; without a real drush the error names it and nothing is done", async () => {
    alias("many", { "site-list": ["@a", "@b"] });
    for (const target of ["@many", "@a,@b", "a,b"]) {
      await handedOver([target, "provision-verify"]);
      const refused = await program.call([target, "provision-verify"]);
      expect(failure(refused)).toEqual(failedWith("PROVISION_NO_REAL_DRUSH"));
      expect(refused.messages["PROVISION_NO_REAL_DRUSH"]).toContain(target);
    }
  });

  it("but not a list that contains itself, on which drush would never end", async () => {
    alias("circle", { "site-list": ["@other", "@circle"] });
    expect(failure(await program.call(["@circle", "provision-verify"], { env: withDrush }))).toEqual(failedWith("ALIAS_LIST_LOOP"));
    expect(program.notes()).toEqual([]);
  });

  it.each([
    ["a remote alias", { "remote-host": "other.test", "remote-user": "aegir" }],
    ["an alias with its own PHP", { php: "/usr/bin/php5" }],
    ["an alias with another drush", { "path-aliases": { "%drush-script": "/opt/drush" } }],
    ["an alias with options for the command", { "command-specific": { "provision-verify": { x: 1 } } }],
  ])("%s", async (_, record) => {
    alias("special", { context_type: "server", ...record });
    await handedOver(["@special", "provision-verify"]);
  });

  it.each(["user@host.test/srv/drupal#site", "/srv/drupal#site", "#site"])("the target %s", async (target) => {
    await handedOver([target, "provision-verify"]);
  });

  it("self.alias.drushrc.php, for a call without a target", async () => {
    const file = alias("self", { uri: "self.test" });
    await handedOver(["provision-verify"]);
    rmSync(file);
    expect(failure(await program.call(["provision-verify"], { env: withDrush }))).toEqual(failedWith("PROVISION_NO_CONTEXT"));
  });

  it("a site that was chosen by site-set for this shell", async () => {
    const temporary = program.home.makeDirectory("chosen");
    program.home.write(`chosen/drush-env-${program.home.user.name}/drush-drupal-site-4711`, "@x");
    await handedOver(["provision-verify"], { env: { TMPDIR: temporary, DRUSH_SHELL_PID: "4711" } });
    expect(failure(await program.call(["provision-verify"], { env: { ...withDrush, TMPDIR: temporary, DRUSH_SHELL_PID: "1" } }))).toEqual(failedWith("PROVISION_NO_CONTEXT"));
  });

  it.each(["--simulate", "--pipe", "--include=/x", "--help", "--config=/x", "--user=1", "-s", "-p", "-h"])("the option %s, on the command line and posted", async (option) => {
    await handedOver(["provision-save", "@x", option]);
    const [name, value] = option.replace(/^--/, "").split("=");
    if (option.startsWith("--")) await handedOver(["provision-save", "@x"], { stdin: JSON.stringify({ [name!]: value ?? true }) });
  });

  it("the configuration names it, in the form that the shell reads and in any other", async () => {
    for (const text of [JSON.stringify({ drush: program.fakeDrush, lockWaitSeconds: 9 }, null, 2), JSON.stringify({ drush: program.fakeDrush }), `{"drush": ${JSON.stringify(program.fakeDrush).replace("fake", "\\u0066ake")}}`]) {
      program.home.write(".provision-shim/config.json", text);
      for (const words of [["core-status"], ["@a,@b", "provision-verify"]]) {
        expect([text, (await program.call(words, { env: { FAKE_DRUSH: "frame" } })).frame["object"]]).toEqual([text, "real"]);
      }
    }
    program.home.write(".provision-shim/config.json", '{\n  "drush": "relative"\n}\n');
    expect(failure(await program.call(["core-status"]))).toEqual(failedWith("PROVISION_SHIM_CONFIG_BROKEN"));
    rmSync(join(program.home.path, ".provision-shim/config.json"));
  });
});

describe("the file that PHP reads before the real drush", () => {
  const prepend = () => join(program.folder, "lib/prepend.php");

  it("is PHP for every version that may run below a drush 8", () => {
    expect(spawnSync("php", ["-n", "-l", prepend()]).status).toBe(0);
    // What PHP 5.3 does not know: short arrays, ??, <=>, typed parameters, ::class, generators.
    expect(readFileSync(prepend(), "utf8").replaceAll(/^ \*.*|\/\/.*/gm, "")).not.toMatch(/\[\s*(?:'[^']*'\s*(?:=>|,)|\])|\?\?|<=>|\bfn\s*\(|::class|\byield\b|\):\s*\w/);
  });

  it("makes its children ours: it takes our launcher for its own name", async () => {
    const { status } = await program.run(["core-status"], { env: { ...withDrush, FAKE_DRUSH: "children %s --backend=2 provision-save '@child' --client_name=x" } });
    expect(status).toBe(0);
    expect(only(program.notes()).name.replace("lib/../", "")).toBe(program.drush);
    expect(existsSync(join(program.home.path, ".drush/child.alias.drushrc.php"))).toBe(true);
  });

  it.each([
    ["a program in PHP that starts the drush.php beside it", "#!/usr/bin/env php\n<?php pcntl_exec(PHP_BINARY, array_merge(array(__DIR__ . '/drush.php'), array_slice($argv, 1)));"],
    ["a shell script that starts the drush.php beside it", '#!/bin/sh\nexec php "$(dirname "$0")/drush.php" "$@"\n'],
  ])("also when the real drush is %s", async (_, text) => {
    const folder = join(program.home.beside, "drush-8");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "drush.php"), readFileSync(program.fakeDrush, "utf8").replace(/^#!.*\n/, ""));
    const drush = script("drush-8/drush", text);
    await program.run(["core-status", "x"], { env: { PROVISION_SHIM_DRUSH: drush } });
    const note = only(program.notes());
    expect([note.name.replace("lib/../", ""), note.argv]).toEqual([program.drush, ["core-status", "x"]]);
  });

  it("leaves other programs below drush alone, and a drush of another place", async () => {
    const other = script("other.php", "<?php echo json_encode([$_SERVER['argv'], $argv, getenv('PROVISION_SHIM_HANDOVER')]), \"\\n\";");
    const elsewhere = join(program.home.beside, "elsewhere");
    mkdirSync(elsewhere, { recursive: true });
    script("elsewhere/fake-drush", readFileSync(other, "utf8"));
    const calls = [`php ${other} x`, `php -r 'echo json_encode([$_SERVER["argv"], $argv, getenv("PROVISION_SHIM_HANDOVER")]), "\\n";' x`, `php ${elsewhere}/fake-drush x`, `echo '<?php echo json_encode([$_SERVER["argv"], $argv, 0]), "\\n";' | php`, `cd ${program.home.beside} && php other.php x`];
    const { stdout } = await program.run(["core-status"], { env: { ...withDrush, FAKE_DRUSH: calls.map((call) => `children ${call}`).join("\n") } });
    const said = stdout.trimEnd().split("\n").map((line) => (JSON.parse(line) as [string[], string[], unknown]).slice(0, 2));
    expect(said).toEqual([[[other, "x"], [other, "x"]], [["Standard input code", "x"], ["Standard input code", "x"]], [[`${elsewhere}/fake-drush`, "x"], [`${elsewhere}/fake-drush`, "x"]], [["Standard input code"], ["Standard input code"]], [["other.php", "x"], ["other.php", "x"]]]);
  });

  it("is not there for PHP that we start ourselves", async () => {
    const scanned = join(program.home.path, "scanned");
    program.home.write(".drush/dynamic.alias.drushrc.php", `<?php file_put_contents('${scanned}', getenv('PHP_INI_SCAN_DIR') . '|' . getenv('PROVISION_SHIM_REAL')); $aliases['dynamic'] = array('context_type' => 'server', 'x' => strrev('x'));`);
    await program.run(["core-status"], { env: { ...withDrush, FAKE_DRUSH: "children %s --backend=2 @dynamic provision-verify" } });
    expect(readFileSync(scanned, "utf8")).toBe("|");
    rmSync(join(program.home.path, ".drush/dynamic.alias.drushrc.php"));
  });
});

