/** The certificates in a PEM file, each as its base64 text without line ends. */
export function pemCertificates(text: string): string[] {
  return [...text.matchAll(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([\s\S]*?)-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g)].map(([, body = ""]) => body.replace(/\s+/g, ""));
}

export function pemText(certificates: readonly string[]): string {
  return certificates.map((body) => `-----BEGIN CERTIFICATE-----\n${(body.match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`).join("");
}

/**
 * A server's certificate with its chain. Administrators and tools keep two kinds of chain files: intermediates alone, as Apache took them, and leaf with
 * intermediates, as nginx takes them.
 */
export interface Chain {
  /** The chain file begins with the leaf: it can be served alone. */
  readonly isWhole: boolean;
  /** The leaf is somewhere in it. */
  readonly hasLeaf: boolean;
  /** Leaf, then all others. */
  readonly whole: string;
}

export function chainOf(certificateText: string, chainText: string): Chain {
  const [leaf] = pemCertificates(certificateText);
  const chain = pemCertificates(chainText);
  const others = chain.filter((one) => one !== leaf);
  return { isWhole: leaf !== undefined && chain[0] === leaf, hasLeaf: leaf !== undefined && chain.includes(leaf), whole: pemText(leaf === undefined ? others : [leaf, ...others]) };
}
