import { BackendReader, type StreamEvent } from "../backend-protocol/read-stream.ts";
import { drushCall, type DrushCall } from "../backend-protocol/drush-call.ts";
import { ShimError } from "../errors/shim-error.ts";
import { groupHasEnded, signalGroup } from "../processes/process-group.ts";
import { realDrushEnvironment } from "./environment.ts";
import { usableDrush, type DrushPlace } from "./hand-over.ts";

/** Where a child of ours starts the real drush. */
export interface DrushChild extends DrushPlace {
  readonly cwd: string;
  readonly signal: AbortSignal;
}

export interface DrushRun extends DrushChild {
  readonly call: DrushCall;
  /** Told the process id, which leads a group of its own, as soon as there is one. */
  readonly onStart: (pid: number) => void;
  readonly onLog: (type: string, message: string) => void;
  /** Told each failure that the child reports, once. */
  readonly onError: (error: ShimError) => void;
}

const PATIENCE_MS = 60_000;

/**
 * A call of the real drush by its backend protocol, as drush 8.4.12 makes one on another site (drush_invoke_process()): what the child logs and the
 * errors it sets are told while it runs.
 *
 * @throws ShimError PROVISION_NO_REAL_DRUSH, PROVISION_DRUSH_LOOP when there is none to call; PROVISION_INTERRUPTED when aborted
 */
export async function runDrush(run: DrushRun): Promise<void> {
  const drush = usableDrush(run);
  const { argv } = drushCall(run.call);
  const { spawn } = await import("node:child_process");
  let failures = 0;
  const fail = (error: ShimError): void => {
    failures += 1;
    run.onError(error);
  };
  const tell = (events: readonly StreamEvent[]): void => {
    for (const event of events) {
      if (event.kind === "text") continue;
      const { packet } = event;
      if (packet.kind === "log") run.onLog(packet.type, packet.message);
      else if (packet.kind === "set_error") fail(new ShimError(packet.error, packet.message));
    }
  };
  const reader = new BackendReader();
  let leader: number | undefined;
  const status = await new Promise<number | null>((resolve, reject) => {
    // One pipe for both outputs, as drush has it: the order of packets and frame counts.
    const child = spawn("/bin/sh", ["-c", 'exec "$0" "$@" 2>&1', drush, ...argv], {
      cwd: run.cwd,
      env: { ...realDrushEnvironment(run.variables, { ...run, drush }) },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    leader = child.pid;
    const stop = (): void => signalGroup(child.pid, "SIGTERM");
    run.signal.addEventListener("abort", stop);
    if (run.signal.aborted) stop();
    let failure: Error | undefined;
    try {
      if (child.pid !== undefined) run.onStart(child.pid);
    } catch (thrown) {
      failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      stop();
    }
    child.stdout.on("data", (chunk: Buffer) => {
      tell(reader.push(chunk));
    });
    child.on("error", (cause) => {
      reject(new ShimError("PROVISION_NO_REAL_DRUSH", `The real drush ${drush} could not be started: ${cause.message}`, { cause }));
    });
    child.on("close", (code) => {
      run.signal.removeEventListener("abort", stop);
      if (failure === undefined) resolve(code);
      else reject(failure);
    });
  });
  const { events, outcome } = reader.end(status);
  tell(events);
  // A drush that was stopped, or broke, leaves the call that it has made of us behind, which still takes back its changes.
  if (leader !== undefined && (run.signal.aborted || outcome.kind !== "frame")) await groupHasEnded(leader, PATIENCE_MS);
  if (run.signal.aborted) throw new ShimError("PROVISION_INTERRUPTED", `${run.call.command} was told to stop.`);
  if (failures > 0) return;
  const name = [run.call.target, run.call.command, ...(run.call.args ?? [])].join(" ");
  if (outcome.kind !== "frame") {
    fail(new ShimError("DRUSH_FRAMEWORK_ERROR", `"drush ${name}" could not be executed successfully: it ended with status ${status ?? "(a signal)"} and without its result.`));
  } else if (status !== 0) {
    fail(new ShimError("DRUSH_APPLICATION_ERROR", `"drush ${name}" ended with status ${status ?? "(a signal)"}.`));
  }
}
