import { type BackendAnswer } from "./front-end.ts";

/** Messages of one level, in order. */
export function messages({ logs }: BackendAnswer, level: string): string[] {
  return logs.filter(({ type }) => type === level).map(({ message }) => message);
}

/** Status, codes and outcome of a call that failed in an orderly way. */
export function failure({ status, errors, kind, frame }: BackendAnswer): { status: number; errors: readonly string[]; kind: string; errorStatus: unknown } {
  return { status, errors, kind, errorStatus: frame["error_status"] };
}

/** What {@link failure} answers for these codes. */
export function failedWith(...errors: string[]): ReturnType<typeof failure> {
  return { status: 1, errors, kind: "frame", errorStatus: 1 };
}
