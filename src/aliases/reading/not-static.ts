/**
 * The file says something that is not plain data: only PHP itself can evaluate it. Inside this folder this is an ordinary way out, not a
 * failure; {@link readPhpFile} answers it by starting PHP.
 */
export class NotStatic extends Error {
  override readonly name = "NotStatic";
  /** Where it stands, as far as known. */
  file: string | undefined;
  line: number | undefined;

  constructor(readonly reason: string) {
    super(reason);
  }
}
