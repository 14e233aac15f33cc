import type { Db } from "./connection.ts";

export interface TableFacts {
  readonly name: string;
  readonly kind: "table" | "view" | "other";
  /** Of the rows, without indexes; an estimate of the server's. */
  readonly bytes: number;
  readonly engine: string;
}

/** What is in a database, as far as its dump is concerned. */
export interface DatabaseFacts {
  readonly tables: readonly TableFacts[];
  /** Routines whose text this account may not see: those of another definer. */
  readonly hiddenRoutines: readonly string[];
  /** Whether there are routines or events. */
  readonly hasPrograms: boolean;
  /** Undefined: nobody has looked. To have none spares the dump a third of its time. */
  readonly hasTriggers: boolean | undefined;
}

/** Looks at the database with an account that may use it. */
export async function lookAtDatabase(db: Db, database: string): Promise<DatabaseFacts> {
  const [tables, routines, events, triggers] = await Promise.all([
    db.rows("SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, ENGINE AS engine, DATA_LENGTH AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", [database]),
    db.rows("SELECT ROUTINE_NAME AS name, ROUTINE_DEFINITION IS NULL AS hidden FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?", [database]),
    db.rows("SELECT 1 AS one FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ? LIMIT 1", [database]),
    db.rows("SELECT 1 AS one FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? LIMIT 1", [database]),
  ]);
  return {
    tables: tables.map(({ name, kind, engine, bytes }) => ({
      name: name ?? "",
      kind: kind === "BASE TABLE" ? "table" : kind === "VIEW" ? "view" : "other",
      bytes: Number(bytes ?? 0),
      engine: (engine ?? "").toLowerCase(),
    })),
    hiddenRoutines: routines.flatMap(({ name, hidden }) => (hidden === "1" ? [name ?? ""] : [])),
    hasPrograms: routines.length + events.length > 0,
    hasTriggers: triggers.length > 0,
  };
}
