/** The words as one command line for a POSIX shell, which finds exactly these words in it. */
export function shellCommand(words: readonly string[]): string {
  return words.map(shellQuoted).join(" ");
}

export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
