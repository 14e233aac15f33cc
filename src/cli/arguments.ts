import parse from "yargs-parser";
import { ShimError } from "../errors/shim-error.ts";

/** Switches that every command of `provision` has. */
export interface CommonOptions {
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

export interface CliArguments extends CommonOptions {
  /** First word: `verify`, `swap`, … */
  readonly command: string | undefined;
  readonly words: readonly string[];
  /** All other options, as given. A switch without a value is true. */
  readonly options: ReadonlyMap<string, string | true>;
}

const SWITCHES = ["json", "dry-run", "verbose", "help", "version"];

/** @throws ShimError CLI_BAD_OPTION */
export function parseCli(words: readonly string[]): CliArguments {
  const parsed = parse([...words], {
    boolean: SWITCHES,
    alias: { verbose: ["v"], help: ["h"] },
    configuration: {
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "dot-notation": false,
      "camel-case-expansion": false,
      "boolean-negation": false,
      "duplicate-arguments-array": false,
      "greedy-arrays": false,
      "strip-aliased": true,
    },
  });
  const options = new Map<string, string | true>();
  const values: Record<string, unknown> = parsed;
  for (const [key, value] of Object.entries(values)) {
    if (key === "_" || SWITCHES.includes(key)) continue;
    if (value !== true && typeof value !== "string") throw new ShimError("CLI_BAD_OPTION", `The option --${key} cannot be used so.`, { hint: `write --${key}=value` });
    options.set(key, value);
  }
  const isOn = (name: string): boolean => parsed[name] === true;
  const [command, ...rest] = parsed._.map(String);
  return { command, words: rest, options, json: isOn("json"), dryRun: isOn("dry-run"), verbose: isOn("verbose"), help: isOn("help"), version: isOn("version") };
}

/** Refuses options that the command does not have. */
export function onlyOptions(given: CliArguments, known: readonly string[]): void {
  for (const key of given.options.keys()) {
    if (!known.includes(key)) {
      throw new ShimError("CLI_BAD_OPTION", `provision ${given.command ?? ""} has no option --${key}.`, { hint: `\`provision ${given.command ?? ""} --help\` lists them` });
    }
  }
}
