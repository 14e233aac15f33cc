import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface BigSite {
  /** Size of the data in the database. */
  readonly megabytes: number;
  readonly files: number;
}

const ROW_BYTES = 1024;
const IN_ONE_FOLDER = 500;

/** Makes a site large: a table of text that does not repeat, and many small files, of which a part is large. */
export async function fillSite(directory: string, { megabytes, files }: BigSite): Promise<void> {
  makeFiles(join(directory, "files/bench"), files);
  const drushrc = readFileSync(join(directory, "drushrc.php"), "utf8");
  const value = (key: string): string => new RegExp(`\\['${key}'\\] = '([^']*)'`).exec(drushrc)?.[1] ?? "";
  const { createConnection } = await import("mysql2/promise");
  const connection = await createConnection({ host: "127.0.0.1", port: Number(value("db_port") || "3306"), user: value("db_user"), password: value("db_passwd"), database: value("db_name") });
  try {
    await connection.query("DROP TABLE IF EXISTS bench_rows");
    await connection.query("CREATE TABLE bench_rows (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, body MEDIUMTEXT NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4");
    // Eight digests of 128 characters a row: text that packs like a site's, by about a half.
    const body = `CONCAT(${Array.from({ length: ROW_BYTES / 128 }, () => "SHA2(RAND(), 512)").join(", ")})`;
    await connection.query(`INSERT INTO bench_rows (body) SELECT ${body} FROM seq_1_to_1000`);
    const wanted = Math.ceil((megabytes * 1e6) / ROW_BYTES);
    for (let rows = 1000; rows < wanted; ) {
      const more = Math.min(rows, wanted - rows, 50_000);
      await connection.query(`INSERT INTO bench_rows (body) SELECT ${body} FROM bench_rows LIMIT ${more}`);
      rows += more;
    }
  } finally {
    await connection.end();
  }
}

function makeFiles(folder: string, count: number): void {
  const text = Buffer.from("A file of a site, of which there are many. ".repeat(40));
  for (let made = 0; made < count; made++) {
    const inside = join(folder, String(Math.floor(made / IN_ONE_FOLDER)));
    if (made % IN_ONE_FOLDER === 0) mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, `${made}.txt`), Buffer.concat([Buffer.from(`${made} `), text.subarray(0, made % text.length)]));
  }
}
