import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apacheReloadCommand, apacheTestCommand, commandWords } from "../../src/web/restart-command.ts";
import { safeHost, safePath, safePort, safeUrl } from "../../src/web/safe-values.ts";
import { urlEncode } from "../../src/web/url-encode.ts";

/** What is the same in all of Debian's versions: the configuration is read twice. */
const DEBIAN = `#!/bin/sh
case "$ARGV" in
stop)
    $HTTPD \${APACHE_ARGUMENTS} -k "$ARGV"
    ;;
restart|graceful)
    if $HTTPD \${APACHE_ARGUMENTS} -t 2> /dev/null ; then
        $HTTPD \${APACHE_ARGUMENTS} -k "$ARGV"
    else
        $HTTPD \${APACHE_ARGUMENTS} -t
    fi
    ;;
esac
`;

/** For a program that cannot be read; root can read all others. */
const UNREADABLE = "unreadable";

describe("credentials", () => {
  it("are encoded as PHP's urlencode does", () => {
    const texts = fc.sample(fc.string({ unit: "binary", maxLength: 20 }), { numRuns: 200, seed: 7 }).filter((text) => text.isWellFormed());
    const php = execFileSync("php", ["-n", "-r", "foreach (json_decode(stream_get_contents(STDIN)) as $t) echo urlencode($t), \"\\n\";"], { input: JSON.stringify(texts), encoding: "utf8" });
    expect(texts.map((text) => urlEncode(text) + "\n").join("")).toBe(php);
  });
});

describe("values in web server files", () => {
  it.each(["example.com", "a_b.example.com", "xn--blg-hoa.example.org", "localhost", "example.org/blog", "1", "*.example.com", "münchen.de"])("the host %s may stand there", (host) => expect(safeHost(host, "x")).toBe(host));

  it.each(["a b", "a\nRedirect /", "a;b", "a\"b", "", "-", ".", "a..{b}", "a$b", "a%b", "host/pa th", "a\0"])("the host %j may not", (host) => {
    expect(() => safeHost(host, "An alias")).toThrow(expect.objectContaining({ code: "PROVISION_WEB_BAD_VALUE" }) as Error);
  });

  it.each(["relative", "/a b", "/a\"b", "/a\nb", "/a>b", "/a#b", "/a*"])("the path %j may not", (path) => expect(() => safePath(path, "root")).toThrow(/configuration/));
  it.each(["0", "080", "http", "80 443", "123456", "-1"])("the port %j may not", (port) => expect(() => safePort(port, "port")).toThrow());
  it.each(["javascript:x", "http://a b", "//x y"])("the URL %j may not", (url) => expect(() => safeUrl(url, "url")).toThrow());
});

describe("restart commands", () => {
  it.each([
    ["sudo /usr/sbin/apache2ctl graceful", ["sudo", "/usr/sbin/apache2ctl", "graceful"]],
    ["  a   b\tc ", ["a", "b", "c"]],
    ["a && rm -rf x; b | c > d $(e) `f` *", ["a", "&&", "rm", "-rf", "x;", "b", "|", "c", ">", "d", "$(e)", "`f`", "*"]],
    ["\"/path with blanks/ctl\" 'two words'", ["/path with blanks/ctl", "two words"]],
    ["it's", ["it's"]],
    ["a''b", ["ab"]],
    ["", []],
  ])("80: %j is the words %j and nothing is evaluated", (command, words) => expect(commandWords(command)).toEqual(words));

  it.each([
    [["sudo", "/usr/sbin/apache2ctl", "graceful"], ["sudo", "-n", "/usr/sbin/apache2ctl"]],
    [["apachectl", "-k", "graceful"], ["apachectl"]],
    [["/opt/x/apache2ctl", "restart"], ["/opt/x/apache2ctl"]],
    [["sudo", "service", "apache2", "reload"], undefined],
    [["apache2ctl", "graceful", "now"], undefined],
    [["true"], undefined],
    [[], undefined],
  ])("%j is tested by %j", (restart, test) => expect(apacheTestCommand(restart)).toEqual(test));

  it.each([
    ["sudo CTL graceful", DEBIAN, ["sudo", "-n", "CTL", "-k", "graceful"]],
    ["CTL graceful", DEBIAN, ["CTL", "-k", "graceful"]],
    ["CTL restart", DEBIAN, undefined],
    ["CTL -k graceful", DEBIAN, ["CTL", "-k", "graceful"]],
    ["sudo CTL graceful", DEBIAN.replace("-t 2> /dev/null", "-v 2> /dev/null"), undefined],
    ["sudo CTL graceful", DEBIAN.replaceAll('-k "$ARGV"', '-k "$ARGV" && logger reloaded'), undefined],
    ["sudo CTL graceful", DEBIAN.replaceAll(/^/gm, "# "), undefined],
    ["sudo CTL graceful", "#!/bin/sh\nexec docker exec web apache2ctl graceful\n", undefined],
    ["sudo CTL graceful", undefined, undefined],
    ["sudo CTL graceful", UNREADABLE, undefined],
    ["sudo apache2ctl graceful", DEBIAN, undefined],
    ["sudo service apache2 reload", DEBIAN, undefined],
  ])("%j with the control program %j is done by %j", (command, script, words) => {
    const folder = mkdtempSync(join(tmpdir(), "control-"));
    const control = join(folder, "apache2ctl");
    if (script === UNREADABLE) symlinkSync(control, control);
    else if (script !== undefined) writeFileSync(control, script);
    const reload = apacheReloadCommand(commandWords(command.replace("CTL", control)));
    expect(reload?.map((word) => word.replace(control, "CTL"))).toEqual(words);
    rmSync(folder, { recursive: true });
  });
});
