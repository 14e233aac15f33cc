import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { siteDrushrcText } from "../../src/aliases/write-drushrc.ts";
import { aliasFileText } from "../../src/aliases/write-alias.ts";
import { PhpArray } from "../../src/php-values/php-array.ts";
import { masked } from "../../src/task/masked.ts";

const password = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes("@") && !text.includes("/")).map((text) => `Pa55${text}w0rd`);
const urlPassword = password.map(encodeURIComponent);

describe("what people see of files with passwords", () => {
  it("has none of a site's drushrc.php, whatever stands in it", () => {
    fc.assert(fc.property(password, (secret) => {
      const text = masked(siteDrushrcText(PhpArray.of([["db_passwd", secret], ["db_name", "name"]]), "/site"));
      expect(text).not.toContain("Pa55");
      expect(text).not.toContain("w0rd");
      expect(text).toContain("'name'");
    }));
  });

  it("has none of a server's alias", () => {
    fc.assert(fc.property(urlPassword, (secret) => {
      const text = masked(aliasFileText("server_master", PhpArray.of([["master_db", `mysql://root:${secret}@localhost`], ["db_port", "3306"]])));
      expect(text).not.toContain("Pa55");
      expect(text).toContain("'3306'");
    }));
  });

  it.each([
    ["  SetEnv db_passwd  Pa55w0rd\n  SetEnv db_name n\n", "  SetEnv db_passwd  ***\n  SetEnv db_name n\n"],
    ['  SetEnv db_passwd "Pa55 \\" w0rd"\n', "  SetEnv db_passwd ***\n"],
    ["  'password' => 'Pa55\\'w0rd',\n  'host' => 'h',\n", "  'password' => '***',\n  'host' => 'h',\n"],
    ['$drupal_hash_salt = "Pa55";\n', "$drupal_hash_salt = '***';\n"],
    ["see mysql://user:Pa55@db.test/name\n", "see mysql://user:***@db.test/name\n"],
    ["ServerName a.test\nRewriteRule ^ http://b.test:80/ [L]\n", "ServerName a.test\nRewriteRule ^ http://b.test:80/ [L]\n"],
  ])("%j", (text, shown) => {
    expect(masked(text)).toBe(shown);
  });
});
