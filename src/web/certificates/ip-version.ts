/** 4 or 6 for an IP address, 0 for anything else, as node's isIP(), whose module takes three milliseconds to load. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return text.split(".").every((part) => Number(part) <= 255) ? 4 : 0;
  return text.includes(":") && /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`) ? 6 : 0;
}
