// Loaded into our program by NODE_OPTIONS=--require: counts what it does to the world, and at one of these points kills it or lets the call fail.
//
// SHIM_FAULT is JSON: { kind, n, report, errno, how, where, port }. `kind` names what is counted (see COUNTED); at the n-th of them, the first is 1, the fault happens. The file
// `report` gets { fired, counts }: what was hit, and how many points there were. Never part of the program.
"use strict";
const settings = process.env.SHIM_FAULT;
delete process.env.SHIM_FAULT;
// Children are not to be counted, and do not need to know.
delete process.env.NODE_OPTIONS;
if (settings !== undefined && /[/]load[.]cjs$/.test(process.argv[1] ?? "")) arm(JSON.parse(settings));

function arm(fault) {
  const fs = require("node:fs");
  const net = require("node:net");
  const childProcess = require("node:child_process");
  const { syncBuiltinESMExports } = require("node:module");
  const { openSync, writeSync, closeSync, renameSync } = fs;
  const counts = { journal: 0, call: 0, child: 0, statement: 0 };
  const COUNTED = { "kill-journal": "journal", "kill-call": "call", "fail-call": "call", "fail-calls-from": "call", "fail-child": "child", "kill-child": "child", "kill-statement": "statement", "fail-statement": "statement", "stop-call": "call" };
  let fired;
  let inside = 0;

  function report() {
    const staged = `${fault.report}.${process.pid}`;
    const descriptor = openSync(staged, "w", 0o644);
    writeSync(descriptor, JSON.stringify({ fired, counts, pid: process.pid }));
    closeSync(descriptor);
    renameSync(staged, fault.report);
  }
  process.on("exit", report);

  function die(what) {
    fired = what;
    report();
    process.kill(process.pid, "SIGKILL");
  }

  /** Counts a point; true when the fault is to happen here. */
  function hits(counter, what) {
    counts[counter] += 1;
    if (COUNTED[fault.kind] !== counter) return false;
    const isHere = fault.kind === "fail-calls-from" ? counts[counter] >= fault.n : counts[counter] === fault.n;
    if (isHere && fired === undefined) {
      fired = what;
      report();
    }
    return isHere;
  }

  function systemError(call, path) {
    const errno = { ENOSPC: -28, EACCES: -13, EIO: -5 }[fault.errno];
    return Object.assign(new Error(`${fault.errno}: injected by a test, ${call} '${path}'`), { errno, code: fault.errno, syscall: call, path });
  }

  // Where journals are written.
  const journals = new Set();
  const isJournal = (path) => /[/]journal[.]ndjson$/.test(String(path));
  /** What would fail on a disk that is full; to remove something is always possible. */
  const TAKES_SPACE = /^(open|write|writev|writeFile|appendFile|mkdir|mkdtemp|symlink|link|copyFile|cp|fsync|sync|fdatasync|datasync)$/;
  const own = (target) => (typeof target === "number" ? target > 3 : true);

  /** What is to happen at this call: an error to give, or nothing. */
  function fileCall(call, target) {
    if (!own(target)) return undefined;
    const what = `${call} ${String(target)}`;
    if (fault.kind === "fail-calls-from" && fault.errno === "ENOSPC" && !TAKES_SPACE.test(call)) {
      counts.call += 1;
      return undefined;
    }
    if (!hits("call", what)) return undefined;
    if (fault.kind === "kill-call") die(what);
    if (fault.kind === "stop-call") process.kill(process.pid, "SIGTERM");
    return fault.kind.startsWith("fail-call") ? systemError(call, target) : undefined;
  }

  const isReading = (flags) => flags === undefined || flags === "r" || flags === 0 || (typeof flags === "number" && (flags & 0o103) === 0);
  const MUTATING = ["open", "write", "writev", "writeFile", "appendFile", "fsync", "fdatasync", "ftruncate", "truncate", "rename", "link", "symlink", "unlink", "mkdir", "mkdtemp", "rmdir", "rm", "chmod", "fchmod", "lchmod", "chown", "fchown", "lchown", "copyFile", "cp", "utimes", "futimes", "lutimes"];
  const names = (name, args) => (name === "symlink" ? args[1] : name === "rename" || name === "link" ? `${args[0]} -> ${args[1]}` : args[0]);

  /** A line of the journal is one write; the kill comes before it, in the middle of it, or after it. */
  function journalled(name, args, run) {
    const touches = (name === "open" && isJournal(args[0]) && !isReading(args[1])) || (name === "write" && journals.has(args[0])) || (name === "unlink" && isJournal(args[0])) || ((name === "mkdir" || name === "rm") && /[.]provision-shim[/]journal[/][^/]+$/.test(String(args[0])));
    if (!touches) return run();
    const what = `${name} of the journal${name === "write" ? `: ${Buffer.from(args[1]).toString().trim().slice(0, 160)}` : ""}`;
    const isHere = hits("journal", what) && fault.kind === "kill-journal";
    if (isHere && fault.where === "before") die(what);
    if (isHere && fault.where === "half") {
      if (name === "write") writeSync(args[0], args[1].subarray(0, Math.floor(args[1].length / 2)));
      die(`half of ${what}`);
    }
    const result = run();
    if (name === "open") journals.add(result);
    if (isHere) die(what);
    return result;
  }

  const { closeSync: close } = fs;
  fs.closeSync = function (descriptor) {
    journals.delete(descriptor);
    return close.call(this, descriptor);
  };

  for (const name of MUTATING) {
    const sync = fs[`${name}Sync`];
    if (sync !== undefined) {
      fs[`${name}Sync`] = function (...args) {
        if (inside > 0 || (name === "open" && isReading(args[1]))) return sync.apply(this, args);
        inside += 1;
        try {
          return journalled(name, args, () => {
            const error = fileCall(name, names(name, args));
            if (error !== undefined) throw error;
            return sync.apply(this, args);
          });
        } finally {
          inside -= 1;
        }
      };
    }
    const callback = fs[name];
    if (typeof callback === "function") {
      fs[name] = function (...args) {
        if (inside > 0 || (name === "open" && isReading(args[1]))) return callback.apply(this, args);
        const error = fileCall(name, names(name, args));
        if (error === undefined) return callback.apply(this, args);
        const done = args.at(-1);
        process.nextTick(() => done(error));
        return undefined;
      };
    }
    const promised = fs.promises[name];
    if (typeof promised === "function") {
      fs.promises[name] = async function (...args) {
        if (!(name === "open" && isReading(args[1]))) {
          const error = fileCall(name, names(name, args));
          if (error !== undefined) throw error;
        }
        const result = await promised.apply(this, args);
        if (name === "open") watchHandle(result, args[0]);
        return result;
      };
    }
  }

  function watchHandle(handle, path) {
    for (const name of ["write", "writev", "writeFile", "appendFile", "sync", "datasync", "chmod", "chown", "truncate", "utimes"]) {
      const method = handle[name];
      handle[name] = async function (...args) {
        const error = fileCall(name, path);
        if (error !== undefined) throw error;
        return method.apply(this, args);
      };
    }
  }

  const { spawn } = childProcess;
  childProcess.spawn = function (file, args, options) {
    const what = `${file} ${(args ?? []).join(" ")}`.slice(0, 300);
    const isHere = hits("child", what);
    if (!isHere || fault.kind === "kill-child") {
      if (isHere && fault.where === "before") die(what);
      const child = spawn.call(this, file, args, options);
      if (isHere) die(what);
      return child;
    }
    if (fault.how === "exit") return spawn.call(this, "/bin/sh", ["-c", "exit 1"], options);
    if (fault.how === "missing") return spawn.call(this, `${file}.is-not-there`, args, options);
    return spawn.call(this, "/bin/sleep", ["1000"], options);
  };

  if (fault.port !== undefined) {
    const { write } = net.Socket.prototype;
    net.Socket.prototype.write = function (...args) {
      if (this.remotePort !== fault.port) return write.apply(this, args);
      const what = `statement ${Buffer.from(args[0]).subarray(5, 160).toString("latin1").replace(/[^ -~]/g, ".")}`;
      if (!hits("statement", what)) return write.apply(this, args);
      if (fault.kind === "kill-statement" && fault.where === "before") die(what);
      if (fault.kind === "fail-statement" && fault.where === "before") {
        this.destroy(Object.assign(new Error("read ECONNRESET, injected by a test"), { code: "ECONNRESET", errno: -104, syscall: "read" }));
        return false;
      }
      const result = write.apply(this, args);
      if (fault.kind === "kill-statement") die(what);
      // The server does it, and its answer is lost.
      if (fault.kind === "fail-statement") setImmediate(() => this.destroy(Object.assign(new Error("read ECONNRESET, injected by a test"), { code: "ECONNRESET", errno: -104, syscall: "read" })));
      return result;
    };
  }
  syncBuiltinESMExports();
}
