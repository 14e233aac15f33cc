/**
 * Mode of a new file or directory that has no mode of its own, as PHP's fopen() and mkdir() give it.
 * The umask is the one this process inherited, or `mask` where Provision has loaded a settings.php that sets another.
 */
export function newFileMode(mask = inheritedUmask()): number {
  return 0o666 & ~mask;
}

export function newDirectoryMode(mask = inheritedUmask()): number {
  // Provision's mkdir asks for 0775.
  return 0o775 & ~mask;
}

function inheritedUmask(): number {
  // Its only fault is a race between threads, and this program has one.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return process.umask();
}
