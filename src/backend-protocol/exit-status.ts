/** Exit statuses with a meaning to callers. 255 makes a drush caller report an internal failure, whatever else it was sent. */
export const EXIT_STATUS = { success: 0, error: 1, userAbort: 75, applicationError: 255 } as const;
