import { z } from "zod";

const path = z.string().startsWith("/", "must be an absolute path");

const schema = z.strictObject({
  drush: path.optional(),
  script: path.optional(),
  commandsWithDrush: z.array(z.string()).optional(),
  ignoredExtensions: z.array(z.string()).optional(),
  lockWaitSeconds: z.number().positive().optional(),
  mysqlSocket: path.optional(),
  databaseTimeoutSeconds: z.number().positive().optional(),
  phpTimeoutSeconds: z.number().positive().optional(),
});

/** What is wrong with the content of a configuration file, as one line; undefined when nothing is. */
export function configProblem(data: unknown): string | undefined {
  const result = schema.safeParse(data);
  if (result.success) return undefined;
  return result.error.issues.map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`)).join("; ");
}
