/** Pieces of which the streams of the property test and the fuzz run are made: all that a child may send, whole, broken and nearly right. */

const START = "DRUSH_BACKEND_OUTPUT_START>>>";
const END = "<<<DRUSH_BACKEND_OUTPUT_END";

function packet(payload: string): string {
  return `\0DRUSH_BACKEND:${payload}\n\0`;
}

function log(message: string, type = "notice"): string {
  return packet(JSON.stringify({ type, message, timestamp: 1795349704.5, memory: 9345904, error: null, packet: "log" }));
}

const FRAME = JSON.stringify({ output: "a\nb", object: [1], error_status: 0, log: [{ type: "ok", message: "m" }], error_log: [1], context: { "10": "x", "2": true, b: null } });

const TEXTS = [
  "text\n", "x", "\0", "\0\0", "\n", "D", "DRUSH_BACKEND:", "\0DRUSH_BACKEND", "\0DRUSH_BACKEND_", "\0DRUSH_BACKEND_OUTPUT_START>>", "DRUSH_BACKEND_OUTPUT_START>", "\0D",
  "<<<", END, "a line of 80 characters ".repeat(4), "\u00c3", "\u00ff\u00fe", "caf\u00c3\u00a9", "\0DRUSH_BACKEN\0DRUSH_BACKEND", "DDDRUSH",
];

const PACKETS = [
  log("Bootstrap to phase 0.", "bootstrap"), log(`quotes ${START}{}${END} in a message`), log("caf\u00c3\u00a9"), log("\\u0000 \"quoted\""), log("x".repeat(300)),
  packet(JSON.stringify({ error: "PROVISION_X", message: "it failed", packet: "set_error" })), packet('{"packet":"other"}'),
  "\0DRUSH_BACKEND:" + JSON.stringify({ error: "NO_LINE_FEED", message: "", packet: "set_error" }) + "\0",
  packet(""), packet("garbage"), packet("{}"), packet("[1]"), packet("5"), packet('{"packet":null}'), packet('{"packet":"log"'), packet('{"packet":"log","message":"\u00ff"}'),
];

const UNTERMINATED = ['\0DRUSH_BACKEND:{"type":"ok","mess', "\0DRUSH_BACKEND:"];

const FRAMES = [
  `\0${START}${FRAME}${END}`, `${START}${FRAME}${END}`, `\0${START}[]${END}`, `\0${START}{"output":"${START} ${END} \\u0000"}${END}`,
  `\0${START}${END}`, `\0${START}5${END}`, `\0${START}null${END}`, `\0${START}{"output":"\u00ff"}${END}`, `\0${START}{"output":${END}`, `\0${START}${FRAME}`, `\0${START}0${END}`,
];

function bytes(pieces: readonly string[]): readonly Buffer[] {
  return pieces.map((piece) => Buffer.from(piece, "latin1"));
}

export const TEXT_PIECES = bytes(TEXTS);
export const PACKET_PIECES = bytes(PACKETS);
export const FRAME_PIECES = bytes(FRAMES);
export const BROKEN_PIECES = bytes(UNTERMINATED);
