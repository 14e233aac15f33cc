import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DefinerFilter } from "../../src/database/definer-filter.ts";

function filtered(text: string, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(text);
  const filter = new DefinerFilter();
  const out: Buffer[] = [];
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, two) => one - two);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    out.push(...filter.push(bytes.subarray(from, to)));
    from = to;
  }
  out.push(...filter.end());
  return Buffer.concat(out).toString();
}

const HEAD = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n--\n\n/*!40101 SET NAMES utf8mb4 */;\n";
const ROWS = "INSERT INTO `t` VALUES\n(1,'/*!50013 DEFINER=x/'),\n(2,'/*!50017 DEFINER=`a`@`b`*/ CREATE DEFINER=`a`@`b` '),\n(3,'\\n/*!50013 DEFINER=`a`@`b` SQL SECURITY DEFINER */\\n');\n";
const TRIGGER = "DELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`ro``ot`@`local%host`*/ /*!50003 TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.s = '\nCREATE DEFINER=`a`@`b` x\n/*!50013 DEFINER=`a`@`b` SQL SECURITY DEFINER */\n'\n*/;;\nDELIMITER ;\n";
const EVENT = "DELIMITER ;;\n/*!50003 SET @saved_cs_client      = @@character_set_client */ ;;\n/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */ ;;\nDELIMITER ;\n";
const ROUTINE = "DELIMITER ;;\nCREATE DEFINER=`root`@`localhost` FUNCTION `f`() RETURNS int\nRETURN 1 ;;\nDELIMITER ;\nDELIMITER ;;\n/*!50003 CREATE*/ /*!50020 DEFINER=`root`@`localhost`*/ /*!50003 PROCEDURE `p`() SELECT 1 */;;\nDELIMITER ;\n";
const VIEWS = "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 */;\n/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY INVOKER */\n/*!50001 VIEW `w` AS select 1 */;\n";

const DUMP = HEAD + ROWS + TRIGGER + EVENT + ROUTINE + VIEWS;
const CLEAN =
  HEAD.slice(HEAD.indexOf("\n") + 1) +
  ROWS +
  TRIGGER.replace("/*!50017 DEFINER=`ro``ot`@`local%host`*/ ", "") +
  EVENT.replace("/*!50117 DEFINER=`root`@`localhost`*/ ", "") +
  ROUTINE.replace("CREATE DEFINER=`root`@`localhost` ", "CREATE ").replace("/*!50020 DEFINER=`root`@`localhost`*/ ", "") +
  "/*!50001 CREATE */\n/*!50001 VIEW `v` AS select 1 */;\n/*!50001 CREATE */\n/*!50013 SQL SECURITY INVOKER */\n/*!50001 VIEW `w` AS select 1 */;\n";

describe("definers", () => {
  it("db 40, 41: go from definitions, and stay in rows and bodies", () => {
    expect(filtered(DUMP)).toBe(CLEAN);
  });

  it("wherever the stream is cut", () => {
    for (let cut = 1; cut < DUMP.length; cut++) expect(filtered(DUMP, [cut])).toBe(CLEAN);
    fc.assert(fc.property(fc.array(fc.nat(DUMP.length), { maxLength: 40 }), (cuts) => filtered(DUMP, cuts) === CLEAN));
    expect(filtered(DUMP, Array.from({ length: DUMP.length }, (_, index) => index))).toBe(CLEAN);
  });

  it("any other text passes as it is", () => {
    const line = fc.oneof(fc.constantFrom("/*!5", "/*!50013 DEFINER", "DELIMITER", "D", "", "(1,'x')", "INSERT INTO `t` VALUES", "-- x"), fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
        const text = `-- x\n${lines.join("\n")}`;
        return filtered(text, cuts) === text;
      }),
    );
  });

  it("lines of any length pass without being kept", () => {
    const filter = new DefinerFilter();
    const chunk = Buffer.alloc(1 << 16, "x");
    let passed = 0;
    filter.push(Buffer.from("-- x\n/*!50003 "));
    for (let count = 0; count < 200; count++) {
      const out = filter.push(chunk).reduce((sum, piece) => sum + piece.length, 0);
      passed += out;
      if (count > 0) expect(out).toBe(chunk.length);
    }
    expect(passed).toBeGreaterThan(199 * chunk.length);
  });
});
