/**
 * Which room of src/ may import from which (see docs/architecture.md). An import that is not listed goes up the house and is an error.
 */
const GROUND = ["errors", "php-values"];
const ROOMS = {
  errors: [],
  "php-values": [],
  "backend-protocol": GROUND,
  files: GROUND,
  processes: GROUND,
  aliases: [...GROUND, "files", "processes"],
  contexts: [...GROUND, "files", "aliases"],
  database: [...GROUND, "files", "processes"],
  backups: [...GROUND, "files", "processes", "task"],
  task: [...GROUND, "files"],
  drupal: [...GROUND, "files", "processes", "database", "contexts", "aliases", "task"],
  remote: [...GROUND, "files", "processes"],
  web: [...GROUND, "files", "processes", "contexts", "remote", "task"],
  "real-drush": [...GROUND, "files", "processes", "aliases", "backend-protocol"],
  reporters: [...GROUND, "files", "task", "backend-protocol"],
  swap: [...GROUND, "files", "processes", "aliases", "real-drush"],
  commands: [...GROUND, "files", "processes", "aliases", "contexts", "database", "backups", "task", "drupal", "remote", "web", "backend-protocol"],
};

function roomOf(path) {
  const match = /\/src\/([^/]+)\//.exec(path);
  return match?.[1];
}

export default {
  meta: { type: "problem", schema: [], messages: { up: "The room {{from}} may not use {{to}} (scripts/lint/rooms.js)." } },
  create(context) {
    const from = roomOf(context.filename);
    if (from === undefined || !(from in ROOMS)) return {};
    const check = (node) => {
      const source = node.source?.value;
      if (typeof source !== "string" || !source.startsWith(".")) return;
      const path = new URL(source, `file://${context.filename}`).pathname;
      if (!path.includes("/src/")) return;
      const to = roomOf(path);
      // A file directly below src/ (main.ts and the like) is the top floor.
      const allowed = to === from || (to !== undefined && ROOMS[from].includes(to));
      if (!allowed) context.report({ node, messageId: "up", data: { from, to: to ?? "src/" } });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check, ImportExpression: check };
  },
};
