import tseslint from "typescript-eslint";
import rooms from "./scripts/lint/rooms.js";

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "fixtures/", "coverage/"] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { shim: { rules: { rooms } } },
    rules: {
      "shim/rooms": "error",
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/only-throw-error": "error",
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  { files: ["test/**"], rules: { "max-lines": "off", "@typescript-eslint/no-non-null-assertion": "off" } },
  { files: ["**/*.js", "**/*.mjs", "**/*.cjs", "*.config.ts"], extends: [tseslint.configs.disableTypeChecked], rules: { "no-console": "off", "@typescript-eslint/no-require-imports": "off" } },
);
