export interface Missing {
  readonly name: string;
  readonly package: string;
}

export interface Machine {
  program(name: string): boolean;
  programLike(pattern: RegExp): boolean;
  apacheModule(pattern: RegExp): boolean;
  php(extension: string): boolean;
}

export interface Installation {
  packages: readonly string[];
  policyFile?: string;
  run?: (args: readonly string[]) => void;
}

export function bringDebianPackages(): void;
export function missingFromDebian(has?: Machine): Missing[];
export function adviceFor(missing: readonly Missing[]): string;
export function installDebianPackages(installation: Installation): void;
