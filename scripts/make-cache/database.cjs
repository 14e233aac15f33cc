// A database server for the warm-up: it speaks the protocol, and answers the statements of our tasks with what lets them go on. All that it keeps is which databases were dropped.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const mysql = require("mysql2");

const VAR_STRING = 253;

/** What a statement is answered: rows; others are answered that they are done. */
function answers(platform) {
  const table = ["system", "users", "variable", "cache", "cache_menu", "block_custom", "field_data_body"];
  return [
    [/^SELECT \* FROM `system`/, systemRows(platform)],
    [/^SELECT filename FROM `system`/, systemRows(platform).map(({ filename }) => ({ filename }))],
    [/^SELECT uid, pass, login, mail FROM users/, [{ uid: "1", pass: "$S$warm", login: "1", mail: "warm@warm.test" }]],
    [/^SELECT value FROM variable WHERE name = '(?:cron_key|site_name)'/, [{ value: 's:4:"warm";' }]],
    [/^SELECT TABLE_NAME AS name, TABLE_TYPE/, table.map((name) => ({ name, kind: "BASE TABLE", engine: "InnoDB", bytes: "16384" }))],
    [/AS guess FROM information_schema/, [{ name: "cache", guess: "1" }, { name: "cache_menu", guess: "1" }]],
    [/^SELECT TABLE_NAME AS name/, table.map((name) => ({ name }))],
    [/^SELECT MIN\(n\)/, [{ first: null, last: null }]],
    [/^SELECT Host FROM mysql\.user/, [{ Host: "localhost" }]],
    [/^SHOW CREATE USER/, [{ "CREATE USER": "CREATE USER `warm`@`localhost` IDENTIFIED BY PASSWORD '*0'" }]],
    [/^SHOW GRANTS/, [{ Grants: "GRANT USAGE ON *.* TO `warm`@`localhost`" }]],
    [/^SELECT|^SHOW/, []],
  ];
}

function systemRows(platform) {
  const files = ["modules", "themes", "sites/all"].flatMap((folder) => fs.readdirSync(path.join(platform, folder), { recursive: true }).map((name) => `${folder}/${name}`));
  const row = (filename, type) => ({ filename, name: path.parse(filename).name, type, owner: "", status: "1", bootstrap: "0", schema_version: "7000", weight: "0", info: null });
  return files.flatMap((file) => (file.endsWith(".module") ? [row(file, "module")] : /themes\/.*\.info$/.test(file) ? [row(file, "theme")] : []));
}

/** Starts it on a port of its own; answers the port. */
exports.startDatabase = (platform) => {
  const known = answers(platform);
  const dropped = new Set();
  const server = mysql.createServer();
  server.on("connection", (connection) => {
    connection.on("error", () => undefined);
    connection.serverHandshake({ authCallback: ({ user }, decide) => answer(() => decide(null, user !== "intntnllyInvalid" ? null : { message: `Access denied for user '${user}'@'localhost'` })), protocolVersion: 10, serverVersion: "5.5.5-10.11.6-MariaDB", connectionId: 1, statusFlags: 2, characterSet: 45, capabilityFlags: 0xfff7df });
    const answer = (write) => {
      write();
      connection._resetSequenceId();
    };
    connection.on("query", (statement) => {
      const [, verb = "", database] = /^(CREATE DATABASE|DROP DATABASE IF EXISTS|USE) `(\w+)`/.exec(statement) ?? [];
      if (verb.startsWith("DROP")) dropped.add(database);
      if (verb.startsWith("CREATE")) dropped.delete(database);
      if (verb === "USE" && dropped.has(database)) {
        answer(() => connection.writeError({ code: 1049, message: `Unknown database '${database}'` }));
        return;
      }
      const rows = known.find(([start]) => start.test(statement))?.[1];
      if (rows === undefined) answer(() => connection.writeOk());
      else {
        const names = Object.keys(rows[0] ?? { nothing: null });
        const columns = names.map((name) => ({ catalog: "def", schema: "", table: "", orgTable: "", name, orgName: name, characterSet: 45, columnLength: 255, columnType: VAR_STRING, flags: 0, decimals: 0 }));
        answer(() => connection.writeTextResult(rows, columns));
      }
    });
    // mysql2 takes every SET for one of these.
    connection.on("stmt_prepare", () => answer(() => connection.writeOk()));
    connection.on("init_db", () => answer(() => connection.writeOk()));
    connection.on("quit", () => connection.end());
  });
  return new Promise((resolve, reject) => {
    server._server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server._server.address().port));
  });
};
