/**
 * Not a failure but a decision: this call is one for the real drush. Only thrown before anything was written.
 */
export class NeedsRealDrush extends Error {
  override readonly name = "NeedsRealDrush";

  /** @param reason what is not native here, for the debug log: "the option --simulate" */
  constructor(readonly reason: string) {
    super(`Handed over to the real drush because of ${reason}.`);
  }
}
